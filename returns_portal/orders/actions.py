"""Taking orders in, and changing them as long as nothing stands on them.

Once a return was filed, money went back in another way, or Stripe holds the payment, what was paid cannot change any
more: units were promised, and refunded, at these amounts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Row, RowMapping, delete, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.jobs import defer
from returns_portal.orders.exchanges import as_taken
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.models import TRIAL, Order, OrderLine
from returns_portal.orders.rows import Prepared, insert_new, insert_parts, line_rows, order_row, payment_rows
from returns_portal.payments import queries as payment_queries
from returns_portal.payments.models import Payment, PaymentStatus, Tender
from returns_portal.settings import Settings

Outcome = Literal["created", "updated", "unchanged"]

_ALWAYS_OPEN: Final = {
    "name",
    "phone",
    "locale",
    "address",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "financial_status",
    "fulfillment_status",
    "source",
}
"""Columns of an order that change no amount and nobody's right to it."""
_PERSONAL: Final = ("name", "email", "email_key", "phone", "locale", "address")
_BOOKKEEPING: Final = {"created_at", "updated_at", "fingerprint"}
_HELD: Final = {PaymentStatus.CREATING, PaymentStatus.CAPTURED}

# Returns, refunds and points stand above orders and are not imported here; that there are some is all that an order
# has to know of them. Who gives money back holds the order's lock, so they are looked for by a statement behind it: one
# that waits for the lock itself would not see what came in meanwhile.
_LOCK = "SELECT id FROM orders WHERE number = :number FOR UPDATE"
_STORED = """
    SELECT o.*, EXISTS (SELECT FROM returns r WHERE r.order_id = o.id)
            OR EXISTS (SELECT FROM refund f WHERE f.order_id = o.id)
            OR EXISTS (SELECT FROM goodwill g WHERE g.order_id = o.id)
            OR EXISTS (SELECT FROM item_claim c WHERE c.order_id = o.id) AS stood_on,
           EXISTS (SELECT FROM exchange x WHERE x.order_id = o.id AND x.status = 'sent')
            OR EXISTS (SELECT FROM replacement n WHERE n.order_id = o.id AND n.status = 'sent') AS has_replacement,
           EXISTS (SELECT FROM points_earning e WHERE e.order_id = o.id) AS has_earned,
           EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.tender = 'stripe') AS has_stripe,
           EXISTS (SELECT FROM shop s WHERE o.placed_at >= s.points_since) AS may_earn,
           EXISTS (SELECT FROM order_call c WHERE c.order_id = o.id AND c.state = 'waiting') AS awaits_call
    FROM orders o WHERE o.number = :number
"""
_LINES = "SELECT * FROM order_line WHERE order_id = :id ORDER BY position"
# What came back had left the shop, whatever its system says by now.
_SHIPPED = """
    UPDATE order_line l SET shipped = greatest(:shipped, (
        SELECT coalesce(sum(i.quantity), 0) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
        WHERE i.order_line_id = l.id AND p.undone_at IS NULL AND i.acceptance <> 'surplus'
          AND i.condition <> 'not_shipped'))
    WHERE l.id = :id
"""


class Put(NamedTuple):
    """What became of an order that was handed in."""

    order_id: UUID
    outcome: Outcome


async def put_order(
    db: AsyncConnection, actor: Actor, settings: Settings, order: OrderInput, *, source: str = "api"
) -> Put:
    """Take an order in: store it, or bring the stored one of its number up to it. The same again changes nothing.

    Raises:
        InvalidError: the order cannot be so.
        ConflictError: it would change what cannot change any more, or a payment of it belongs to another order.
    """
    return await store(db, actor, Prepared.of(order, settings, source=source))


async def store(db: AsyncConnection, actor: Actor, new: Prepared) -> Put:
    """Store a prepared order, or bring the stored one of its number up to it.

    Raises:
        ConflictError: as `put_order`.
    """
    created = await insert_new(db, actor, [new])
    if created:
        return Put(created[new.order.number], "created")
    await db.execute(text(_LOCK), {"number": new.order.number})
    stored = (await db.execute(text(_STORED), {"number": new.order.number})).one()
    if stored.source == TRIAL:
        raise ConflictError(
            mark("This number is a trial's. It is changed by what becomes of the trial alone."), code="order_is_trial"
        )
    # The same file may be imported again to have its payments made in the sandbox, which it did not ask for before.
    if stored.fingerprint == new.fingerprint and (stored.has_stripe or not new.wants_sandbox):
        return Put(stored.id, "unchanged")
    await _update(db, actor, stored, new)
    return Put(stored.id, "updated")


class _Changes(NamedTuple):
    """How an order that is handed in differs from the stored one."""

    columns: dict[str, Any]
    lines: list[dict[str, Any]] | None
    """All lines anew, or None where no more than `shipped` changed."""
    shipped: list[dict[str, Any]]
    removed_payments: list[UUID]
    added_payments: list[dict[str, Any]]

    @property
    def names(self) -> set[str]:
        """What changed, in one word each."""
        parts = {
            "lines": self.lines is not None,
            "shipped": bool(self.shipped),
            "payments": bool(self.removed_payments),
            "payments_added": bool(self.added_payments),
        }
        return self.columns.keys() - _BOOKKEEPING | {name for name, changed in parts.items() if changed}


