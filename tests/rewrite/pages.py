"""Generated pages: from the plausible to the hostile, for the property tests of the rewriter."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = (
    "harbour",
    "tide",
    "editor",
    "minute",
    "council",
    "&amp;",
    "naïve",
    "<",
    "a < b",
    "]]>",
    "--",
    "漢字",
)
_text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
_attribute = st.sampled_from(
    [
        "",
        " class=x",
        ' class="entry-content wide"',
        " id='a>b'",
        " hidden",
        ' data-a="<p>"',
        " a=b/",
        ' title="x',
        " /",
    ]
)
_name = st.sampled_from(
    [
        "p",
        "div",
        "span",
        "b",
        "i",
        "a",
        "article",
        "section",
        "ul",
        "li",
        "h2",
        "table",
        "tr",
        "td",
        "pre",
        "code",
        "svg",
        "path",
        "math",
        "mi",
        "title",
        "style",
        "script",
        "textarea",
        "noscript",
        "template",
        "select",
        "option",
        "button",
        "form",
        "blockquote",
        "br",
        "img",
        "hr",
        "iframe",
        "foreignObject",
        "P",
        "ARTICLE",
        "Script",
    ]
)
_odd = st.sampled_from(
    [
        "<!-- a > b -->",
        "<!--",
        "<!-->",
        "<!--->",
        "<![CDATA[ <p> ]]>",
        "<?php echo '>' ?>",
        "</>",
        "</ x>",
        "<",
        "<>",
        "<!x>",
        "<script><!--<script></script>--></script>",
        "<script>'</article>'</script>",
        "<textarea></article></textarea>",
        "<svg><title></article></title></svg>",
        "<plaintext>",
        "</body>",
        "</p>",
        "</b>",
        "\x00",
        "\r\n",
    ]
)


def _element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def build(name: str, attribute: str, inner: list[str], closed: bool) -> str:
        return f"<{name}{attribute}>{''.join(inner)}" + (f"</{name}>" if closed else "")

    return st.builds(build, _name, _attribute, st.lists(children, max_size=5), st.booleans())


markup = st.recursive(_text | _odd, _element, max_leaves=25)
"""A piece of a page, well formed or not."""

paragraph = st.lists(st.sampled_from(WORDS[:5]), min_size=25, max_size=40).map(
    lambda words: f"<p>{' '.join(words)}</p>"
)


@st.composite
def article_pages(draw: st.DrawFn) -> bytes:
    """A page that holds an article among things that may be broken in any way."""
    head = draw(
        st.sampled_from(["<head><title>T</title></head><body>", "<title>T</title>", "", "<meta charset=utf-8>"])
    )
    before = draw(markup)
    inside = "".join(draw(st.lists(paragraph, min_size=2, max_size=4)))
    extra, after = draw(markup), draw(markup)
    end = draw(st.sampled_from(["</article>", "", "</main>", "</article></body></html>"]))
    return f"<!doctype html><html>{head}{before}<article>{inside}{extra}{end}{after}".encode()


chunkings = st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=12)


def cut(body: bytes, sizes: list[int]) -> list[bytes]:
    """``body`` in chunks of these sizes, over and over."""
    chunks, position, turn = [], 0, 0
    while position < len(body):
        size = sizes[turn % len(sizes)]
        chunks.append(body[position : position + size])
        position, turn = position + size, turn + 1
    return chunks or [b""]
