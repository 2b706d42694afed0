"""Fetching parcels from people's homes: by the label's carrier where it does that, or by the shop's own courier."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.carriers.gateway import CarrierRefusedError
from returns_portal.carriers.names import PICK_UP
from returns_portal.carriers.registry import Carriers
from returns_portal.db import Begin, insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer, defer_many
from returns_portal.labels.buying import place_of
from returns_portal.labels.life import about
from returns_portal.labels.models import PICKUP_TRANSITIONS, Pickup, PickupStatus
from returns_portal.labels.policy import habits
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import ReturnStatus
from returns_portal.shop.queries import current

log = structlog.get_logger(__name__)

SOON: Final = timedelta(hours=2)
"""How long before the earliest moment the customer is told once more that the courier comes."""
DAYS: Final = 5
"""For how many working days pick-ups are offered."""
_HALVES: Final = ((time(9), time(13)), (time(14), time(18)))
_SATURDAY: Final = 5
_LONGEST: Final = {"line1": 120, "city": 80, "postal_code": 16, "phone": 32}


class Window(msgspec.Struct, frozen=True):
    """From when to when somebody may come."""

    begins: datetime
    ends: datetime


def windows(now: datetime, zone: str) -> list[Window]:
    """The windows that can be chosen: mornings and afternoons of the next working days, in the shop's zone."""
    here = ZoneInfo(zone)
    day, found = now.astimezone(here).date(), list[Window]()
    while len(found) < DAYS * len(_HALVES):
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            found += [_window(day, begins, ends, here) for begins, ends in _HALVES]
    return found


def _window(day: date, begins: time, ends: time, zone: ZoneInfo) -> Window:
    return Window(datetime.combine(day, begins, zone), datetime.combine(day, ends, zone))


_LABEL: Final = """
    SELECT b.id, b.carrier, b.status FROM label b WHERE b.return_id = :id AND b.status IN ('bought', 'sent')
    ORDER BY b.number LIMIT 1
"""
_LIVE: Final = """
    SELECT id, status, carrier, line1, city, postal_code, country, phone, begins_at, ends_at, courier_name, confirmation
    FROM pickup WHERE return_id = :id AND status IN ('requested', 'scheduled')
"""


async def offered(db: AsyncConnection, return_id: UUID) -> str | None:
    """Who would fetch the parcel of a return: the label's carrier, the shop's own courier (empty), nobody (None)."""
    rows = await run(db, _LABEL, id=return_id)
    if not rows:
        return None
    if rows[0].carrier in PICK_UP:
        return str(rows[0].carrier)
    return "" if (await habits(db)).own_courier else None


class LivePickup(msgspec.Struct, frozen=True):
    """A pick-up that is asked for or planned; each field is the column's of `Pickup`."""

    id: UUID
    status: str
    carrier: str
    line1: str
    city: str
    postal_code: str
    country: str
    phone: str
    begins_at: datetime
    ends_at: datetime
    courier_name: str
    confirmation: str


async def live_pickup(db: AsyncConnection, return_id: UUID) -> LivePickup | None:
    """The pick-up that is asked for or planned; the caller has shown that the return is the actor's."""
    rows = await run(db, _LIVE, id=return_id)
    return LivePickup(*rows[0]) if rows else None


async def request(db: AsyncConnection, actor: Actor, rma: str, begins: datetime, address: Mapping[str, str]) -> UUID:
    """Ask for a pick-up in one of the `windows`, by its beginning; what the customer typed of the address counts.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        InvalidError: the window is not offered, or the address lacks something.
        ConflictError: nobody fetches it, or a pick-up is planned already.
    """
    row = await lock_return(db, actor, rma)
    zone = (await current(db)).timezone
    window = next((each for each in windows(clock.now(), zone) if each.begins == begins), None)
    if window is None:
        raise InvalidError(mark("Please choose one of the times."), field="window")
    where = _checked(address)
    carrier = await offered(db, row.id)
    if carrier is None or (await about(db, row.id)).status != ReturnStatus.FILED:
        raise ConflictError(
            mark("Nobody can fetch this parcel. Please hand it in where the label says."), code="no_pickup"
        )
    if await live_pickup(db, row.id) is not None:
        raise ConflictError(mark("A pick-up is planned already."), code="pickup_planned")
    [label] = await run(db, _LABEL, id=row.id)
    pickup = {
        "id": new_id(),
        "return_id": row.id,
        "label_id": label.id,
        "status": PickupStatus.REQUESTED if carrier else PickupStatus.SCHEDULED,
        "carrier": carrier,
        **where,
        "begins_at": window.begins,
        "ends_at": window.ends,
        "courier_name": "",
        "confirmation": "",
        "cost_currency": "",
        "failure": "",
        "created_at": clock.now(),
    }
    told = {"begins": window.begins.isoformat(), "carrier": carrier}
    event = history.rows(actor, ("return", row.id, "pickup_requested", told))
    await insert_rows(db, (Pickup, [pickup]), event)
    await defer(db, "labels.book_pickup" if carrier else "labels.announce_pickup", pickup_id=str(pickup["id"]))
    return UUID(str(pickup["id"]))