async def _update(db: AsyncConnection, actor: Actor, stored: Row[Any], new: Prepared) -> None:
    rows = (await db.execute(text(_LINES), {"id": stored.id})).all()
    known = await as_taken(db, stored._asdict(), [line._asdict() for line in rows])
    payments = [p for p in await payment_queries.of_order(db, stored.id, lock=True) if p.id not in known.payments]
    changes = _compare(new, known.order, known.lines, payments)
    _keep_later_delivery(changes.columns, stored)
    if stored.locale_chosen_at:
        changes.columns.pop("locale", None)
    if stored.erased_at:
        # Who it was is not taken in again. What the shop tells of the goods is.
        for column in _PERSONAL:
            changes.columns.pop(column, None)
    if stored.stood_on or any(p.tender == Tender.STRIPE and p.status in _HELD for p in payments):
        _require_open(changes.names)
    if stored.has_earned and "currency" in changes.columns:
        raise ConflictError(
            mark("This order has earned points in its currency, which cannot change any more."),
            code="order_frozen",
            field="currency",
            detail=["currency"],
        )
    await db.execute(update(Order).where(col(Order.id) == stored.id).values(changes.columns))
    if changes.lines is not None:
        await db.execute(delete(OrderLine).where(col(OrderLine.order_id) == stored.id))
    if changes.shipped:
        await db.execute(text(_SHIPPED), changes.shipped)
    if changes.removed_payments:
        await db.execute(delete(Payment).where(col(Payment.id).in_(changes.removed_payments)))
    told = ("order", stored.id, "updated", {"source": new.source, "changed": sorted(changes.names)})
    await insert_parts(db, lines=changes.lines or [], payments=changes.added_payments, told=history.rows(actor, told))
    await _look_after(db, stored)


async def _look_after(db: AsyncConnection, stored: Row[Any]) -> None:
    """Let those above orders see what a change means for them."""
    for job, wanted in (("points.settle", stored.may_earn), ("confirming.look_again", stored.awaits_call)):
        if wanted:
            await defer(db, job, order_id=str(stored.id))


def _require_open(changed: set[str]) -> None:
    """Refuse changes to what was promised; money that came in later may be added.

    Raises:
        ConflictError: naming the first such change.
    """
    closed = sorted(changed - _ALWAYS_OPEN - {"shipped", "payments_added"})
    if closed:
        raise ConflictError(
            mark("This order has a return, a refund or a captured payment, so this cannot change any more: {what}."),
            code="order_frozen",
            field=closed[0],
            detail=closed,
            what=", ".join(closed),
        )


def _keep_later_delivery(columns: dict[str, Any], stored: Row[Any]) -> None:
    """What was sent in exchange, or anew, came later than anything that the shop's system knows of."""
    told = columns.get("delivered_at")
    if stored.has_replacement and told is not None and stored.delivered_at is not None and told < stored.delivered_at:
        del columns["delivered_at"]


def _compare(
    new: Prepared,
    before: Mapping[str, Any] | RowMapping,
    lines: Sequence[Mapping[str, Any] | RowMapping],
    payments: Sequence[Row[Any]],
) -> _Changes:
    columns = {name: value for name, value in order_row(new).items() if name != "created_at" and before[name] != value}
    wanted = line_rows(new, before["id"])
    if [_content(line) for line in lines] == [_content(line) for line in wanted]:
        shipped = [
            {"id": old["id"], "shipped": line["shipped"]}
            for old, line in zip(lines, wanted, strict=True)
            if old["shipped"] != line["shipped"]
        ]
        anew = None
    else:
        shipped, anew = [], _with_known_ids(wanted, lines)
    removed = list(payments)
    added = []
    for payment in payment_rows(new, before["id"]):
        known = next((old for old in removed if _is_same_payment(old, payment)), None)
        if known is None:
            added.append(payment)
        else:
            removed.remove(known)
    return _Changes(columns, anew, shipped, [payment.id for payment in removed], added)


def _content(line: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in {"id", "shipped"}}


def _with_known_ids(
    wanted: list[dict[str, Any]], lines: Sequence[Mapping[str, Any] | RowMapping]
) -> list[dict[str, Any]]:
    """Give lines of the same article the ids that they had, so that whoever keeps them finds them again."""
    ids: defaultdict[tuple[str, ...], list[UUID]] = defaultdict(list)
    for line in reversed(lines):
        ids[line["sku"], line["title"], line["size"], line["color"]].append(line["id"])
    for line in wanted:
        known = ids[line["sku"], line["title"], line["size"], line["color"]]
        if known:
            line["id"] = known.pop()
    return wanted


def _is_same_payment(old: Row[Any], new: Mapping[str, Any]) -> bool:
    """Whether a payment that is handed in is the stored one, whatever became of it here since.

    A payment of a file may have been made in the sandbox, or found to be none of our Stripe account's; it stays
    what it became, unless the file is imported anew with payments in the sandbox.
    """
    told = ("amount", "currency", "livemode", "method", "imported_reference")
    if any(getattr(old, name) != new[name] for name in told):
        return False
    if old.tender == new["tender"]:
        return new["reference"] in {None, old.reference} and new["refunded_before"] <= old.refunded_before
    imported = bool(new["method"] or new["imported_reference"])
    return imported and new["status"] != PaymentStatus.CREATING
