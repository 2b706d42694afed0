"""Returns of gifts: the receiver gets points, and whoever gave the gift learns nothing."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.finance.credit_notes import document_name, issue
from returns_portal.finance.credit_notes_content import note_for
from returns_portal.gifts.actions import file_gift
from returns_portal.gifts.expiring import KEPT, cancel_unsent
from returns_portal.labels.queries import label_content
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.refunds.changing import change_destination, change_items
from returns_portal.refunds.queries import refunds_of_order, refunds_of_return
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import return_for, returns_of_order
from returns_portal.shop.queries import DEFAULT, current
from returns_portal.warehouse.models import Condition
from tests.claims.things import SHOE, SOCKS
from tests.gifts.people import (
    GIVER,
    PLACE,
    RECEIVER,
    SENDER,
    arrives,
    coded,
    filed,
    given,
    giver,
    receiver,
    recipients,
)
from tests.points.purse import policy
from tests.portal import API, Portal, at_once
from tests.refunds.samples import paid_by_gateway
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


async def test_the_value_becomes_the_receivers_points_and_no_money_moves(portal: Portal) -> None:
    shoes, socks = await given(portal)
    actor = await receiver(portal)
    sent = await filed(portal, actor, (shoes, 2), (socks, 1))
    await portal.receive(sent.rma, (shoes, 2, Condition.RESELLABLE), (socks, 1, Condition.RESELLABLE))
    await portal.work()
    # All units came back, and what delivery cost is nobody's: it was the giver's, who withdraws from nothing.
    assert await portal.points(RECEIVER) == {"EUR": 2 * SHOE + SOCKS}
    assert await portal.points(GIVER) == {}
    assert (await paid_by_gateway(portal, "1001"))[1] == 0
    assert await recipients(portal) == {RECEIVER}
    assert await portal.mails() == ["gift_filed", "checked_in", "refunded"]
    said = await portal.rows("SELECT values FROM email")
    assert not any("Георгиева" in str(row.values) for row in said)


async def test_points_and_transfers_that_paid_become_the_receivers_points_too(portal: Portal) -> None:
    total = 2 * SHOE + SOCKS + 490
    tenders = [
        PaymentInput(tender=Tender.POINTS, amount=10_000),
        PaymentInput(tender=Tender.EXTERNAL, amount=total - 10_000),
    ]
    shoes, _socks = await given(portal, payments=tenders)
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    await portal.receive(sent.rma, (shoes, 1, Condition.WORN))
    await portal.work()
    assert await portal.points(RECEIVER) == {"EUR": SHOE}
    assert {row.destination for row in await portal.rows("SELECT destination FROM refund")} == {"points"}


async def test_what_the_purchase_earned_stays_the_givers(portal: Portal) -> None:
    await policy(portal, points_rate=100)
    shoes, socks = await given(portal, placed_at=clock.now(), delivered_at=clock.now())
    before = await portal.points(GIVER)
    assert before["EUR"] > 0
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    await portal.receive(sent.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    assert await portal.points(GIVER) == before
    # What the giver sends back themselves takes its own share, and not the gift's.
    own = await portal.file("1001", (socks, 1))
    await portal.receive(own.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    [clawback] = await portal.rows("SELECT due FROM points_clawback")
    assert clawback.due <= SOCKS // 10 + 1


async def test_the_giver_sees_nothing_of_it(browser: Browser, portal: Portal) -> None:
    shoes, socks = await given(portal)
    actor = await receiver(portal)
    sent = await filed(portal, actor, (shoes, 2), (socks, 1))
    await portal.receive(sent.rma, (shoes, 2, Condition.RESELLABLE))
    await portal.work()
    await issue(portal.begin)
    who = await giver(portal)
    [note] = await portal.rows("SELECT year, number FROM credit_note")
    async with portal.begin() as db:
        assert await returns_of_order(db, who, UUID(who.id)) == []
        assert await refunds_of_order(db, who, UUID(who.id)) == []
        assert await refunds_of_return(db, who, sent.id) == []
        for hidden in (return_for(db, who, sent.rma), note_for(db, who, document_name(note.year, note.number))):
            with pytest.raises(NotFoundError):
                await hidden
        assert len(await refunds_of_return(db, actor, sent.id)) == 1
        with pytest.raises(NotFoundError):
            await return_for(db, await receiver(portal, "other@example.com"), sent.rma)
    await come_in(browser, portal, "1001")
    said = words(await browser.get("/orders/1001"))
    assert "This item can no longer be sent back." in said
    for word in ("Already filed", "on its way back", "Already refunded", sent.rma):
        assert word not in said
    assert sent.rma not in (await browser.get("/returns")).text
    for path in (f"/returns/{sent.rma}", f"/returns/{sent.rma}/label.pdf", f"/returns/{sent.rma}/qr"):
        assert (await browser.get(path)).status_code == 404
    assert (await post(browser, f"/returns/{sent.rma}/cancellation")).status_code == 404


async def test_the_label_comes_from_the_receiver_and_names_the_giver_nowhere(portal: Portal) -> None:
    shoes, _socks = await given(portal)
    actor = await receiver(portal)
    sent = await filed(portal, actor, (shoes, 1))
    async with portal.begin() as db:
        content = await label_content(db, actor, sent.rma, shop=await current(db), sandbox=True)
    assert (content.sender.name, content.sender.city) == ("Oma Erna", "Berlin")
    assert "Георгиева" not in repr(content)
    assert "1001" not in repr(content)


async def test_giver_and_receiver_want_the_same_unit_at_once_and_one_gets_it(portal: Portal) -> None:
    _shoes, socks = await given(portal)
    actor = await receiver(portal)
    other = await receiver(portal, "opa@example.com")
    answers = await at_once(
        portal.file("1001", (socks, 1)), filed(portal, actor, (socks, 1)), filed(portal, other, (socks, 1))
    )
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 2
    assert len(await portal.rows("SELECT id FROM returns")) == 1


async def test_what_a_receiver_announced_and_never_sent_is_free_again_for_whoever_bought_it(portal: Portal) -> None:
    shoes, socks = await given(portal)
    actor = await receiver(portal)
    idle, sent = await filed(portal, actor, (socks, 1)), await filed(portal, actor, (shoes, 1))
    scanned = "UPDATE label SET first_scan_at = now(), status = 'in_transit' WHERE return_id = :id RETURNING id"
    await portal.rows(scanned, id=sent.id)
    with clock.shifted(KEPT - timedelta(minutes=1)):
        await cancel_unsent(portal.begin)
    assert {row.status for row in await portal.rows("SELECT status FROM returns")} == {"filed"}
    with clock.shifted(KEPT + timedelta(minutes=1)):
        await cancel_unsent(portal.begin)
        await cancel_unsent(portal.begin)
    rows = await portal.rows("SELECT id, status FROM returns")
    assert {row.id: row.status for row in rows} == {idle.id: "cancelled", sent.id: "filed"}
    letters = await portal.rows("SELECT recipient FROM email WHERE template = 'return_cancelled'")
    assert [letter.recipient for letter in letters] == [RECEIVER]
    await portal.file("1001", (socks, 1))
    await portal.receive(idle.rma, (socks, 1, Condition.RESELLABLE))


async def test_what_has_not_left_the_shop_is_nobodys_gift_yet(portal: Portal) -> None:
    shoes, _socks = await given(portal, shipped_at=None, delivered_at=None)
    with pytest.raises(ConflictError):
        await filed(portal, await receiver(portal), (shoes, 1))
    await portal.file("1001", (shoes, 1))


async def test_points_are_agreed_to(portal: Portal) -> None:
    _shoes, socks = await given(portal)
    actor = await receiver(portal)
    async with portal.begin() as db:
        with pytest.raises(InvalidError):
            await file_gift(db, actor, DEFAULT, [Wanted(socks, 1)], SENDER, consent=False)
        with pytest.raises(NotFoundError):
            await file_gift(db, await giver(portal), DEFAULT, [Wanted(socks, 1)], SENDER, consent=True)
    await filed(portal, actor, (socks, 1))
    [row] = await portal.rows("SELECT refund_to, bonus_percent, points_consent_at FROM returns")
    assert (row.refund_to, row.bonus_percent) == ("points", 0)
    assert row.points_consent_at is not None


async def test_a_receiver_comes_with_number_and_postcode_and_follows_the_return(
    browser: Browser, portal: Portal
) -> None:
    shoes, _socks = await given(portal)
    assert "It was a gift to me" in words(await browser.get("/"))
    await coded(portal)
    answer = await arrives(browser, portal, number="#1001", postcode=" 14 63")
    assert answer.headers["location"] == "/gift/items"
    page = await browser.get("/gift/items")
    for secret in ("129.90", "12,990", "Георгиева", GIVER, "Kunde"):
        assert secret not in page.text
    token = value(page, "token")
    wrong = await post(browser, "/gift/items", {"token": token, "name": "Oma Erna"})
    assert wrong.status_code == 422
    assert "Choose at least one item" in words(wrong)
    assert "Please agree to points" in words(wrong)
    assert 'value="Oma Erna"' in wrong.text
    fields = {"token": token, "line": str(shoes), f"quantity-{shoes}": "2", "consent": "yes", **PLACE}
    first, second = [await post(browser, "/gift/items", fields) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    path = first.headers["location"]
    said = words(await browser.get(path))
    assert "Your label is ready" in said
    assert "259" not in said
    # What goes back is chosen on the gift's own page, and money is no way for it to go.
    assert "Add or take out items" not in said
    assert "Changed your mind?" not in said
    assert (await browser.get(f"{path}/label.pdf")).headers["content-type"] == "application/pdf"
    assert path.rpartition("/")[2] in words(await browser.get("/gift/items"))
    assert (await browser.get(f"{path}/items")).headers["location"] == path
    await portal.receive(path.rpartition("/")[2], (shoes, 2, Condition.RESELLABLE))
    await portal.work()
    assert "25,980 points to your points account" in words(await browser.get(path))
    assert "Changed your mind?" not in words(await browser.get(path))
    # Of the order itself, and of everybody else's, nothing is theirs.
    for other in ("/orders/1001", "/claims/new/1001"):
        assert (await browser.get(other)).status_code == 404


async def test_a_gift_code_is_made_once_and_leads_in(browser: Browser, portal: Portal) -> None:
    await given(portal)
    await come_in(browser, portal, "1001")
    chosen = {"line": re.findall(r'name="line" value="([^"]*)" checked', (await browser.get("/gift/codes/1001")).text)}
    assert len(chosen["line"]) == 2
    made = [words(await post(browser, "/gift/codes/1001", chosen)) for _twice in range(2)]
    assert made[0] == made[1]
    [row] = await portal.rows("SELECT code, lines FROM gift_code")
    assert row.lines is None
    assert row.code in made[0]
    browser.cookies.clear()
    assert f'value="{row.code}"' in (await browser.get(f"/gift?code={row.code}")).text
    answer = await arrives(browser, portal, code=row.code.lower().replace("-", " "))
    assert answer.headers["location"] == "/gift/items"


async def test_a_code_is_for_what_the_giver_chooses_and_opens_nothing_else(browser: Browser, portal: Portal) -> None:
    shoes, socks = await given(portal)
    await come_in(browser, portal, "1001")
    refused = await post(browser, "/gift/codes/1001")
    assert (refused.status_code, "Choose at least one item that the code is for." in words(refused)) == (422, True)
    assert await portal.rows("SELECT code FROM gift_code") == []
    await post(browser, "/gift/codes/1001", {"line": str(socks)})
    [row] = await portal.rows("SELECT code, lines FROM gift_code")
    assert row.lines == [socks]
    again = (await browser.get("/gift/codes/1001")).text
    assert re.findall(r'name="line" value="([^"]*)" checked', again) == [str(socks)]
    browser.cookies.clear()
    await arrives(browser, portal, code=row.code)
    page = await browser.get("/gift/items")
    assert re.findall(r'name="line" value="([^"]*)"', page.text) == [str(socks)]
    assert "Wool Socks" in words(page)
    sneaky = {"token": value(page, "token"), "line": str(shoes), "consent": "yes", **PLACE}
    assert (await post(browser, "/gift/items", sneaky)).status_code == 422
    actor = await receiver(portal, "other@example.com")
    with pytest.raises((ConflictError, InvalidError)):
        await filed(portal, actor, (shoes, 1))
    await filed(portal, actor, (socks, 1))


async def test_who_knows_nothing_learns_nothing(browser: Browser, portal: Portal) -> None:
    await given(portal)
    # The buyer made no gift code: number and postcode, which stand on every parcel, open nothing.
    first = await post(browser, "/gift", {"email": RECEIVER, "number": "1001", "postcode": "1463"})
    assert first.headers["location"] == "/gift/code"
    await coded(portal)
    for clue in ({"number": "1001", "postcode": "9999"}, {"number": "7", "postcode": "1463"}, {"code": "G-0000-0000"}):
        answer = await post(browser, "/gift", {"email": RECEIVER, **clue})
        if answer.status_code == 303:
            assert (await post(browser, "/gift/code", {"code": "123456"})).status_code == 422
    assert await recipients(portal) == set()
    empty = await post(browser, "/gift", {"email": "nobody"})
    assert (empty.status_code, "Please give your e-mail address." in words(empty)) == (422, True)
    browser.cookies.clear()
    assert (await browser.get("/gift/items")).headers["location"] == "/gift"
    assert (await browser.get("/gift/code")).headers["location"] == "/gift"


async def test_a_gifts_return_becomes_no_money(portal: Portal) -> None:
    shoes, socks = await given(portal)
    actor = await receiver(portal)
    sent = await filed(portal, actor, (shoes, 1))
    for who in (actor, API):
        with pytest.raises(ConflictError) as caught:
            async with portal.begin() as db:
                await change_items(db, who, DEFAULT, sent.rma, [Wanted(socks, 1)])
        assert caught.value.code == "not_changeable"
        with pytest.raises(ConflictError) as caught:
            async with portal.begin() as db:
                await change_destination(db, who, sent.rma, RefundTo.ORIGINAL, agreed=True)
        assert caught.value.code == "not_changeable"
