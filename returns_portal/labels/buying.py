"""Buying a label that was requested: which carrier, asked in which order, so that none is ever bought twice.

The row comes first, then the carrier's id of the shipment, then the purchase; each is committed before the next is
asked for. Whoever finds a label that was asked for looks it up before asking again. A carrier that refuses is passed
over for the next rule's, and behind the last rule is the prepaid label, so that nobody is left without one.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.carriers.gateway import (
    Bought,
    Carrier,
    CarrierRefusedError,
    CarrierUnknownError,
    Offer,
    Place,
    Shipment,
)
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.carriers.registry import Carriers
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer
from returns_portal.labels.actions import issue
from returns_portal.labels.letters import tell
from returns_portal.labels.life import about, lock_label, move_to
from returns_portal.labels.models import HELD_SQL, Label, LabelStatus
from returns_portal.labels.policy import carrier_policy, carrier_rules, habits
from returns_portal.labels.rules import Goods, next_rule
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.whose import ADDRESS, EMAIL, NAME, PHONE, WITH_GIFT
from returns_portal.shop.queries import ShopInfo, current

log = structlog.get_logger(__name__)

FEW: Final = 3
"""How often a carrier that does not answer is asked to make a shipment ready, which costs nothing, before the next."""
MANY: Final = 9
"""How often it is asked what became of a purchase before the label is given up, to be voided, for another one."""


class _Task(msgspec.Struct, frozen=True):
    """What there is to do for a label: its row, and the parcel."""

    label: Any
    shipment: Shipment


async def buy(context: JobContext, label_id: UUID) -> None:
    """Bring a requested label to its end: bought from the first carrier that sells it, or prepaid.

    Raises:
        CarrierUnknownError: the carrier does not answer; the job comes again, and looks first.
    """
    carriers = context.service(Carriers)
    while (task := await _next(context, label_id)) is not None:
        try:
            await _ask(context, carriers.named(task.label.carrier), task)
        except CarrierRefusedError as error:
            await _pass_over(context, task, str(error))
        except CarrierUnknownError:
            async with context.begin() as db:
                await run(db, _UNANSWERED, id=label_id, carrier=task.label.carrier)
            raise


_UNANSWERED: Final = """
    UPDATE label SET attempts = attempts + 1 WHERE id = :id AND status = 'requested' AND carrier = :carrier
"""


async def _next(context: JobContext, label_id: UUID) -> _Task | None:
    """The label's task, with a carrier chosen; None where there is nothing left to ask of anybody."""
    async with context.begin() as db:
        label = await lock_label(db, label_id)
        if label.status != LabelStatus.REQUESTED:
            return None
        if (await about(db, label.return_id)).status == ReturnStatus.CANCELLED:
            await _give_up(db, label)
            return None
        if label.attempts >= (FEW if label.asked_at is None else MANY):
            await _without_an_answer(db, label)
            return None
        facts, shop = await _facts(db, label), await current(db)
        if not label.carrier and not await _choose(db, label, facts):
            return None
        label = await lock_label(db, label_id)
        return _Task(label, _shipment(label, facts, shop, await _outbound(db, label)))


async def _choose(db: AsyncConnection, label: Any, facts: Any) -> bool:  # noqa: ANN401 - rows
    """Choose the next carrier by the rules; false where none is left, and the label is now the prepaid one."""
    country = str((facts.address or {}).get("country") or "")
    rule = next_rule(await carrier_rules(db), Goods(country, facts.grams, facts.value, facts.currency), label.tried)
    if rule is None:
        now = clock.now()
        learnt = {"bought_at": now, "expires_at": now + (await habits(db)).label_life}
        await move_to(db, SYSTEM, label.id, LabelStatus.BOUGHT, carrier=PREPAID, service="", **learnt)
        await _tell_ready(db, label.id)
        return False
    await run(
        db,
        "UPDATE label SET carrier = :carrier, service = :service, tried = :tried, attempts = 0 WHERE id = :id",
        id=label.id,
        carrier=rule.carrier,
        service=rule.service,
        tried=rule.position,
    )
    return True


async def _ask(context: JobContext, carrier: Carrier, task: _Task) -> None:
    """Take the next step with the label's carrier."""
    label = task.label
    if label.shipment_ref is None:
        await _keep_offer(context, label, await carrier.prepare(task.shipment, label.service))
        return
    bought = await carrier.look_up(label.shipment_ref) if label.asked_at is not None else None
    if bought is None:
        if not await _may_ask(context, label):
            return
        bought = await _sold(carrier, label.shipment_ref, label.service)
    await _keep(context, label, bought)


async def _sold(carrier: Carrier, ref: str, service: str) -> Bought:
    """Buy it; where the carrier says no because somebody else has just done so, what they bought."""
    try:
        return await carrier.buy(ref, service)
    except CarrierRefusedError:
        found = await carrier.look_up(ref)
        if found is None:
            raise
        return found


