"""``python -m tests.calibrate [--write]``: fit the weights, and report what they catch and whom they hurt.

Prints the learned weights against those in use, recall for each family of programs (with the weights in use, and with
weights learned without that family), recall on the clients that are kept back, from which nothing is learned, false
alarms of real browsers under every condition with their upper bounds, and what each signal contributes. ``--write``
puts the learned weights into the package's data file. ``--agents FILE`` reads a JSON list of User-Agents of real
browsers and reports what the User-Agent alone sets off.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from contentguard.detect.weights import Weights, document, weights
from tests.calibrate.clients import browsers, kept, programs
from tests.calibrate.fit import Row, learned, program_rows, reader_rows, refitted, supported
from tests.calibrate.judge import PLAYINGS, alarms, at_most, caught, drawn_alarms, noticed, total, weighed
from tests.calibrate.replay import facts_of, names, visit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibrate", description="Fit and judge the weights.")
    parser.add_argument("--write", action="store_true", help="put the learned weights into the data file")
    parser.add_argument("--agents", type=Path, metavar="FILE", help="a JSON list of browsers' User-Agents")
    chosen = parser.parse_args(arguments)
    posing = [capture for capture in programs() if capture.poses]
    rows, readers = program_rows(posing), reader_rows()
    new = refitted(rows, readers)
    report_weights(rows, readers, new)
    report_recall(rows, readers)
    report_kept()
    report_alarms(weights())
    report_contributions()
    if chosen.agents:
        report_agents(json.loads(chosen.agents.read_text("utf-8")))
    if chosen.write:
        write(new)
    return 0


def report_weights(rows: list[Row], readers: list[Row], new: dict[str, float]) -> None:
    """Each learned signal: prior, in use, learned, and what the data says."""
    shown = supported(rows)
    count = len({row.family for row in rows})
    seen, suffered = _shares(rows, count), _shares(readers, 2)
    print("learned signals (nats)          prior  in use  fitted  families  programs  readers")
    for name, prior in learned().items():
        used, families = document()["signals"][name]["weight"], len(shown.get(name, ()))
        print(
            f"  {name:<28} {prior:6.1f}  {used:6.1f}  {new[name]:6.1f}  "
            f"{families:8}  {seen[name]:8.1%}  {suffered[name]:7.2%}"
        )


def _shares(rows: list[Row], whole: float) -> Counter[str]:
    shares: Counter[str] = Counter()
    for row in rows:
        for name in row.found:
            shares[name] += row.weight / whole  # type: ignore[assignment]
    return shares


def report_recall(rows: list[Row], readers: list[Row]) -> None:
    """Recall of ``lead`` within two articles, for each family; in brackets with weights learned without it."""
    table = noticed(capture for capture in programs() if capture.poses)
    used = weights()
    sums: Counter[str] = Counter()
    whole = 0
    print(f"\nrecall within two articles       captures  {'  '.join(f'{p:>18}' for p in PLAYINGS)}")
    for family in sorted(table):
        without = weighed(refitted(rows, readers, without=family))
        cells = []
        for playing in PLAYINGS:
            visits = table[family][playing]
            own, left_out = caught(visits, used), caught(visits, without)
            sums[playing] += own
            sums["without " + playing] += left_out
            cells.append(f"{own:>6} ({left_out:>3} left out)")
        size = len(table[family]["direct"])
        whole += size
        print(f"  {family:<28} {size:10}  {'  '.join(cells)}")
    share = [f"{sums[p] / whole:>6.1%} ({sums['without ' + p] / whole:>10.1%})" for p in PLAYINGS]
    print(f"  {'all':<28} {whole:10}  {'  '.join(share)}")


def report_kept() -> None:
    """Recall on clients that nothing was learned from, for each HTTP implementation."""
    posing = [capture for capture in kept() if capture.poses]
    table, used = noticed(posing), weights()
    print(f"\nkept back, within two articles   captures  {'  '.join(f'{p:>16}' for p in PLAYINGS)}")
    for family in sorted(table):
        cells = [f"{caught(table[family][p], used):>16}" for p in PLAYINGS]
        print(f"  {family:<28} {len(table[family]['direct']):10}  {'  '.join(cells)}")
    sums = {p: sum(caught(table[family][p], used) for family in table) for p in PLAYINGS}
    lowest = min(sums.values())
    print(f"  {'all':<28} {len(posing):10}  {'  '.join(f'{sums[p] / len(posing):>16.1%}' for p in PLAYINGS)}")
    missed = len(posing) - lowest
    print(f"  missed at worst: {missed}, at most {at_most(missed, len(posing)):.2%} (95 %)")
    table_of_readers = alarms(used, captures=kept(tool="browser"))
    articles = sum(row.articles for row in table_of_readers.values())
    refused, normal = sum(row.refused for row in table_of_readers.values()), table_of_readers["as it is"]
    print(
        f"  browsers: {normal.lead} of {normal.articles} articles lead as they are, worst {normal.worst:.1f}; "
        f"{refused} of {articles} refused in all conditions, at most {at_most(refused, articles):.4%} (95 %)"
    )
    for capture in kept(tool="automation"):
        print(f"  driven by a program: {capture.client:<28} {max(total(names(s), used) for s in visit(capture)):5.1f}")


def report_alarms(used: Weights) -> None:
    """What browsers suffer."""
    table = alarms(used)
    print("\nbrowsers, by condition                            articles  lead  refused  worst")
    for name, row in table.items():
        print(f"  {name:<46} {row.articles:9} {row.lead:5} {row.refused:8} {row.worst:6.1f}")
    normal = table["as it is"]
    refused, articles = sum(r.refused for r in table.values()), sum(r.articles for r in table.values())
    print(f"  lead, as it is: at most {at_most(normal.lead, normal.articles):.3%} (95 %, {normal.articles} articles)")
    print(f"  refused, all conditions: {refused}, at most {at_most(refused, articles):.4%} (95 %, {articles} articles)")
    model = drawn_alarms(used)
    print(
        f"  model of visitors (robots among them): {model.lead} of {model.articles} lead "
        f"(at most {at_most(model.lead, model.articles):.3%}), {model.refused} refused "
        f"(at most {at_most(model.refused, model.articles):.3%}), worst {model.worst:.1f}"
    )
    for capture in browsers(automated=True):
        print(f"  driven by a program: {capture.client:<28} {max(total(names(s), used) for s in visit(capture)):5.1f}")


def report_contributions() -> None:
    """How many programs would not be caught without a signal."""
    used, table = weights(), noticed(capture for capture in programs() if capture.poses)
    visits = [visit for family in table.values() for playing in family.values() for visit in playing]
    base = caught(visits, used)
    lost = {n: base - caught([[f - {n} for f in v] for v in visits], used) for n in used.signals}
    shown = Counter(name for articles in visits for name in frozenset().union(*articles))
    print(f"\nsignals by what would be missed without them (of {len(visits)} visits, {base} caught)")
    for name, count in shown.most_common():
        print(f"  {name:<28} in {count:5}, alone decides {lost[name]:4}")


def report_agents(agents: list[str]) -> None:
    """What User-Agents alone set off, with an otherwise empty request on plain http."""
    found: Counter[str] = Counter()
    wanted = ("no-agent", "text-browser", "agent-malformed", "headless-name")
    for agent in agents:
        headers = [("Host", "news.example"), ("User-Agent", agent), ("Accept", "text/html")]
        for signal in visit_once(headers):
            if signal in wanted:
                found[signal] += 1
    print(f"\n{len(agents)} User-Agents of browsers: " + ", ".join(f"{n} {c}" for n, c in found.most_common()))


def visit_once(headers: list[tuple[str, str]]) -> set[str]:
    """The names of what one request sets off."""
    from contentguard.detect import signals

    return {signal.name for signal in signals(facts_of(headers, scheme="http"))}


def write(new: dict[str, float]) -> None:
    """Put weights into the data file, leaving everything else of it as it stands."""
    path = Path(str(files("contentguard.data").joinpath("weights.toml")))
    text = path.read_text("utf-8")
    for name, value in new.items():
        text, changed = re.subn(rf"(?m)^({re.escape(name)} = {{ weight = )[0-9.]+", rf"\g<1>{value}", text)
        if changed != 1:
            raise SystemExit(f"{path}: no line for {name}")
    path.write_text(text, "utf-8")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    raise SystemExit(main())
