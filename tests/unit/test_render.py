import html.parser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import render
from chat.render import to_html

LINK = '<a href="{0}" rel="nofollow ugc noopener">{0}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("hello", "<p>hello</p>"),
        ("a\nb", "<p>a<br>\nb</p>"),
        ("see https://example.org", "<p>see " + LINK.format("https://example.org") + "</p>"),
        ("`x < y` *i* **b**", "<p><code>x &lt; y</code> <em>i</em> <strong>b</strong></p>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("```\nx\n```", "<pre><code>x\n</code></pre>"),
        ("hi @鈴木", '<p>hi <span class="mention">@鈴木</span></p>'),
        (
            "mail a@example.org",
            '<p>mail <a href="mailto:a@example.org" rel="nofollow ugc noopener">a@example.org</a></p>',
        ),
        ("readme.md and.so ftp://x.y //x.y", "<p>readme.md and.so ftp://x.y //x.y</p>"),
        ("# no heading\n- no list", "<p># no heading<br>\n- no list</p>"),
        (">", "<p>&gt;</p>"),
        ("```", "<p>```</p>"),
    ],
)
def test_what_is_rendered(text: str, html: str) -> None:
    assert to_html(text) == html


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "javascript:alert(1)",
    "[x]: javascript:alert(1)\n[x]",
    "![x](https://example.org/a.png)",
    '<a href="https://example.org" onclick="alert(1)">x</a>',
    "<svg/onload=alert(1)>",
    "data:text/html,<script>alert(1)</script>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "https://example.org/\"onmouseover='alert(1)'",
    "<style>*{display:none}</style>",
    "<iframe src=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "vbscript:x mailto:<script>",
]


class Tags(html.parser.HTMLParser):
    ALLOWED = {"p", "br", "a", "code", "pre", "em", "strong", "blockquote", "span"}

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        found = dict(attrs)
        assert set(found) <= ({"href", "rel"} if tag == "a" else {"class"} if tag == "span" else set()), attrs
        if "href" in found:
            assert found["href"].split(":")[0] in ("http", "https", "mailto"), attrs
            assert found["rel"] == "nofollow ugc noopener"
        assert found.get("class", "mention") == "mention"

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    Tags().feed(to_html(text))


@given(st.lists(st.sampled_from(HOSTILE + list("<>&\"'`*_[]()@!\\:/ \n#") + ["a", "http://", "x@y.z"])).map("".join))
def test_whatever_is_typed_renders_to_what_is_allowed(text: str) -> None:
    Tags().feed(to_html(text))


@given(st.text(alphabet="ab12 \n>", min_size=1, max_size=200))
def test_nothing_that_was_said_is_lost(text: str) -> None:
    tags = Tags()
    tags.feed(to_html(text))
    for char in "ab12":
        assert tags.text.count(char) == text.count(char)


# What chat is made of, and what stands at the border of what is plain.
PIECES = [
    *" \n\t.,;:!?'\"()[]{}-+=#%$^|/\\&<>*_`~@019abXY",
    *("http:", "https://", "//", "www.", "a.b", "1.2.3", "x@y.z", "mailto:", "ftp:", "1. ", "- ", "    ", "---", "==="),
    *(
        "&amp;",
        "&#65;",
        "\n\n",
        " \n",
        "\n ",
        "日本語",
        "。",
        "：",
        "＠",
        "．",
        "／",
        "😀",
        "👩\u200d👩",
        "\ufe0f",
        "e\u0301",
    ),
    *("\u3000", "\u00a0", "\u0085", "\u2028", "\u200b", "\u2066", "\ufeff", "\ufffd", "\uffff", "\xad", "ß", "ı"),
    *("hello", "Is the tea ready?", "I'm here", '"no"', "10:30", ":)", "and/or", "100 %"),
]


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.text(max_size=30)))
@settings(max_examples=1000)
def test_plain_text_is_what_the_parser_makes_of_it(text: str) -> None:
    assert to_html(text) == render._parsed(text)


def test_what_people_say_is_plain() -> None:
    """Otherwise the test above compares the parser with itself."""
    for text in [
        "hello",
        "Is the tea ready?",
        "I'm (nearly) here :)",
        "a\nb",
        "10:30, 100 %",
        "お茶です。",
        "😀 e\u0301",
    ]:
        assert render.is_plain(text), text
    for text in ["*a*", "a_b", "`a`", "x@y.z", "http://a", "<", "&", "~~~", "a\n\nb", "a \nb", " a", "a ", "a\tb", ""]:
        assert not render.is_plain(text), text


def test_deep_quotes_lose_nothing() -> None:
    assert "deep" in to_html(">" * 300 + "deep")