# Two runs at once may each make a shipment ready; the first one counts, and the other costs nothing. Nor is a shipment
# taken that another label holds; the next step then looks for another one.
_OFFERED: Final = f"""
    UPDATE label SET shipment_ref = :ref, service = :service, attempts = 0
    WHERE id = :id AND status = 'requested' AND shipment_ref IS NULL AND carrier = :carrier
        AND NOT EXISTS (SELECT FROM label WHERE carrier = :carrier AND shipment_ref = :ref AND {HELD_SQL})
"""  # noqa: S608 - our own words
_ASKED: Final = """
    UPDATE label SET asked_at = coalesce(asked_at, :now)
    WHERE id = :id AND status = 'requested' AND carrier = :carrier AND shipment_ref = :ref RETURNING id
"""


async def _keep_offer(context: JobContext, label: Any, offer: Offer) -> None:  # noqa: ANN401 - a row
    async with context.begin() as db:
        await run(db, _OFFERED, id=label.id, carrier=label.carrier, ref=offer.ref, service=offer.service)


async def _may_ask(context: JobContext, label: Any) -> bool:  # noqa: ANN401 - a row
    """Note that the carrier is asked to sell it, unless it is not wanted any more."""
    values = {"id": label.id, "carrier": label.carrier, "ref": label.shipment_ref, "now": clock.now()}
    async with context.begin() as db:
        return bool(await run(db, _ASKED, **values))


async def _keep(context: JobContext, asked: Any, bought: Bought) -> None:  # noqa: ANN401 - a row
    async with context.begin() as db:
        label = await lock_label(db, asked.id)
        if label.shipment_ref != asked.shipment_ref:
            await _keep_orphan(db, asked, bought)
            return
        if label.status != LabelStatus.REQUESTED:
            # Another run kept it, or it was given up while the carrier sold it; then it is given back.
            if label.status == LabelStatus.VOIDED and not label.void_status:
                await defer(db, "labels.void", label_id=str(label.id))
            return
        learnt: dict[str, object] = {"qr": bought.code, "pdf": bought.pdf, "attempts": 0}
        if bought.tracking:
            learnt["tracking"] = bought.tracking
            learnt["code"] = bought.tracking if bought.pdf else label.code
        if bought.cost is not None:
            learnt |= {"cost": bought.cost, "cost_currency": bought.currency}
        await move_to(db, SYSTEM, label.id, LabelStatus.BOUGHT, **learnt)
        await _tell_ready(db, label.id)
        await move_to(db, SYSTEM, label.id, LabelStatus.SENT)


_HELD: Final = f"SELECT id FROM label WHERE carrier = :carrier AND shipment_ref = :ref AND {HELD_SQL}"  # noqa: S608 - our own words


async def _keep_orphan(db: AsyncConnection, asked: Any, bought: Bought) -> None:  # noqa: ANN401 - a row
    """Give back what was sold although the label had gone on to another carrier meanwhile; its cost is on record.

    Where another label holds it by now, it is that one's, and stays.
    """
    if await run(db, _HELD, carrier=asked.carrier, ref=asked.shipment_ref):
        return
    now = clock.now()
    orphan = {
        **asked._asdict(),
        "id": new_id(),
        "status": LabelStatus.VOIDED,
        "tracking": bought.tracking or None,
        "cost": bought.cost,
        "cost_currency": bought.currency,
        "bought_at": now,
        "voided_at": now,
    }
    await insert_rows(db, (Label, [orphan]))
    await history.record(db, SYSTEM, ("label", orphan["id"], "voided", {"carrier": asked.carrier}))
    await defer(db, "labels.void", label_id=str(orphan["id"]))


async def _tell_ready(db: AsyncConnection, label_id: UUID) -> None:
    label = await lock_label(db, label_id)
    own = label.carrier != PREPAID
    await tell(db, label, "label_ready", drop_off=label.qr, own=own, qr=label.qr or ("" if own else label.code))


# A no that one run was given is of no interest once another run has come further.
_PASSED: Final = """
    UPDATE label SET carrier = '', service = '', shipment_ref = NULL, asked_at = NULL, attempts = 0, failure = :failure
    WHERE id = :id AND status = 'requested' AND carrier = :carrier
        AND shipment_ref IS NOT DISTINCT FROM CAST(:ref AS text) RETURNING id
"""


async def _pass_over(context: JobContext, task: _Task, said: str) -> None:
    """A definite no: nothing was bought, so that the next rule's carrier is asked under the same label."""
    label = task.label
    async with context.begin() as db:
        values = {"id": label.id, "carrier": label.carrier, "ref": label.shipment_ref, "failure": said}
        if await run(db, _PASSED, **values):
            log.warning("label.carrier_refused", label=str(label.id), carrier=label.carrier)
            await history.record(
                db, SYSTEM, ("label", label.id, "carrier_refused", {"carrier": label.carrier, "rule": label.tried})
            )


