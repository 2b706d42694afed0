"""Orders on their way into the tables: checked, frozen, fingerprinted, and written many at a time."""

from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer_many
from returns_portal.orders.checks import checked
from returns_portal.orders.intake import LineInput, OrderInput, PaymentInput, fingerprint
from returns_portal.orders.models import FulfillmentStatus, Order, OrderLine
from returns_portal.orders.news import is_news
from returns_portal.orders.rules import FrozenLine, FrozenOrder, freeze
from returns_portal.payments.models import Payment, PaymentStatus, Tender
from returns_portal.settings import Settings
from returns_portal.shop.confirming import Confirming

_FIRST_JOB: Final = {PaymentStatus.CREATING: "payments.create", PaymentStatus.UNVERIFIED: "payments.verify"}

_COLUMNS: Final = ", ".join(column.name for column in Order.__table__.columns)  # type: ignore[attr-defined]  # SQLModel adds it to tables
# Rows travel as JSON, so that the statement is the same, and stays prepared, for one order and for a batch.
_INSERT: Final = (
    f"INSERT INTO orders ({_COLUMNS}) SELECT {_COLUMNS} FROM json_populate_recordset(NULL::orders, CAST(:rows AS json))"  # noqa: S608 - names of our own columns
    " ON CONFLICT (number) DO NOTHING RETURNING number, id,"
    " EXISTS (SELECT FROM shop s WHERE s.points_rate > 0 AND orders.placed_at >= s.points_since) AS earns,"
    " (SELECT s.confirming FROM shop s) AS confirming"
)


class Prepared(NamedTuple):
    """An order that is ready to be stored."""

    order: OrderInput
    frozen: FrozenOrder
    fingerprint: bytes
    source: str
    livemode: bool

    @classmethod
    def of(cls, order: OrderInput, settings: Settings, *, source: str, stored_as: OrderInput | None = None) -> Self:
        """Check and freeze an order.

        Args:
            order: As it was given; the fingerprint is of this.
            settings: Tell whether payments go to the sandbox.
            source: `api`, `shopify` or `portal`.
            stored_as: The same order with other payments, where it is not stored as the file has it.

        Raises:
            InvalidError: the order cannot be so; names the field at fault.
        """
        given = checked(order)
        taken = given if stored_as is None else checked(stored_as)
        for i, payment in enumerate(taken.payments):
            if payment.tender == Tender.STRIPE and payment.reference is None and not settings.sandbox:
                raise InvalidError(
                    mark("A Stripe payment needs the reference of its PaymentIntent."), field=f"payments[{i}].reference"
                )
        return cls(taken, freeze(taken), fingerprint(given), source, settings.livemode)

    @property
    def wants_sandbox(self) -> bool:
        """Whether a payment has yet to be made in the sandbox."""
        return any(first_status(payment) == PaymentStatus.CREATING for payment in self.order.payments)


def first_status(payment: PaymentInput) -> PaymentStatus:
    """Where a payment begins: only what Stripe holds has to be made or looked at first."""
    if payment.tender != Tender.STRIPE:
        return PaymentStatus.CAPTURED
    return PaymentStatus.CREATING if payment.reference is None else PaymentStatus.UNVERIFIED


async def insert_new(db: AsyncConnection, actor: Actor, orders: list[Prepared]) -> dict[str, UUID]:
    """Store the orders whose numbers are not taken, with lines, payments, history and the payments' jobs.

    A number that another transaction is just storing is waited for, then left alone, so that fifty identical
    requests at once store one order. Three statements, however many orders: orders, their parts, jobs.

    Returns:
        The ids of those that were stored, by number.

    Raises:
        ConflictError: a payment's reference belongs to another order.
    """
    # In one sequence everywhere: two imports of the same orders then wait for each other, rather than deadlock.
    orders = sorted(orders, key=lambda new: new.order.number)
    rows = [{**order_row(new), "id": new_id(), "fingerprint": f"\\x{new.fingerprint.hex()}"} for new in orders]
    created = await run(db, _INSERT, rows=msgspec.json.encode(rows).decode())
    ids = {row.number: row.id for row in created}
    stored = [(new, ids[new.order.number]) for new in orders if new.order.number in ids]
    if stored:
        await insert_parts(
            db,
            lines=[row for new, order_id in stored for row in line_rows(new, order_id)],
            payments=[row for new, order_id in stored for row in payment_rows(new, order_id)],
            told=history.rows(
                actor, *(("order", order_id, "created", {"source": new.source}) for new, order_id in stored)
            ),
        )
        # What it earns is decided above orders, by a job that looks at all of it.
        await defer_many(db, "points.settle", [{"order_id": str(row.id)} for row in created if row.earns])
        choices = msgspec.convert(created[0].confirming or {}, Confirming)
        news = [{"order_id": str(order_id)} for new, order_id in stored if _is_news(choices, new)]
        await defer_many(db, "confirming.look_at", news)
    return ids


