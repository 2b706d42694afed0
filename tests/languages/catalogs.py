"""The catalogs of the portal's languages: what is in them comes from the code and the templates.

`python -m tests.languages.catalogs` brings each `messages.po` up to what is written now, and compiles it. Sentences
that are new stand there without a translation, until somebody writes one; those that nobody says any more are gone.
"""

import ast
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from returns_portal.i18n import LOCALE_DIR

LANGUAGES: Final = ("bg", "de", "ru", "uk")
"""Every language beside English."""

_ROOT: Final = Path(__file__).resolve().parents[2]
_ERRORS: Final = ("Conflict", "Domain", "Forbidden", "Invalid", "NotFound", "TooMany", "Unauthorized")
_KEYWORDS: Final = {
    **dict.fromkeys(("_", "mark", "translate", *(f"{name}Error" for name in _ERRORS))),
    "ngettext": (1, 2),
}
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_IN_TEMPLATES: Final = re.compile(
    rf"(?<![\w.])(?:(?:_|mark)\(\s*({_STRING})|ngettext\(\s*({_STRING})\s*,\s*({_STRING}))"
)

Message = str | tuple[str, ...]
Found = tuple[Message, str]
"""What is said, and the file that says it."""


def said() -> Iterator[Found]:
    """Everything that the portal says, with the files that say it."""
    for path in sorted((_ROOT / "returns_portal").rglob("*.py")):
        with path.open("rb") as file:
            for _line, message, _comments, _context in extract("python", file, _KEYWORDS, (), {}):
                yield message, path.relative_to(_ROOT).as_posix()
    for path in sorted(each for each in (_ROOT / "templates").rglob("*") if each.suffix in {".html", ".txt", ".svg"}):
        for found in _IN_TEMPLATES.finditer(path.read_text()):
            one, singular, plural = (ast.literal_eval(text) if text else "" for text in found.groups())
            yield one or (singular, plural), path.relative_to(_ROOT).as_posix()


def template() -> Catalog:
    """All of it as a catalog without translations."""
    catalog = Catalog(fuzzy=False)
    for message, place in said():
        if message:
            catalog.add(message, locations=[(place, 0)])
    return catalog


def _empty(language: str) -> Catalog:
    """A catalog that is the same whenever it is made."""
    day = datetime(2026, 11, 22, tzinfo=UTC)
    return Catalog(
        locale=language,
        project="returns-portal",
        version="1",
        header_comment="# The sentences of the portal.",
        msgid_bugs_address="see README.md",
        last_translator="The makers of the portal",
        language_team="The makers of the portal",
        creation_date=day,
        revision_date=day,
        fuzzy=False,
    )


def path_of(language: str) -> Path:
    """Where the catalog of a language is."""
    return LOCALE_DIR / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """The catalog of a language, as it is kept."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """What the portal reads."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def renew(language: str) -> int:
    """Bring a catalog up to what is said now; how many sentences wait for a translation."""
    catalog = _empty(language)
    known = read(language) if path_of(language).exists() else Catalog()
    waiting = 0
    for message in template():
        if not message.id:
            continue
        there = known.get(message.id)
        kept = there.string if there and not there.fuzzy else ""
        catalog.add(message.id, kept, locations=message.locations)
        waiting += not (all(kept) if isinstance(kept, tuple) else kept)
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    with path_of(language).open("wb") as file:
        write_po(file, catalog, omit_header=False, sort_output=False, width=118, include_lineno=False)
    path_of(language).with_suffix(".mo").write_bytes(compiled(catalog))
    return waiting


if __name__ == "__main__":
    for each in LANGUAGES:
        click.echo(f"{each}: {renew(each)} sentences wait for a translation")
