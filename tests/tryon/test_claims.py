"""Claims against carriers: opened by what customers report, worked on by staff, told in full."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.actor import Actor
from returns_portal.errors import ForbiddenError
from returns_portal.finance.claims import claims
from returns_portal.tryon import deciding
from returns_portal.tryon.models import Decision
from returns_portal.tryon.queries import TrialView
from tests.portal import API, FINANCE, Portal, at_once
from tests.returns.visits import come_in, post, sign_in, words
from tests.tryon.money import running
from tests.tryon.samples import PRICE, boots, decided, delivered, place, seen, shipped
from tests.tryon.test_web_trial import picture, report
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LIST = "/finance/claims"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def reported(portal: Portal, trial: TrialView, kind: str, at: int = 0) -> None:
    """The customer says what is wrong with an item."""
    item = trial.items[at].id
    async with portal.begin() as db:
        await deciding.decide(db, API, trial.number, {item: Decision.PROBLEM}, {item: (kind, "Wet through")})


async def known(portal: Portal) -> list[tuple[str, str]]:
    """The claims: what for, and where they stand."""
    return [(row.kind, row.status) for row in await portal.rows("SELECT kind, status FROM carrier_claim ORDER BY id")]


async def test_what_is_damaged_or_missing_opens_a_claim_once(portal: Portal) -> None:
    trial = await running(portal)
    await at_once(*(reported(portal, trial, "damaged") for _ in range(4)))
    await reported(portal, trial, "missing", at=1)
    await reported(portal, trial, "wrong", at=2)
    assert await known(portal) == [("damaged", "open"), ("missing", "open")]


async def test_a_claim_follows_what_the_customer_says_until_the_carrier_was_asked(portal: Portal) -> None:
    trial = await running(portal)
    await reported(portal, trial, "damaged")
    await reported(portal, trial, "missing")
    assert await known(portal) == [("missing", "open")]
    await decided(portal, trial, Decision.KEEP)
    assert await known(portal) == [("missing", "dropped")]
    await reported(portal, trial, "damaged")
    assert await known(portal) == [("damaged", "open")]
    actions = await portal.rows("SELECT action FROM history WHERE subject = 'carrier_claim' ORDER BY at, id")
    assert [row.action for row in actions] == ["open", "open", "dropped", "open"]


async def test_a_claim_is_worked_on_from_the_list_to_what_was_paid(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    await shipped(portal, trial, tracking="1051602736482")
    await delivered(portal, trial)
    trial = await seen(portal, trial)
    await come_in(browser, portal, trial.number)
    await report(browser, trial, photo=picture(), kind="damaged", note="The sole is off")
    await sign_in(browser, portal, "s@shop.example", "support")
    said = words(await browser.get(LIST))
    assert "damaged: Chelsea boot, 40" in said
    assert "to be claimed Econt 1051602736482 1 €189.00" in said
    [row] = await portal.rows("SELECT id, amount FROM carrier_claim")
    assert row.amount == PRICE
    path = f"{LIST}/{row.id}"
    page = await browser.get(path)
    assert "The sole is off" in words(page)
    assert "Send the carrier the photos" in words(page)
    assert f"/trials/{trial.number}/photos/" in page.text
    typed = {"status": "claimed", "amount": "189.00", "reference": "EC-771", "notes": "By e-mail"}
    for _twice in range(2):
        assert (await post(browser, path, typed)).status_code == 303
    wrong = await post(browser, path, typed | {"status": "paid", "amount": "a lot", "notes": "They pay"})
    assert wrong.status_code == 422
    assert "Give an amount in EUR" in words(wrong)
    assert "They pay" in wrong.text
    assert "Say how much the carrier paid." in words(
        await post(browser, path, typed | {"status": "paid", "amount": "0"})
    )
    await post(browser, path, typed | {"status": "paid", "amount": "150"})
    said = words(await browser.get(path))
    assert "EC-771" in said
    assert "€150.00" in said
    assert words(await browser.get(f"{LIST}?status=open")).count("Chelsea") == 0
    told = await portal.rows("SELECT action FROM history WHERE subject = 'carrier_claim' ORDER BY at, id")
    assert [row.action for row in told] == ["open", "claimed", "paid"]
    late = await post(browser, path, typed | {"status": "open"})
    assert late.status_code == 422
    assert "The claim stands elsewhere by now." in words(late)
    # What the carrier was asked for is not dropped because the customer changes their mind.
    await decided(portal, trial, Decision.KEEP)
    assert await known(portal) == [("damaged", "paid")]


async def test_the_file_has_what_a_carrier_asks_for_and_no_formulas(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    item = trial.items[0].id
    async with portal.begin() as db:
        await deciding.decide(db, API, trial.number, {item: Decision.PROBLEM}, {item: ("damaged", "=cmd()")})
    await sign_in(browser, portal, "f@shop.example", "finance")
    answer = await browser.get("/finance/claims.csv?status=open")
    head, line = answer.text.splitlines()
    assert answer.headers["content-type"].startswith("text/csv")
    assert head.startswith("claim_id,status,kind,trial")
    assert f"open,damaged,{trial.number},,boot-40,Chelsea boot,40,Black,Econt,,EUR,189.00,,'=cmd()" in line
    assert len((await browser.get("/finance/claims.csv?status=paid")).text.splitlines()) == 1


async def test_a_claim_for_a_parcel_on_its_way_back_is_opened_by_hand_once(browser: Browser, portal: Portal) -> None:
    trial = await seen(portal, await running(portal))
    await sign_in(browser, portal, "s@shop.example", "support")
    wrong = await post(browser, LIST, {"rma": "R-0000-0000", "kind": "damaged"})
    assert wrong.status_code == 422
    assert "There is no such return." in words(wrong)
    paths = {(await post(browser, LIST, {"rma": trial.rma, "kind": "missing"})).headers["location"] for _ in range(2)}
    assert len(paths) == 1
    assert str(trial.rma) in words(await browser.get(paths.pop()))
    assert await known(portal) == [("missing", "open")]


async def test_an_empty_list_and_who_may_read_it(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    assert (await browser.get(LIST)).status_code == 403
    await sign_in(browser, portal, "s@shop.example", "support")
    assert "There is no such claim" in words(await browser.get(LIST))
    assert (await browser.get(f"{LIST}/01890000-0000-7000-8000-000000000000")).status_code == 404
    assert (await browser.get(f"{LIST}?after=x")).status_code == 422
    async with portal.begin() as db:
        assert await claims(db, FINANCE) == []
        with pytest.raises(ForbiddenError):
            await claims(db, Actor(kind="staff", id="w", grants=frozenset({"warehouse"})))
