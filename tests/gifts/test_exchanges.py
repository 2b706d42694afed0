"""A gift in another size: the receiver pays nothing and reads no price, and whoever gave it learns nothing."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.exchanges import ending
from returns_portal.exchanges.models import EndReason, ExchangeStatus
from returns_portal.exchanges.pages.slip import slip_of
from returns_portal.exchanges.queries import ExchangeView, exchange_for
from returns_portal.gifts.actions import order_behind
from returns_portal.notifications.rendering import render_email
from returns_portal.orders.exchanges import TRAVELS
from returns_portal.orders.queries import order_for
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.people import person_of
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Filed, Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import view_link
from tests.exchanges.samples import BOOT, a_boot, sent, shelf, stock_of
from tests.gifts.people import GIVER, PLACE, RECEIVER, arrives, coded, filed, giver, receiver, recipients
from tests.portal import API, Portal, at_once
from tests.refunds.samples import DAMAGED, LIKE_NEW, paid_by_gateway
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser

pytestmark = pytest.mark.anyio

S = ExchangeStatus


async def boots(portal: Portal, *, stock: int = 1, **changes: Any) -> UUID:  # noqa: ANN401 - the fields of a line
    """Boots in 42 that were given away; those in 41 and 43 are on the shelf."""
    await shelf(portal, stock=stock)
    delivered = clock.now() - timedelta(days=3)
    _order, [line] = await portal.order(lines=[a_boot(**changes)], delivered_at=delivered)
    await portal.work()
    return line


async def exchanges(portal: Portal) -> list[ExchangeView]:
    async with portal.begin() as db:
        rows = await portal.rows("SELECT number FROM exchange ORDER BY id")
        return [await exchange_for(db, API, row.number) for row in rows]


async def back(portal: Portal, made: Filed, line: UUID, condition: Any = LIKE_NEW) -> None:  # noqa: ANN401 - a condition
    await portal.receive(made.rma, (line, 1, condition))
    await portal.work()


async def test_a_receiver_chooses_another_size_and_reads_no_price(browser: Browser, portal: Portal) -> None:
    line = await boots(portal)
    await arrives(browser, portal, code=await coded(portal))
    page = await browser.get("/gift/items")
    assert re.findall(r'<option value="([^"]*)"', page.text.split("For it I would like")[1].split("</select>")[0]) == [
        "",
        "points:",
        "boot-41",
        "boot-43",
    ]
    fields = {"token": value(page, "token"), "line": str(line), f"swap-{line}": "boot-43", "consent": "yes", **PLACE}
    open_ = await post(browser, "/gift/items", {**fields, f"swap-{line}": ""})
    assert (open_.status_code, "Choose for each item that goes back" in words(open_)) == (422, True)
    wrong = await post(browser, "/gift/items", {**fields, "consent": ""})
    assert 'value="boot-43" selected' in wrong.text
    path = (await post(browser, "/gift/items", fields)).headers["location"]
    assert await stock_of(portal, "boot-43") == 0
    [exchange] = await exchanges(portal)
    assert "What you get in exchange" in words(await browser.get(path))
    said = await browser.get(f"/exchanges/{exchange.number}")
    assert "It is set aside for you" in words(said)
    assert "I would rather have the points" in words(said)
    for shown in (page, await browser.get(path), said):
        for secret in ("159", "1001", GIVER, "Георгиева"):
            assert secret not in words(shown), secret
    made = Filed(UUID(int=0), path.rpartition("/")[2], "filed", clock.now())  # type: ignore[arg-type]  # the number alone
    await back(portal, made, line)
    assert "We are packing it" in words(await browser.get(f"/exchanges/{exchange.number}"))
    [exchange] = await exchanges(portal)
    shipped = await sent(portal, exchange)
    assert (shipped.status, shipped.name, shipped.address["line1"]) == (S.SENT, "Oma Erna", "Hauptstraße 1")
    assert await portal.points(RECEIVER) == {}
    assert (await paid_by_gateway(portal, "1001"))[1] == 0
    assert await recipients(portal) == {RECEIVER}


async def test_points_are_as_good_where_another_size_is_offered(browser: Browser, portal: Portal) -> None:
    line = await boots(portal)
    await arrives(browser, portal, code=await coded(portal))
    token = value(await browser.get("/gift/items"), "token")
    fields = {"token": token, "line": str(line), f"swap-{line}": "points:", "consent": "yes", **PLACE}
    await post(browser, "/gift/items", fields)
    assert (len(await portal.rows("SELECT id FROM returns")), await exchanges(portal)) == (1, [])
    assert await stock_of(portal, "boot-43") == 1


async def test_the_letters_and_the_slip_of_an_exchange_tell_neither_price_nor_order(portal: Portal) -> None:
    line = await boots(portal)
    made = await filed(portal, await receiver(portal), (line, 1), swaps={line: "boot-43"})
    await back(portal, made, line)
    await sent(portal, (await exchanges(portal))[0])
    letters = await portal.rows("SELECT template, locale, values FROM email ORDER BY created_at, id")
    assert [letter.template for letter in letters] == ["gift_filed", "checked_in", "exchange_sent"]
    for letter in letters:
        mail = render_email(letter.template, letter.locale, letter.values, DEFAULT, portal.settings)
        for text in (mail.subject, mail.text, mail.html):
            assert not re.search(r"\b1001\b|159|Георгиева", re.sub(r'="[^"]*"|http\S+', "", text)), letter.template
    [exchange] = await exchanges(portal)
    slip = slip_of(exchange, DEFAULT, portal.settings)
    assert ("159" not in repr(slip), slip.name) == (True, "Oma Erna")


async def test_the_link_of_the_letter_shows_the_exchange(browser: Browser, portal: Portal) -> None:
    line = await boots(portal)
    await filed(portal, await receiver(portal), (line, 1), swaps={line: "boot-43"})
    [exchange] = await exchanges(portal)
    path = f"/exchanges/{exchange.number}"
    await browser.get(view_link(portal.settings, path).removeprefix(portal.settings.public_url))
    assert "It is set aside for you" in words(await browser.get(path))
    assert "Is it you?" in words(await post(browser, f"{path}/cancellation"))


async def test_whoever_gave_it_sees_the_order_as_it_was(browser: Browser, portal: Portal) -> None:
    line = await boots(portal)
    made = await filed(portal, await receiver(portal), (line, 1), swaps={line: "boot-43"})
    await back(portal, made, line)
    await sent(portal, (await exchanges(portal))[0])
    await come_in(browser, portal, "1001")
    said = words(await browser.get("/orders/1001"))
    assert "This item can no longer be sent back." in said
    assert "€159.00" in said
    for secret in ("43", "exchange", made.rma, "on its way back"):
        assert secret not in said, secret
    assert "43" not in words(await browser.get("/claims/new/1001")).replace("1463", "")
    [exchange] = await exchanges(portal)
    assert (await browser.get(f"/exchanges/{exchange.number}")).status_code == 404
    async with portal.begin() as db:
        order = await order_state(db, await giver(portal), "1001")
        mine = await everything_of(db, await person_of(db, GIVER), DEFAULT)
        theirs = await everything_of(db, await person_of(db, RECEIVER), DEFAULT)
        assert [each.sku for each in (await order_for(db, API, "1001")).lines] == ["boot-42"]
    assert [(each.sku, each.unit_paid) for each in order.lines] == [("boot-42", [BOOT])]
    assert order.delivered_at is not None
    assert order.delivered_at < clock.now()
    assert ([each.sku for each in mine.orders[0].lines], mine.orders[0].lines[0].paid) == (["boot-42"], BOOT)
    assert mine.orders[0].returns == []
    assert [(each.sku, each.price) for each in theirs.gifts[0].returns[0].exchanges] == [("boot-43", None)]


async def test_what_fits_no_better_goes_back_for_points_by_its_receiver_alone(portal: Portal) -> None:
    line = await boots(portal)
    actor = await receiver(portal)
    made = await filed(portal, actor, (line, 1), swaps={line: "boot-43"})
    await back(portal, made, line)
    await sent(portal, (await exchanges(portal))[0])
    async with portal.begin() as db:
        [_boots, other] = (await order_behind(db, actor)).lines
        stranger = await order_behind(db, await receiver(portal, "other@example.com"))
        assert (other.sku, [each.sku for each in stranger.lines]) == ("boot-43", ["boot-42"])
        support = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
        with pytest.raises(ConflictError) as refused:
            await file(db, support, portal.settings, DEFAULT, "1001", [Wanted(other.line_id, 1)], RefundTo.ORIGINAL)
        assert refused.value.code == "of_gift"
    # It came later than the order did, and so its time begins when it came.
    with clock.shifted(TRAVELS + timedelta(days=13)):
        again = await filed(portal, actor, (other.line_id, 1))
    await back(portal, again, other.line_id)
    assert await portal.points(RECEIVER) == {"EUR": BOOT}
    assert (await paid_by_gateway(portal, "1001"))[1] == 0


async def test_what_another_costs_less_becomes_points_and_what_costs_more_is_not_offered(portal: Portal) -> None:
    line = await boots(portal)
    await portal.rows("UPDATE variant SET price = price - 1000 WHERE sku = 'boot-41' RETURNING id")
    await portal.rows("UPDATE variant SET price = price + 1000 WHERE sku = 'boot-43' RETURNING id")
    actor = await receiver(portal)
    for dear in ("boot-43", "coat-M", "sandal-42"):
        with pytest.raises(ConflictError) as refused:
            await filed(portal, actor, (line, 1), swaps={line: dear})
        assert refused.value.code == "not_offered"
    assert await portal.rows("SELECT id FROM returns") == []
    made = await filed(portal, actor, (line, 1), swaps={line: "boot-41"})
    await back(portal, made, line)
    assert await portal.points(RECEIVER) == {"EUR": 1000}
    await sent(portal, (await exchanges(portal))[0])
    assert await recipients(portal) == {RECEIVER}


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_exchange_that_is_called_off_becomes_points(browser: Browser, portal: Portal, arrived: bool) -> None:
    line = await boots(portal)
    await arrives(browser, portal, code=await coded(portal))
    page = await browser.get("/gift/items")
    fields = {"token": value(page, "token"), "line": str(line), f"swap-{line}": "boot-43", "consent": "yes", **PLACE}
    rma = (await post(browser, "/gift/items", fields)).headers["location"].rpartition("/")[2]
    [exchange] = await exchanges(portal)
    if arrived:
        await portal.receive(rma, (line, 1, LIKE_NEW))
        await portal.work()
    over = await post(browser, f"/exchanges/{exchange.number}/cancellation")
    assert "For what comes back to us you get points." in words(await browser.get(over.headers["location"]))
    if not arrived:
        await portal.receive(rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await portal.points(RECEIVER) == {"EUR": BOOT}
    assert await portal.points(GIVER) == {}
    assert (await paid_by_gateway(portal, "1001"))[1] == 0
    assert await stock_of(portal, "boot-43") == 1
    assert {row.recipient for row in await portal.rows("SELECT recipient FROM email")} == {RECEIVER}


async def test_a_piece_that_is_missing_and_goods_that_are_not_accepted_leave_points_or_a_decision(
    portal: Portal,
) -> None:
    line = await boots(portal, quantity=2, stock=2)
    actor = await receiver(portal)
    missing = await filed(portal, actor, (line, 1), swaps={line: "boot-43"})
    await back(portal, missing, line)
    [exchange] = await exchanges(portal)
    async with portal.begin() as db:
        await ending.call_off(db, API, exchange.number, EndReason.SOLD_OUT)
    await portal.work()
    assert await portal.points(RECEIVER) == {"EUR": BOOT}
    broke = await filed(portal, actor, (line, 1), swaps={line: "boot-41"})
    await back(portal, broke, line, DAMAGED)
    assert (await exchanges(portal))[1].status == S.AWAITING_GOODS
    await portal.rows("UPDATE parcel_item SET acceptance = 'sent_back' WHERE acceptance = 'waiting' RETURNING id")
    assert await recipients(portal) == {RECEIVER}


async def test_two_receivers_want_the_last_pair_at_once_and_one_gets_it(portal: Portal) -> None:
    line = await boots(portal, quantity=2)
    one, other = await receiver(portal), await receiver(portal, "other@example.com")
    answers = await at_once(
        filed(portal, one, (line, 1), swaps={line: "boot-43"}), filed(portal, other, (line, 1), swaps={line: "boot-43"})
    )
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
    assert (await stock_of(portal, "boot-43"), len(await portal.rows("SELECT id FROM returns"))) == (0, 1)
