"""How products are cut, measured: against a second count, told to customers, silenced by the shop."""

import csv
import io
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.models import Variant
from returns_portal.db import Begin, run
from returns_portal.errors import ForbiddenError, NotFoundError
from returns_portal.exchanges.models import Exchange
from returns_portal.ids import new_id, new_rma
from returns_portal.insights.evidence import comparable, heard
from returns_portal.insights.fit import Evidence, Verdict, judged
from returns_portal.insights.fitting import Fit, fit_for, fits, measure_all, silence, told
from returns_portal.jobs import registry
from returns_portal.orders.models import Order, OrderLine
from returns_portal.returns.models import Return, ReturnLine
from tests.insights.fit_oracle import second_count
from tests.insights.test_pages import hrefs, sign_in
from tests.insights.year import SIZES, START, Year
from tests.portal import at_once
from tests.returns.visits import words
from tests.webclient import Browser, send

pytestmark = pytest.mark.anyio

NOW = START + timedelta(days=366)
STEFAN = Actor(kind="staff", id="stefan", grants=frozenset({"support"}))


async def test_the_evidence_is_that_of_a_second_count(begin: Begin) -> None:
    year = Year(400, seed=4)
    since, until = START + timedelta(days=40), START + timedelta(days=300)
    async with begin() as db:
        await year.write(db)
        found = await heard(db, since, until)
    expected = second_count(year, since, until)
    assert {product: {None: one.whole, **one.sizes} for product, one in found.items()} == expected
    assert sum(one.whole.small for one in found.values()) > 10
    assert all(one.ordered for one in found.values())


def boots_that_run_small() -> Year:
    """Boot 0 is bought by sixty, of whom fourteen exchange it or say why; of boot 1 nobody says anything."""
    year = Year(0, products=3)
    for number in range(60):
        for boot in (0, 1):
            line, back = bought(year, number, boot), None
            if boot == 0 and number < 15:
                back = came_back(year, line, reason="too small" if number < 12 else "too large" if number == 14 else "")
            if back and number in {12, 13}:
                _exchanged(year, back, line)
    return year


