"""What was claimed and what was given, among what is kept of people: whose it is, and what is forgotten of it."""

import msgspec
import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.claims.actions import file_claim
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.replacements import life
from returns_portal.claims.rules import ClaimWish
from returns_portal.db import run
from returns_portal.gifts.actions import Sender, file_gift
from returns_portal.ids import new_id
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import StillOpenError, erase
from returns_portal.privacy.people import person_of
from returns_portal.returns.actions import Filed, Wanted
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.claims.things import SUPPORT, claim, decided, delivered
from tests.portal import Portal
from tests.privacy.lives import ADDRESS, EMAIL, NAME, PHONE, STREET, leave_traces, traces

pytestmark = pytest.mark.anyio

GIVER = "Kunde@Example.com"
_GIFT = """
    INSERT INTO gift SELECT CAST(:id AS uuid), id, CAST(:email AS text), lower(CAST(:email AS text)), 'en', '', '{}',
        now() FROM orders WHERE number = '1001'
"""


async def forget(portal: Portal, email: str = EMAIL) -> None:
    async with portal.begin() as db:
        await erase(db, SYSTEM, email)


async def exported(portal: Portal, email: str) -> str:
    async with portal.begin() as db:
        return msgspec.json.encode(await everything_of(db, await person_of(db, email), DEFAULT)).decode()


async def sent_back(portal: Portal) -> Filed:
    """Somebody got something of another's order, and sends a part of it back."""
    shoes, _socks = await delivered(portal)
    gift_id = new_id()
    async with portal.begin() as db:
        await run(db, _GIFT, id=gift_id, email=EMAIL)
        actor = Actor(kind="customer", id=str(gift_id), gift_id=gift_id)
        sender = Sender(NAME, STREET, "Plovdivgrad", "4999", "BG")
        sent = await file_gift(db, actor, DEFAULT, [Wanted(shoes, 1)], sender, consent=True)
    await portal.receive(sent.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    return sent


async def test_of_a_claim_the_persons_words_and_photos_go_once_it_is_settled(portal: Portal) -> None:
    shoes, _socks = await delivered(portal, email=EMAIL, name=NAME, phone=PHONE, shipping_address=ADDRESS)
    async with portal.begin() as db:
        wish = ClaimWish(units={shoes: 1}, kind=Kind.FAULTY, remedy=Remedy.REFUND, said=f"{NAME}: the sole is off")
        claim_id = await file_claim(db, SUPPORT, DEFAULT, "1001", wish, [])
    with pytest.raises(StillOpenError) as caught:
        await forget(portal)
    assert [one.what for one in caught.value.found] == ["claim"]
    await decided(portal, claim_id, "refusal", answer=f"Dear {NAME}, it was worn")
    [claim] = msgspec.json.decode(await exported(portal, EMAIL))["orders"][0]["claims"]
    assert (claim["kind"], claim["status"], claim["said"]) == ("faulty", "refused", f"{NAME}: the sole is off")
    assert claim["answer"] == f"Dear {NAME}, it was worn"
    assert claim["photos"] == 0
    await portal.rows(
        """INSERT INTO item_claim_photo (id, claim_id, width, height, data, created_at)
           VALUES (gen_random_uuid(), :id, 1, 1, CAST('x' AS bytea), :now) RETURNING id""",
        id=claim_id,
        now=clock.now(),
    )
    await portal.work()
    assert "item_claim" in await traces(portal)
    await forget(portal)
    assert await traces(portal) == {}
    assert await portal.rows("SELECT id FROM item_claim_photo") == []


async def test_what_is_sent_anew_is_in_their_files_and_nobody_is_forgotten_who_waits_for_it(portal: Portal) -> None:
    shoes, _socks = await delivered(portal, email=EMAIL, name=NAME, phone=PHONE, shipping_address=ADDRESS)
    claim_id = await claim(portal, {shoes: 1})
    await decided(portal, claim_id, "replacement")
    [row] = await portal.rows("SELECT number FROM replacement")
    with pytest.raises(StillOpenError) as caught:
        await forget(portal)
    assert [(one.what, one.number) for one in caught.value.found] == [("replacement", row.number)]
    async with portal.begin() as db:
        await life.call_off(db, SUPPORT, row.number, missing=shoes)
    with pytest.raises(StillOpenError) as caught:
        await forget(portal)
    assert [one.what for one in caught.value.found] == ["claim"]
    await decided(portal, claim_id, "replacement")
    [_first, second] = await portal.rows("SELECT number FROM replacement ORDER BY id")
    async with portal.begin() as db:
        await life.send(db, SUPPORT, second.number, carrier=f"Courier of {NAME}", tracking="105")
    [told] = msgspec.json.decode(await exported(portal, EMAIL))["orders"][0]["claims"]
    assert [(anew["number"], anew["status"], anew["end_reason"]) for anew in told["sent_anew"]] == [
        (row.number, "ended", "missing"),
        (second.number, "sent", None),
    ]
    assert told["sent_anew"][1]["items"] == [told["items"][0]]
    await portal.work()
    await forget(portal)
    assert await traces(portal) == {}
    [kept] = await portal.rows("SELECT tracking FROM replacement WHERE status = 'sent'")
    assert kept.tracking == "105"


async def test_the_receiver_of_a_gift_is_forgotten_and_whoever_gave_it_is_not(portal: Portal) -> None:
    sent = await sent_back(portal)
    files = await exported(portal, EMAIL)
    [gift] = msgspec.json.decode(files)["gifts"]
    assert (gift["name"], [back["number"] for back in gift["returns"]]) == (NAME, [sent.rma])
    assert [refund["destination"] for refund in gift["refunds"]] == ["points"]
    for of_the_giver in (GIVER, "Мария Георгиева", "4111"):
        assert of_the_giver not in files
    await forget(portal)
    assert await traces(portal) == {}
    [order] = await portal.rows("SELECT email, name, erased_at FROM orders")
    assert (order.email, order.name, order.erased_at) == (GIVER, "Мария Георгиева", None)


async def test_whoever_gave_a_gift_reads_nothing_of_it_in_their_files_and_forgets_nobody_else(portal: Portal) -> None:
    sent = await sent_back(portal)
    files = await exported(portal, GIVER)
    assert "1001" in files
    assert '"points":[]' in files
    for secret in (sent.rma, NAME, EMAIL):
        assert secret not in files
    await forget(portal, GIVER)
    [gift] = await portal.rows("SELECT email, name FROM gift")
    assert (gift.email, gift.name) == (EMAIL, NAME)
    assert len(await portal.rows("SELECT id FROM email WHERE lower(recipient) = lower(:email)", email=EMAIL)) == 3


async def test_by_whom_a_parcel_was_sent_is_no_place_for_a_name(portal: Portal) -> None:
    await leave_traces(portal)
    await portal.rows(
        "UPDATE returns SET proof_carrier = :name, proof_tracking = '1', proof_at = now() RETURNING id", name=NAME
    )
    await forget(portal)
    assert await traces(portal) == {}
