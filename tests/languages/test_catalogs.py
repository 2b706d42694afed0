"""Every sentence of the portal is there in every language, with the same places to fill in."""

import ast
import re
import string
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from returns_portal import i18n
from tests.languages.catalogs import LANGUAGES, compiled, path_of, read, template

_TAG = re.compile(r"</?\w[^>]*>")


def ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, tuple | list) else (message.id,)


def strings(message: Message) -> tuple[str, ...]:
    found = message.string
    return tuple(found) if isinstance(found, tuple | list) else (found or "",)


def places(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name}


def messages(language: str) -> Iterator[Message]:
    return (message for message in read(language) if message.id)


def test_the_portal_speaks_all_of_them() -> None:
    assert set(i18n.available()) == {"en", *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_and_nothing_is_left_over(language: str) -> None:
    assert {ids(message) for message in messages(language)} == {ids(message) for message in template() if message.id}


def test_no_sentence_hides_in_the_braces_of_another_string() -> None:
    # What is said in there is seen by nobody who makes the catalogs, so that it would stay English.
    package = Path(i18n.__file__).parent
    told = {ids(message) for message in template()}
    for path in package.rglob("*.py"):
        strings_ = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
        for call in (each for node in strings_ for each in ast.walk(node) if isinstance(each, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in {"_", "mark", "translate"}:
                said = {(arg.value,) for arg in call.args if isinstance(arg, ast.Constant)}
                assert said <= told, f"{path}: {said}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_for_certain(language: str) -> None:
    forms = read(language).num_plurals
    for message in messages(language):
        wanted = forms if len(ids(message)) > 1 else 1
        assert not message.fuzzy, message.id
        assert len(strings(message)) == wanted, message.id
        assert all(strings(message)), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_and_the_tags_of_its_sentence(language: str) -> None:
    for message in messages(language):
        wanted = places(ids(message)[-1])
        for text in strings(message):
            missing, more = wanted - places(text), places(text) - wanted
            assert more <= {"n"}, text
            # A form for one thing alone need not say how many.
            assert not missing or (len(ids(message)) > 1 and missing == {"n"}), text
            assert sorted(_TAG.findall(text)) == sorted(_TAG.findall(ids(message)[-1])), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_space_around_a_sentence_is_kept(language: str) -> None:
    for message in messages(language):
        for text in strings(message):
            one = ids(message)[0]
            assert (text[:1].isspace(), text[-1:].isspace()) == (one[:1].isspace(), one[-1:].isspace()), text
            assert not any(a == b == " " for a, b in pairwise(text)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_portal_reads_was_made_of_what_is_written(language: str) -> None:
    assert path_of(language).with_suffix(".mo").read_bytes() == compiled(read(language))
