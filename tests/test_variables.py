from __future__ import annotations

import json
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from contentguard.errors import Fault
from contentguard.variables import nearest, read_variables


@dataclass(frozen=True)
class Section:
    words: int = 3
    link: str = "more"
    names: tuple[str, ...] = ()
    rights: dict[str, str] = field(default_factory=dict)


DEFAULTS = {"site": "", "many": (), "lead": Section(), "hooks": ()}


def read(**environment: str) -> tuple[dict[str, object], list[Fault]]:
    return read_variables({f"CG_{name}": text for name, text in environment.items()}, "CG_", DEFAULTS, ("hooks",))


def test_texts_stand_as_they_are_and_lists_and_tables_are_json() -> None:
    assert read(SITE="[x]", LEAD__LINK='{"a": 1}', MANY='["a", "b"]', LEAD__NAMES='["c"]') == (
        {"site": "[x]", "lead": {"link": '{"a": 1}', "names": ["c"]}, "many": ["a", "b"]},
        [],
    )
    # What is no JSON, or JSON of another kind, is for the setting's own check to refuse.
    assert read(LEAD__NAMES="10.0.0.0/8", MANY="12345678901234567890") == (
        {"lead": {"names": "10.0.0.0/8"}, "many": "12345678901234567890"},
        [],
    )
    assert read(LEAD__RIGHTS='{"seo": "allow"}') == ({"lead": {"rights": {"seo": "allow"}}}, [])
    assert read(LEAD__RIGHTS__SEO="allow") == ({"lead": {"rights": {"seo": "allow"}}}, [])


def test_a_section_as_a_whole_and_a_variable_of_its_own_that_holds_before_it() -> None:
    whole = '{"words": 5, "link": "on", "rights": "none"}'
    assert read(LEAD=whole, LEAD__WORDS="7", LEAD__RIGHTS__SEO="allow") == (
        {"lead": {"words": "7", "link": "on", "rights": {"seo": "allow"}}},
        [],
    )


def test_every_variable_that_is_wrong_is_told_and_none_is_shown() -> None:
    _, faults = read(LEAD="{s3cret", LEED__X="s3cret", SITE__X="s3cret", HOOKS="s3cret", MANY="[" * 100_000)
    assert [fault.where for fault in faults] == ["CG_HOOKS", "CG_LEAD", "CG_LEED__X", "CG_SITE__X"]
    assert "s3cret" not in "".join(map(str, faults))
    assert "Did you mean 'CG_LEAD'?" in str(faults[2])
    assert "a table in JSON, or CG_LEAD__… for each name" in str(faults[1])


def test_the_nearest_name() -> None:
    assert (nearest("orign", ["site", "origin"]), nearest("zzz", ["site"])) == ("origin", "")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "words": st.integers(),
            "link": st.text(),
            "names": st.lists(st.text()),
            "rights": st.dictionaries(st.text(), st.text()),
        },
    ),
    st.booleans(),
)
def test_what_a_file_can_say_variables_can(table: dict[str, object], whole: bool) -> None:
    if whole:
        environment = {"LEAD": json.dumps(table)}
    else:
        # Numbers are read from texts by whoever checks them.
        table = {name: str(value) if isinstance(value, int) else value for name, value in table.items()}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in table.items()}
        environment = {f"LEAD__{name.upper()}": text for name, text in texts.items()}
    assert read(**environment) == ({"lead": table} if whole or table else {}, [])
