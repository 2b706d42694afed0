"""What is read in the words of customers, in every language of the portal, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.insights.reading import Theme, themes

SMALL = (
    "too small", "Too small for me", "It's too tight around the hips", "They run small", "I need a bigger size",
    "Leider zu klein", "zu eng an den Zehen", "fällt sehr klein aus", "Brauche eine größere Nummer",
    "Твърде малки", "Тесни ми са", "умаляват", "Слишком маленькие", "маломерят", "жмут в пальцах", "Малы",
    "Занадто малі", "замалі", "дуже тісні", "маломірять",
)  # fmt: skip
LARGE = (
    "too large", "Way too big!", "runs large", "I'd need a smaller size", "zu groß", "viel zu weit", "fällt groß aus",
    "Твърде големи", "Голяма ми е", "слишком большие", "Велики", "большемерят", "завеликі", "занадто широка",
)  # fmt: skip
OTHERS = (
    ("The heel is broken", Theme.FAULTY), ("Beschädigt angekommen", Theme.FAULTY), ("Ein Fleck am Ärmel", Theme.FAULTY),
    ("Пошкоджена", Theme.FAULTY), ("Скъсана е", Theme.FAULTY), ("Брак", Theme.FAULTY),
    ("Пятно на рукаве", Theme.FAULTY),
    ("not as in the picture", Theme.LOOKS), ("Farbe ist anders", Theme.LOOKS), ("другой цвет", Theme.LOOKS),
    ("It came late.", Theme.LATE), ("kam zu spät", Theme.LATE), ("Закъсня", Theme.LATE),
    ("I don't like it", Theme.UNLIKED), ("Gefällt mir nicht", Theme.UNLIKED), ("не понравилось", Theme.UNLIKED),
    ("Не сподобалося", Theme.UNLIKED), ("Не ми харесва", Theme.UNLIKED),
    ("My aunt gave me the same", Theme.OTHER),
)  # fmt: skip


@pytest.mark.parametrize("said", SMALL)
def test_too_small(said: str) -> None:
    assert Theme.TOO_SMALL in themes(said)
    assert Theme.TOO_LARGE not in themes(said)


@pytest.mark.parametrize("said", LARGE)
def test_too_large(said: str) -> None:
    assert Theme.TOO_LARGE in themes(said)
    assert Theme.TOO_SMALL not in themes(said)


@pytest.mark.parametrize(("said", "theme"), OTHERS)
def test_other_reasons(said: str, theme: Theme) -> None:
    assert themes(said) == {theme}


LATE = (
    "It took too long to arrive", "Delivery took far too long", "I waited too long", "hat zu lang gedauert",
    "Die Lieferung dauerte zu lang", "Пристигнаха твърде късно", "Дойде много късно", "Твърде дълго чаках",
    "Доставката беше твърде дълга", "слишком долго", "Слишком длинная доставка", "Занадто довго чекала",
    "дуже довго їхало",
)  # fmt: skip


@pytest.mark.parametrize("said", LATE)
def test_how_long_it_took_is_no_size(said: str) -> None:
    assert themes(said) == {Theme.LATE}


def test_who_says_both_that_it_is_late_and_small_says_both() -> None:
    assert themes("Пристигна твърде късно и е твърде къса") == {Theme.LATE, Theme.TOO_SMALL}
    assert themes("Took too long, and the sleeves are too long") == {Theme.LATE, Theme.TOO_LARGE}


@pytest.mark.parametrize(
    "said",
    [
        "Чаках петнадесет дни", "прошло пятнадцать дней", "Заказала в пятницу", "mangels Bedarf", "No defects at all",
        "ohne Mängel", "keine Flecken", "без дефекти", "Няма дефекти", "нет повреждений", "немає плям",
        "I ordered the wrong size", "falsche Größe bestellt", "Wrong size ordered",
    ],
)  # fmt: skip
def test_what_is_no_fault(said: str) -> None:
    assert Theme.FAULTY not in themes(said)


@pytest.mark.parametrize(
    "said",
    ["Mängel am Leder", "Mangel an der Naht", "Петна по кожата", "пятна", "Wrong size came", "Das Leder mangelhaft"],
)
def test_what_is_a_fault(said: str) -> None:
    assert themes(said) == {Theme.FAULTY}


@pytest.mark.parametrize(
    "said",
    ["Not too small, but the colour is wrong", "nicht zu klein", "Too small here and too long there", "Smallpox"],
)
def test_what_is_denied_or_said_both_ways_tells_nothing_of_the_size(said: str) -> None:
    assert not themes(said) & {Theme.TOO_SMALL, Theme.TOO_LARGE}


def test_the_tick_beside_the_words_counts_and_silence_says_nothing() -> None:
    assert themes("") == themes("  ") == frozenset()
    assert themes("", faulty=True) == {Theme.FAULTY}
    assert themes("too small", faulty=True) == {Theme.FAULTY, Theme.TOO_SMALL}


@given(st.text(max_size=500))
def test_any_text_is_read(said: str) -> None:
    assert bool(themes(said)) == bool(said.split())