async def _without_an_answer(db: AsyncConnection, label: Any) -> None:  # noqa: ANN401 - a row
    """The carrier has not answered for long. What it was never asked to sell is passed over, the rest given up."""
    log.warning("label.carrier_silent", label=str(label.id), carrier=label.carrier)
    said = f"{label.carrier} did not answer."
    if label.asked_at is None:
        await run(db, _PASSED, id=label.id, carrier=label.carrier, ref=label.shipment_ref, failure=said)
        await history.record(
            db, SYSTEM, ("label", label.id, "carrier_silent", {"carrier": label.carrier, "rule": label.tried})
        )
        await defer(db, "labels.buy", label_id=str(label.id))
        return
    await _give_up(db, label, failure=said)
    told = await about(db, label.return_id)
    await issue(db, SYSTEM, label.return_id, told.rma, number=label.number, tried=label.tried)


async def _give_up(db: AsyncConnection, label: Any, **learnt: object) -> None:  # noqa: ANN401 - a row
    """Let nobody use a label that was never bought, or of which nobody knows; the latter is looked up and voided."""
    asked = label.asked_at is not None
    learnt["void_status"] = "" if asked else "not_applicable"
    await move_to(db, SYSTEM, label.id, LabelStatus.VOIDED, **learnt)
    if asked:
        await defer(db, "labels.void", label_id=str(label.id))


_FACTS: Final = f"""
    SELECT r.rma, {ADDRESS} AS address, {NAME} AS name, {PHONE} AS phone, {EMAIL} AS email, o.currency,
           CAST(coalesce(sum(a.quantity * CASE
               WHEN v.weight_grams > 0 THEN v.weight_grams ELSE :item_grams END), :item_grams) AS integer) AS grams,
           CAST(coalesce(sum((SELECT sum(u) FROM unnest(l.unit_paid[1:a.quantity]) AS u)), 0) AS bigint) AS value
    FROM returns r JOIN orders o ON o.id = r.order_id {WITH_GIFT} LEFT JOIN return_line a ON a.return_id IN (
        SELECT r.id UNION ALL SELECT f.id FROM returns f WHERE f.travels_with = r.id AND f.status <> 'cancelled')
    LEFT JOIN order_line l ON l.id = a.order_line_id LEFT JOIN variant v ON v.sku = l.sku AND l.sku <> ''
    WHERE r.id = :id GROUP BY r.id, o.id, gift.id
"""  # noqa: S608 - the interpolated text is our own
# Trials stand above labels and are not imported here; in which parcels they went out is only read. A parcel goes back
# under one label: what another one holds is not offered again.
_OUTBOUND: Final = f"""
    WITH gone_out AS (
        SELECT p.tracking FROM label b JOIN returns r ON r.id = b.return_id JOIN outbound_parcel p
            ON p.order_id = r.order_id AND replace(lower(p.carrier), ' ', '_') = b.carrier
        WHERE b.id = :id AND p.tracking <> ''
        UNION ALL
        SELECT s.tracking FROM label b JOIN returns r ON r.id = b.return_id JOIN trial t ON t.order_id = r.order_id
            JOIN trial_shipment s ON s.trial_id = t.id
        WHERE b.id = :id AND s.tracking <> '' AND replace(lower(s.carrier), ' ', '_') = b.carrier)
    SELECT tracking FROM gone_out WHERE NOT EXISTS (
        SELECT FROM label WHERE id <> :id AND carrier = :carrier AND shipment_ref = gone_out.tracking AND {HELD_SQL})
    ORDER BY tracking DESC LIMIT 1
"""  # noqa: S608 - our own words


async def _facts(db: AsyncConnection, label: Any) -> Any:  # noqa: ANN401 - rows
    policy = await carrier_policy(db)
    [row] = await run(db, _FACTS, id=label.return_id, item_grams=policy.item_grams)
    return row


async def _outbound(db: AsyncConnection, label: Any) -> str:  # noqa: ANN401 - a row
    rows = await run(db, _OUTBOUND, id=label.id, carrier=label.carrier)
    return str(rows[0].tracking) if rows else ""


def _shipment(label: Any, facts: Any, shop: ShopInfo, outbound: str) -> Shipment:  # noqa: ANN401 - rows
    return Shipment(
        reference=label.code,
        customer=place_of(facts.address, name=facts.name, phone=facts.phone, email=facts.email),
        shop=place_of(shop.address, name=shop.name, phone=shop.phone, email=shop.email),
        grams=facts.grams,
        value=facts.value,
        currency=facts.currency,
        outbound=outbound,
    )


def place_of(address: dict[str, str], *, name: str, phone: str, email: str) -> Place:
    """An address as it is stored, where what it does not have may be missing."""
    parts = {part: address.get(part) or "" for part in ("line1", "line2", "city", "region", "postal_code", "country")}
    return Place(name=address.get("name") or name, **parts, phone=phone, email=email)
