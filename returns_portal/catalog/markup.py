"""The text of a description that is written in HTML."""

import re
from html.parser import HTMLParser
from typing import Final

_PARAGRAPHS: Final = frozenset({
    "p", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6", "div", "blockquote",
})  # fmt: skip
_BLOCKS: Final = _PARAGRAPHS | {
    "address", "article", "br", "dd", "dt", "figcaption", "hr", "li", "pre", "section", "tr",
}  # fmt: skip
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg"})


def plain_text(html: str) -> str:
    """What a reader sees of a piece of HTML, in paragraphs; items of lists begin with a dash."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN:
            self._unseen += 1
        self._break(tag)
        if tag == "li":
            self.parts.append("– ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag != "li":
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            # Line ends of the source mean nothing in HTML.
            self.parts.append(" ".join(data.split("\n")))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")