def _checked(address: Mapping[str, str]) -> dict[str, str]:
    found = {name: address.get(name, "").strip() for name in (*_LONGEST, "country")}
    for name, longest in _LONGEST.items():
        if not found[name] or len(found[name]) > longest or not found[name].isprintable():
            raise InvalidError(mark("Please fill this in, in at most {limit} characters."), field=name, limit=longest)
    return found


_LOCK: Final = "SELECT * FROM pickup WHERE id = :id FOR UPDATE"


async def _locked(db: AsyncConnection, pickup_id: UUID) -> Any:  # noqa: ANN401 - a row
    rows = await run(db, _LOCK, id=pickup_id)
    if not rows:
        raise NotFoundError(mark("There is no such pick-up."), code="pickup_not_found")
    return rows[0]


async def move_to(db: AsyncConnection, actor: Actor, pickup_id: UUID, status: PickupStatus, **learnt: object) -> None:
    """Bring a pick-up into another status with what was learnt by it (its columns), and write the history.

    Raises:
        ConflictError: its life does not lead there from where it is.
    """
    sources = [before.value for before, after in PICKUP_TRANSITIONS.items() if status in after]
    rows = await run(db, _move(tuple(learnt)), pickup_id=pickup_id, to=status.value, sources=sources, **learnt)
    if not rows:
        raise ConflictError(mark("This pick-up cannot be changed any more."), code="wrong_status")
    await history.record(db, actor, ("return", rows[0].return_id, f"pickup_{status.value}", {}))


@cache
def _move(learnt: tuple[str, ...]) -> str:
    unknown = set(learnt) - set(Pickup.model_fields)
    if unknown:
        raise ValueError(f"a pick-up has no {', '.join(sorted(unknown))}")
    sets = "".join(f", {name} = :{name}" for name in learnt)
    return f"UPDATE pickup SET status = :to{sets} WHERE id = :pickup_id AND status = ANY(:sources) RETURNING return_id"  # noqa: S608 - our own columns


async def cancel(db: AsyncConnection, actor: Actor, rma: str) -> None:
    """Call the planned pick-up of a return off.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: none is planned.
    """
    row = await lock_return(db, actor, rma)
    pickup = await live_pickup(db, row.id)
    if pickup is None:
        raise ConflictError(mark("No pick-up is planned."), code="no_pickup")
    await move_to(db, actor, pickup.id, PickupStatus.CANCELLED)
    if pickup.carrier:
        await defer(db, "labels.cancel_pickup", pickup_id=str(pickup.id))


async def name_courier(db: AsyncConnection, actor: Actor, pickup_id: UUID, name: str) -> None:
    """Say who comes; the customer is told at once.

    Raises:
        ForbiddenError: the actor plans no pick-ups.
        NotFoundError: there is no such pick-up.
        InvalidError: there is no name, or it is too long.
        ConflictError: it is not planned (any more).
    """
    actor.require("support", "warehouse")
    name = name.strip()
    if not 0 < len(name) <= 60 or not name.isprintable():  # noqa: PLR2004 - what fits into an SMS
        raise InvalidError(
            mark("Please give the courier's name, in at most {limit} characters."), field="name", limit=60
        )
    pickup = await _locked(db, pickup_id)
    if pickup.status != PickupStatus.SCHEDULED:
        raise ConflictError(mark("This pick-up cannot be changed any more."), code="wrong_status")
    await run(db, "UPDATE pickup SET courier_name = :name WHERE id = :id", id=pickup_id, name=name)
    await history.record(db, actor, ("return", pickup.return_id, "pickup_courier_named", {}))
    await defer(db, "labels.announce_pickup", pickup_id=str(pickup_id))


