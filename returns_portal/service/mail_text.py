"""The words of an e-mail: HTML as plain text, and what it repeats of others folded away. Pure."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final

MAX_HTML: Final = 200_000
"""Characters that are looked at."""
_MOST_TAGS: Final = 10_000
"""Signs that begin a tag. Of more than any e-mail has, the words alone are taken: broken on purpose, they cost time."""
_SILENT: Final = frozenset(
    {"head", "script", "style", "template", "title", "noscript", "object", "svg", "math", "iframe"}
)
_BLOCKS: Final = frozenset(
    {
        "address", "article", "blockquote", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "h4", "h5",
        "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tbody", "tr", "ul",
    }
)  # fmt: skip
_QUOTE: Final = "> "
_ATTRIBUTION: Final = re.compile(
    r"(?:on|am|le|el|на|в|у|\d).{3,200}(?:wrote|schrieb|пише|написа|пишет|писал).{0,120}:\s*",
    re.IGNORECASE | re.DOTALL,
)
_DIVIDER: Final = re.compile(
    r"-{2,}\s*(original message|ursprüngliche nachricht|weitergeleitete nachricht|forwarded message|"
    r"оригинално съобщение|исходное сообщение|пересылаемое сообщение|оригінальне повідомлення|"
    r"переслане повідомлення)\s*-{2,}",
    re.IGNORECASE,
)
_HEAD: Final = re.compile(r"\*?(from|von|от|від)\s*:\*?\s.*", re.IGNORECASE)
_RULE: Final = re.compile(r"_{10,}")


def text_of_html(html: str) -> str:
    """The words of a page, as a reader would see them: nothing of it is ever shown as HTML.

    Quotations are marked as mail programs do in plain text; a link that hides where it leads gets that beside it.
    """
    page = html[:MAX_HTML]
    if page.count("<") > _MOST_TAGS:
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^<>]{0,1000}>", " ", page))).strip()
    words = _Words()
    words.feed(page)
    words.close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in words.lines)).strip()


class _Words(HTMLParser):
    """Collects what would be seen, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self._silent: list[str] = []
        self._quotes = 0
        self._target = ""
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins a line; what is never seen is left out with all that it holds."""
        if tag in _SILENT:
            self._silent.append(tag)
        if tag in _BLOCKS or tag == "br":
            self._break()
        self._quotes += tag == "blockquote"
        if tag in {"td", "th"}:
            self._say(" ")
        elif tag == "li":
            self._say("– ")
        elif tag == "a":
            href = (dict(attrs).get("href") or "").strip()
            self._target, self._link = (href if href.startswith(("https://", "http://")) else ""), ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself does so for browsers where it can hold nothing; elsewhere the sign is ignored."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """A block ends its line."""
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "a" and self._target and self._link.strip() and self._link.strip() not in self._target:
            self._say(f" ({self._target})")
        if tag == "a":
            self._target = ""
        if tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        """Words, every gap one space."""
        self._link += data
        self._say(data)

    def _break(self) -> None:
        if self.lines[-1] or (len(self.lines) > 1 and self.lines[-2]):
            self.lines.append("")

    def _say(self, text: str) -> None:
        if self._silent:
            return
        words = re.sub(r"[\s\u200b\ufeff]+", " ", text)
        if not self.lines[-1] or self.lines[-1].endswith(" "):
            words = words.lstrip()
        if words:
            self.lines[-1] += (_QUOTE * self._quotes if not self.lines[-1] else "") + words


def folded(text: str) -> tuple[str, str]:
    """What somebody wrote, and what their mail program repeats below it; all is theirs where nothing would be left."""
    lines = text.strip().split("\n")
    cut = _where(lines)
    written = "\n".join(lines[:cut]).rstrip()
    return (written, "\n".join(lines[cut:]).strip()) if written else (text.strip(), "")


def _where(lines: list[str]) -> int:
    """The first line of what is repeated."""
    for place, line in enumerate(lines):
        said = line.strip()
        if said and _begins(lines, place, said):
            return place
    last = len(lines)
    while last and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith(">")):
        last -= 1
    return last if any(line.lstrip().startswith(">") for line in lines[last:]) else len(lines)


def _begins(lines: list[str], place: int, said: str) -> bool:
    """Whether what is repeated begins with a line."""
    if _DIVIDER.fullmatch(said):
        return True
    if _RULE.fullmatch(said):
        return bool(_HEAD.fullmatch(_next(lines, place + 1)))
    # Mail programs break the line that says who wrote, and when, wherever it grows too long.
    for length in (1, 2, 3):
        if lines[place + length - 1 : place + length] and _next(lines, place + length).startswith(">"):
            head = " ".join(part.strip() for part in lines[place : place + length])
            return bool(_ATTRIBUTION.fullmatch(head))
    return False


def _next(lines: list[str], place: int) -> str:
    return next((line.strip() for line in lines[place : place + 4] if line.strip()), "")
