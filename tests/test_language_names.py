"""Languages are called by their names, in the reader's own."""

import pytest

from returns_portal.i18n import speaking
from returns_portal.web.formats import language


@pytest.mark.parametrize(
    ("tag", "reader", "name"),
    [
        ("uk", "en", "Ukrainian"),
        ("uk", "de", "Ukrainisch"),
        ("en-GB", "uk", "англійська"),
        ("xx", "en", "xx"),
        ("<b>", "en", "<b>"),
        ("", "en", ""),
    ],
)
def test_a_language_has_a_name(tag: str, reader: str, name: str) -> None:
    with speaking(reader):
        assert language(tag) == name
