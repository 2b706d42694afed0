"""Surprises at the packing table: within the budget, once for a customer, and never for who is left out by lot."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError
from returns_portal.loyalty import proposing
from returns_portal.loyalty.card import CardContent
from returns_portal.loyalty.card_printing import render_card
from returns_portal.loyalty.form import MAX_CARD
from returns_portal.loyalty.rules import Level, affordable
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import erase
from returns_portal.privacy.people import person_of
from returns_portal.shop.queries import DEFAULT
from returns_portal.tryon import calling_off, shipping
from tests.labels.prints import pages, squeezed, text
from tests.loyalty.test_levels import bought
from tests.loyalty.things import PACKER, at_the_table, leave, look, put, surprises, waiting
from tests.portal import API, Portal, at_once
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

NAMES = ("ana@example.com", "boris@example.com", "vera@example.com", "georgi@example.com")
TABLE, PAGE = "/station/packing", "/staff/loyalty"
FORM = {
    "surprises": "yes",
    "budget": "100 EUR",
    "cost-card": "0,50",
    "from_level": "0",
    "every_days": "90",
    "control_percent": "0",
    "card-en": "Dear {name}, <b>thank you</b>",
}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def statuses(portal: Portal) -> list[str]:
    return [row.status for row in await portal.rows("SELECT status FROM surprise ORDER BY proposed_at, id")]


def test_only_what_the_budget_still_pays_for_is_drawn() -> None:
    costs = {"gift": 300, "card": 0, "faster": 500}
    assert affordable(costs, 499) == ["card", "gift"]
    assert affordable(costs, -1) == []


async def test_nothing_is_proposed_unless_the_shop_wants_it(portal: Portal) -> None:
    await waiting(portal, "ana@example.com")
    assert await look(portal) == 0
    await surprises(portal, levels=(Level("Friend", orders=1),), from_level=1)
    assert await look(portal) == 0
    await surprises(portal, from_level=0)
    assert await look(portal) == 1


async def test_those_of_no_level_stand_in_nobodys_way(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "_BATCH", 2)
    await surprises(portal, levels=(Level("Friend", orders=1),), from_level=1, wait_days=0)
    await bought(portal, "3101", days_ago=1, email="vera@example.com")
    [*_others, vera] = await waiting(portal, "ana@example.com", "boris@example.com", "vera@example.com")
    assert await look(portal) == 1
    assert set(await at_the_table(portal)) == {vera.number}


async def test_promises_and_gifts_never_exceed_the_months_budget(portal: Portal) -> None:
    await surprises(portal)
    await waiting(portal, *NAMES)
    assert await look(portal) == 3
    found = list((await at_the_table(portal)).values())
    # The budget shrinks while they lie at the table: two tables at once still spend no more than it.
    await surprises(portal, budget=300)
    answers = await at_once(*(put(portal, one) for one in found))
    assert [type(answer) for answer in answers if answer] == [ConflictError, ConflictError]
    assert sorted(await statuses(portal)) == ["given", "proposed", "proposed"]
    [given] = [one for one in (await at_the_table(portal)).values() if one.status == "given"]
    await put(portal, given)
    told = await portal.rows("SELECT actor, action, data FROM history WHERE subject = 'surprise'")
    assert [(row.actor, row.action, row.data["cost"]) for row in told] == [("staff:ivo", "given", 300)]
    with pytest.raises(ConflictError):
        await leave(portal, given)


async def test_a_new_month_has_its_own_budget(portal: Portal) -> None:
    await surprises(portal, budget=300)
    await waiting(portal, *NAMES[:2])
    for _twice in range(2):
        assert await look(portal) == 1
    with clock.at(clock.now() + timedelta(days=32)):
        assert await look(portal) == 2


async def test_a_customer_is_not_surprised_again_soon_and_what_left_lapses(portal: Portal) -> None:
    await surprises(portal, budget=10_000)
    [first] = await waiting(portal, "ana@example.com")
    await look(portal)
    await leave(portal, (await at_the_table(portal))[first.number])
    [second] = await waiting(portal, "Ana@example.com")
    assert await look(portal) == 1
    with clock.at(clock.now() + timedelta(days=91)):
        assert await look(portal) == 2
        found = (await at_the_table(portal))[second.number]
        async with portal.begin() as db:
            await shipping.ship(db, PACKER, second.number)
        # A page that lies open still shows it, and nothing is put into a parcel that has left.
        with pytest.raises(ConflictError):
            await put(portal, found)
        assert second.number not in await at_the_table(portal)
        await look(portal)
    assert await statuses(portal) == ["declined", "lapsed"]


async def test_who_is_left_out_by_lot_is_never_shown_and_costs_nothing(portal: Portal) -> None:
    await surprises(portal, control_percent=50)
    await portal.rows(
        "INSERT INTO loyalty_member VALUES ('ana@example.com', true, now()), ('boris@example.com', false, now())"
        " RETURNING control"
    )
    [ana, boris] = await waiting(portal, *NAMES[:2])
    assert await look(portal) == 2
    assert set(await at_the_table(portal)) == {boris.number}
    assert sorted(await statuses(portal)) == ["proposed", "withheld"]
    # The lot stands, whatever share is set later.
    await surprises(portal, control_percent=0)
    with clock.at(clock.now() + timedelta(days=91)):
        await waiting(portal, "ana@example.com")
        await look(portal)
    assert sorted(await statuses(portal)) == ["proposed", "withheld", "withheld"]
    assert ana.number not in await at_the_table(portal)


async def test_the_packer_puts_it_in_and_prints_the_card(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    assert (await post(browser, f"{PAGE}/surprises", FORM)).status_code == 303
    [trial] = await waiting(portal, "ana@example.com")
    await look(portal)
    shown = words(await browser.get(TABLE))
    assert "A surprise for this parcel: a card with the customer’s name. Print the card" in shown
    found = (await at_the_table(portal))[trial.number]
    card = await browser.get(f"/station/surprises/{found.id}/card.pdf")
    assert card.headers["cache-control"] == "no-store"
    said = squeezed(f"Dear {trial.name}, <b>thank you</b>")
    assert said in squeezed(text(card.content))
    slip = f"{TABLE}/{trial.number}/slip.pdf"
    without = (await browser.get(slip)).content
    assert said not in text(without)
    for _twice in range(2):
        answer = await post(browser, f"/station/surprises/{found.id}/in", {"back": f"{TABLE}?code={trial.number}"})
        assert answer.headers["location"] == f"{TABLE}?code={trial.number}"
    shown = words(await browser.get(answer.headers["location"]))
    assert "It is in: a card" in shown
    assert "It is printed with the slip, too." in shown
    assert await statuses(portal) == ["given"]
    # Behind the slip and the label, on the same paper.
    with_card = (await browser.get(slip)).content
    assert said in text(with_card)
    assert [page.size for page in pages(with_card)] == [page.size for page in [*pages(without), pages(without)[0]]]


def test_the_longest_words_fit_on_one_card() -> None:
    words = "Dear " + "Maximilian Wolfeschlegelsteinhausen,\nЩ\nЩ\nЩ\n"
    words += ("Щедра " * MAX_CARD)[: MAX_CARD - len(words) + len("Maximilian Wolfeschlegelsteinhausen") - len("{name}")]
    card = render_card(CardContent("en", words, "Nord & Sund"))
    assert len(pages(card)) == 1
    assert squeezed(words[-20:]) in squeezed(text(card))


def fonts(pdf: bytes) -> set[str]:
    with pikepdf.open(BytesIO(pdf)) as document:
        return {str(font.BaseFont).rpartition("+")[2] for font in document.pages[0].Resources.Font.values()}


@pytest.mark.parametrize("words", ["Dear Zoë Łuczak,", "Дорогий Їжаче Ґонто!", "Уважаемый Ёжик, ещё", "Мила Яна!"])
def test_the_card_looks_as_if_written_by_hand(words: str) -> None:
    card = render_card(CardContent("en", words, "Nord & Sund"))
    assert fonts(card) == {"Portal-Hand"}
    assert squeezed(words) in squeezed(text(card))


async def test_what_is_wrong_is_told_and_the_other_form_stays(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    for field, value in (
        ("budget", "100"),
        ("cost-card", "much"),
        ("cost-card", ""),
        ("control_percent", "51"),
        ("every_days", "0"),
        ("card-en", "x" * 261),
        ("card-en", "a\nb\nc\nd\ne\nf"),
        ("card-en", "Dear {Name}, thank you"),
        ("card-en", "Dear {}"),
    ):
        refused = await post(browser, f"{PAGE}/surprises", FORM | {field: value})
        assert refused.status_code == 422, field
        assert 'name="surprises" value="yes" checked' in refused.text
        assert 'name="months" type="text" value="12"' in refused.text
        assert "aria-invalid" in refused.text
    assert "Left out by lot" in words(refused)
    await sign_in(browser, portal, "s@example.com", "support")
    assert (await post(browser, f"{PAGE}/surprises", FORM)).status_code == 403


async def test_it_is_in_the_persons_file_and_the_person_goes_out_of_it(portal: Portal) -> None:
    await surprises(portal)
    [trial] = await waiting(portal, "ana@example.com")
    await look(portal)
    async with portal.begin() as db:
        await calling_off.cancel(db, API, trial.number)
    await portal.work()
    async with portal.begin() as db:
        found = await everything_of(db, await person_of(db, "ana@example.com"), DEFAULT)
        assert [(one.kind, one.status) for one in found.surprises] == [("gift", "proposed")]
        await erase(db, SYSTEM, "ana@example.com")
    kept = await portal.rows("SELECT email_key FROM surprise UNION ALL SELECT email_key FROM loyalty_member")
    assert [row.email_key.startswith("erased:") for row in kept] == [True, True]