def bought(year: Year, number: int, boot: int, size: str = "40") -> Any:  # noqa: ANN401 - a row
    order: dict[str, Any] = {
        "id": new_id(), "number": f"F{boot}-{number}", "email": f"f{number}@example.com",
        "email_key": f"f{number}@example.com", "name": "Ana", "phone": "", "locale": "en", "currency": "EUR",
        "placed_at": NOW - timedelta(days=60), "financial_status": "paid", "fulfillment_status": "fulfilled",
        "address": {}, "tax_included": True, "total": 0, "order_discount": 0, "shipping_price": 0,
        "shipping_discount": 0, "shipping_tax": 0, "shipping_paid": 0, "shipping_refundable": 0, "source": "api",
        "fingerprint": b"", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    year._add(Order(**order))
    line = OrderLine(
        id=new_id(), order_id=order["id"], position=0, sku=f"B{boot}-{size}-Black", title="Boot", size=size,
        color="Black", quantity=1, shipped=1, unit_price=0, discount=0, tax=0, unit_discount=[0], unit_tax=[0],
        unit_paid=[0],
    )  # fmt: skip
    return year._add(line)


def came_back(year: Year, line: Any, reason: str) -> Any:  # noqa: ANN401 - rows
    back = Return(
        id=new_id(), rma=new_rma(), order_id=line.order_id, status="filed", refund_to="original", bonus_percent=0,
        refund_deadline=NOW, filed_by="customer", created_at=NOW - timedelta(days=40),
    )  # fmt: skip
    year._add(ReturnLine(id=new_id(), return_id=back.id, order_line_id=line.id, quantity=1, reason=reason))
    return year._add(back)


def _exchanged(year: Year, back: Any, line: Any) -> None:  # noqa: ANN401 - rows
    before = list(year.rows.get(Exchange, ()))
    year.exchange(back, line)
    [larger] = [row for row in year.rows[Variant] if row["sku"] == "B0-41-Black"]
    year.rows[Exchange] = [*before, year.rows[Exchange][-1] | {"variant_id": larger["id"], "sku": larger["sku"]}]


async def measured(begin: Begin, year: Year) -> list[Fit]:
    async with begin() as db:
        await year.write(db)
    with clock.at(NOW):
        await measure_all(begin)
    async with begin() as db:
        return await fits(db, STEFAN)


async def test_what_is_sure_is_told_with_its_numbers(begin: Begin) -> None:
    found = await measured(begin, boots_that_run_small())
    boot, other = found
    assert (boot.handle, boot.verdict, boot.evidence) == ("boot-0", Verdict.SMALL, Evidence(60, 14, 1))
    assert boot.chance == judged([boot.evidence, other.evidence])[0].chance < 0.01
    assert [(size.size, size.small, size.verdict) for size in boot.sizes] == [("40", 14, Verdict.SMALL)]
    assert (other.verdict, other.evidence) == (Verdict.AS_EXPECTED, Evidence(60, 0, 0))
    with clock.at(NOW + timedelta(days=6)):
        async with begin() as db:
            said = await told(db, ["B0-38-Ecru", "B1-38-Ecru", "unknown"])
            assert said == {"B0-38-Ecru": "Runs small: 14 of 60 buyers said so. Take a size larger."}
    with clock.at(NOW + timedelta(days=8)):
        async with begin() as db:
            assert await told(db, ["B0-38-Ecru"]) == {}
            fit, voices = await fit_for(db, STEFAN, "boot-0")
    assert fit == boot
    assert sorted(voice.wanted for voice in voices if voice.wanted) == ["41", "41"]
    assert [voice.small for voice in voices].count(True) == 14


async def test_a_silenced_product_stays_silent_until_the_shop_says_otherwise(begin: Begin) -> None:
    await measured(begin, boots_that_run_small())
    with clock.at(NOW):
        async with begin() as db:
            await silence(db, STEFAN, "boot-0", silent=True)
            await silence(db, STEFAN, "boot-0", silent=True)
            assert await told(db, ["B0-38-Ecru"]) == {}
        await measure_all(begin)
        async with begin() as db:
            assert [fit.silenced_at for fit in await fits(db, STEFAN) if fit.handle == "boot-0"] == [NOW]
            assert await told(db, ["B0-38-Ecru"]) == {}
    with clock.at(NOW + timedelta(days=400)):
        await measure_all(begin)
        async with begin() as db:
            [forgotten] = await fits(db, STEFAN)
            assert (forgotten.verdict, forgotten.buyers, forgotten.silenced_at) == (Verdict.UNKNOWN, 0, NOW)
    with clock.at(NOW):
        await measure_all(begin)
        async with begin() as db:
            await silence(db, STEFAN, "boot-0", silent=False)
            assert await told(db, ["B0-38-Ecru"])
            rows = await run(db, "SELECT action FROM history WHERE subject = 'product' ORDER BY id")
    assert [row.action for row in rows] == ["fit_silenced", "fit_told"]


async def test_who_silences_while_it_is_measured_is_heard(begin: Begin) -> None:
    await measured(begin, boots_that_run_small())

    async def silent(wanted: bool) -> None:
        async with begin() as db:
            await silence(db, STEFAN, "boot-0", silent=wanted)

    with clock.at(NOW):
        for round_ in range(6):
            wanted = round_ % 2 == 0
            assert await at_once(measure_all(begin), silent(wanted), measure_all(begin)) == [2, None, 2]
            async with begin() as db:
                assert bool(await told(db, ["B0-38-Ecru"])) is not wanted


async def test_sizes_without_an_order_have_no_verdict(begin: Begin) -> None:
    year = boots_that_run_small()
    names = dict(zip(SIZES, ("Anna", "Berta", "Clara", "Dora", "Emma", "Frieda"), strict=True))
    for row in year.rows[Variant]:
        row["size"] = names[row["size"]]
    boot = next(fit for fit in await measured(begin, year) if fit.handle == "boot-0")
    assert (boot.ordered, boot.verdict, boot.evidence) == (False, Verdict.UNKNOWN, Evidence(60, 0, 0))


def test_which_sizes_can_be_compared() -> None:
    assert comparable(["S", "M", "XXL"])
    assert comparable(["41", "42 1/2"])
    assert comparable(["W30 L32", "W32 L32", "W30 L34", "W32 L34"])
    assert not comparable(["W30 L32", "W32 L34"])
    assert not comparable(["S", "42"])
    assert not comparable(["42"])
    assert not comparable([])


async def test_who_may_look_and_who_may_silence(begin: Begin) -> None:
    await measured(begin, boots_that_run_small())
    finance = Actor(kind="staff", id="mira", grants=frozenset({"finance"}))
    dock = Actor(kind="staff", id="irina", grants=frozenset({"warehouse"}))
    async with begin() as db:
        assert len(await fits(db, finance)) == 2
        with pytest.raises(ForbiddenError):
            await fits(db, dock)
        with pytest.raises(ForbiddenError):
            await fit_for(db, dock, "boot-0")
        with pytest.raises(ForbiddenError):
            await silence(db, finance, "boot-0", silent=True)
        with pytest.raises(NotFoundError):
            await fit_for(db, finance, "boot-2")


async def test_the_pages_show_it_and_lead_to_who_said_so(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, begin, "support")
    assert "Nothing was measured yet" in words(await browser.get("/insights/fit"))
    await measured(begin, boots_that_run_small())
    page = await browser.get("/insights/fit")
    assert "Boot 0 runs small very sure: by chance in" in words(page)
    assert "runs small, 14 of 60" in page.text
    assert "/insights/fit/boot-0" in hrefs(page)
    shown = await browser.get("/insights/fit/boot-0")
    said = words(shown)
    assert "14 found it too small, 1 too large" in said
    assert "Customers read: “Runs small: 14 of 60 buyers said so. Take a size larger.”" in said
    assert "exchanged for 41" in said
    for href in hrefs(shown):
        if href.startswith(("/returns/", "/insights/product/rows")):
            assert (await browser.get(href)).status_code == 200
            break
    assert (await browser.get("/insights/fit/nothing")).status_code == 404
    assert "/insights/fit/boot-0/said.csv" in hrefs(shown)
    voices = list(csv.DictReader(io.StringIO((await browser.get("/insights/fit/boot-0/said.csv")).text)))
    assert Counter((row["size"], row["says"], row["reason"], row["wanted"]) for row in voices) == {
        ("40", "small", "too small", ""): 12, ("40", "small", "", "41"): 2, ("40", "large", "too large", ""): 1,
    }  # fmt: skip
    assert (await browser.get("/insights/fit/nothing/said.csv")).status_code == 404
    rows = list(csv.DictReader(io.StringIO((await browser.get("/insights/fit.csv")).text)))
    assert [(row["handle"], row["size"], row["verdict"], row["too_small"]) for row in rows[:2]] == [
        ("boot-0", "", "small", "14"),
        ("boot-0", "40", "small", "14"),
    ]


async def test_customers_read_it_until_it_is_silenced(browser: Browser, begin: Begin) -> None:
    await measured(begin, boots_that_run_small())
    told_to_all = "Runs small: 14 of 60 buyers said so. Take a size larger."
    assert told_to_all in words(await browser.get("/shop/boot-0"))
    assert "Runs" not in words(await browser.get("/shop/boot-1"))
    await sign_in(browser, begin, "support")
    await send(browser, "/insights/fit/boot-0/silence", {"silent": "yes"}, seen="/insights/fit/boot-0")
    assert "Customers are told nothing of it" in words(await browser.get("/insights/fit/boot-0"))
    assert told_to_all not in words(await browser.get("/shop/boot-0"))
    await send(browser, "/insights/fit/boot-0/silence", {"silent": "no"}, seen="/insights/fit/boot-0")
    assert told_to_all in words(await browser.get("/shop/boot-0"))


def test_it_is_measured_every_night() -> None:
    assert registry["insights.measure_fit"].cron == "10 3 * * *"