async def book(context: JobContext, pickup_id: UUID) -> None:
    """Book a requested pick-up at its carrier, once; where nobody comes, the customer is told to hand the parcel in.

    Raises:
        CarrierUnknownError: no answer; the job comes again, and looks first.
    """
    carriers = context.service(Carriers)
    async with context.begin() as db:
        pickup = await _locked(db, pickup_id)
        if pickup.status != PickupStatus.REQUESTED:
            return
        [label] = await run(db, "SELECT shipment_ref FROM label WHERE id = :id", id=pickup.label_id)
        told = await about(db, pickup.return_id)
    try:
        carrier = carriers.named(pickup.carrier)
        ref, cost = pickup.carrier_ref, {}
        if ref is None:
            place = place_of(
                {name: getattr(pickup, name) for name in ("line1", "city", "postal_code", "country")},
                name=told.name,
                phone=pickup.phone,
                email=told.email,
            )
            offer = await carrier.prepare_pickup(label.shipment_ref, place, pickup.begins_at, pickup.ends_at)
            ref = await _keep_ref(context, pickup_id, offer.ref)
            cost = {"cost": offer.cost, "cost_currency": offer.currency}
        confirmation = await carrier.book_pickup(ref)
    except CarrierRefusedError as error:
        await _settle(context, pickup_id, PickupStatus.REFUSED, failure=str(error))
    else:
        await _settle(context, pickup_id, PickupStatus.SCHEDULED, confirmation=confirmation, **cost)


async def _keep_ref(context: JobContext, pickup_id: UUID, ref: str) -> str:
    """Store the carrier's id before anything is booked; the one that was stored first counts."""
    async with context.begin() as db:
        [row] = await run(
            db,
            "UPDATE pickup SET carrier_ref = coalesce(carrier_ref, :ref) WHERE id = :id RETURNING carrier_ref",
            id=pickup_id,
            ref=ref,
        )
    return str(row.carrier_ref)


async def _settle(context: JobContext, pickup_id: UUID, status: PickupStatus, **learnt: object) -> None:
    async with context.begin() as db:
        pickup = await _locked(db, pickup_id)
        if pickup.status == PickupStatus.CANCELLED:
            # It was called off while the carrier booked it.
            await defer(db, "labels.cancel_pickup", pickup_id=str(pickup_id))
        elif pickup.status == PickupStatus.REQUESTED:
            await move_to(db, SYSTEM, pickup_id, status, **learnt)
            await defer(db, "labels.announce_pickup", pickup_id=str(pickup_id))


async def call_off(context: JobContext, pickup_id: UUID) -> None:
    """Tell the carrier that a pick-up was cancelled.

    Raises:
        CarrierUnknownError: no answer; the job comes again.
    """
    async with context.begin() as db:
        pickup = await _locked(db, pickup_id)
    if pickup.carrier_ref is not None:
        try:
            await context.service(Carriers).named(pickup.carrier).cancel_pickup(pickup.carrier_ref)
        except CarrierRefusedError as error:
            log.warning("pickup.not_called_off", pickup=str(pickup_id), reason=str(error))


_SOON: Final = """
    UPDATE pickup SET announced_at = :now WHERE status = 'scheduled' AND announced_at IS NULL AND begins_at <= :soon
        AND ends_at > :now RETURNING id
"""
_OVER: Final = """
    SELECT p.id FROM pickup p JOIN label b ON b.id = p.label_id WHERE p.status = 'scheduled'
    AND (p.ends_at < :over OR b.status IN ('in_transit', 'delivered')) ORDER BY p.id LIMIT 200
"""


async def sweep(begin: Begin) -> None:
    """Announce the couriers that are about to come, and close what is over."""
    now = clock.now()
    async with begin() as db:
        soon = await run(db, _SOON, now=now, soon=now + SOON)
        await defer_many(db, "labels.announce_pickup", [{"pickup_id": str(row.id), "stage": "soon"} for row in soon])
        for row in await run(db, _OVER, over=now - timedelta(hours=12)):
            await move_to(db, SYSTEM, row.id, PickupStatus.DONE)