def _is_news(choices: Confirming, new: Prepared) -> bool:
    order = new.order
    return is_news(
        choices,
        source=new.source,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
        cancelled_at=order.cancelled_at,
        now=clock.now(),
    )


async def insert_parts(
    db: AsyncConnection, *, lines: list[dict[str, Any]], payments: list[dict[str, Any]], told: Rows
) -> None:
    """Write lines, payments and history in one statement, and the jobs that make or verify what Stripe holds.

    Raises:
        ConflictError: a payment's reference belongs to another order.
    """
    try:
        await insert_rows(db, (OrderLine, lines), (Payment, payments), told)
    except IntegrityError as error:
        if "uq_payment_reference" not in str(error.orig):
            raise
        raise ConflictError(
            mark("A payment's reference belongs to another order already."),
            code="payment_reference_taken",
            field="payments",
        ) from error
    for status, job in _FIRST_JOB.items():
        await defer_many(db, job, [{"payment_id": str(row["id"])} for row in payments if row["status"] == status])


def order_row(new: Prepared) -> dict[str, Any]:
    """The columns of `orders`, without the id."""
    order, frozen, moment = new.order, new.frozen, clock.now()
    shipped = sum(line.shipped or 0 for line in order.lines)
    if order.fulfilled:
        fulfillment = FulfillmentStatus.FULFILLED
    else:
        fulfillment = FulfillmentStatus.PARTIAL if shipped else FulfillmentStatus.UNFULFILLED
    return {
        "number": order.number,
        "email": order.email,
        "email_key": email_key(order.email),
        "name": order.name,
        "phone": order.phone,
        "locale": order.locale,
        "currency": order.currency,
        "placed_at": order.placed_at,
        "shipped_at": order.shipped_at,
        "delivered_at": order.delivered_at,
        "cancelled_at": order.cancelled_at,
        "financial_status": order.financial_status,
        "fulfillment_status": fulfillment,
        "address": msgspec.structs.asdict(order.shipping_address),
        "tax_included": order.tax_included,
        "total": frozen.total,
        "order_discount": order.order_discount,
        "shipping_price": order.shipping.price,
        "shipping_discount": order.shipping.discount,
        "shipping_tax": frozen.shipping_tax,
        "shipping_standard_price": order.shipping.standard_price,
        "shipping_paid": frozen.shipping_paid,
        "shipping_refundable": frozen.shipping_refundable,
        "extras_paid": frozen.extras_paid,
        "source": new.source,
        "fingerprint": new.fingerprint,
        "created_at": moment,
        "updated_at": moment,
    }


def line_rows(new: Prepared, order_id: UUID) -> list[dict[str, Any]]:
    """The rows of `order_line`, with fresh ids."""
    return [
        {"id": new_id(), "order_id": order_id, "position": position, **_line_row(line, frozen)}
        for position, (line, frozen) in enumerate(zip(new.order.lines, new.frozen.lines, strict=True))
    ]


def _line_row(line: LineInput, frozen: FrozenLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "title": line.title,
        "size": line.size,
        "color": line.color,
        "quantity": line.quantity,
        "shipped": line.shipped,
        "unit_price": line.unit_price,
        "discount": line.discount,
        "tax": line.tax,
        "unit_discount": frozen.unit_discount,
        "unit_tax": frozen.unit_tax,
        "unit_paid": frozen.unit_paid,
    }


def payment_rows(new: Prepared, order_id: UUID) -> list[dict[str, Any]]:
    """The rows of `payment`, with fresh ids."""
    return [
        {
            "id": new_id(),
            "order_id": order_id,
            "tender": payment.tender,
            "status": first_status(payment),
            "reference": payment.reference,
            "imported_reference": payment.imported_reference,
            "method": payment.method,
            "card_brand": "",
            "card_last4": "",
            "amount": payment.amount,
            "refunded_before": payment.refunded_before,
            "currency": new.order.currency,
            "livemode": new.livemode,
            "created_at": clock.now(),
        }
        for payment in new.order.payments
    ]
