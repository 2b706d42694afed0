"""The refund report: one SELECT, which the page shows and the exports write.

The export is CSV (RFC 4180 quoting, UTF-8, lines end in LF) with one row per refund and this header:

- `refund_id`, `return_number`, `order_number`, `ordered_at`
- `kind`: return, goodwill, outside (made in the gateway's dashboard), deposit (what is left of a trial's); `reason`: of
  a gesture, in staff's words
- `status`: planned, awaiting_transfer, submitting, pending, succeeded, failed, canceled, unknown
- `destination`: original (the card), points, transfer
- `currency`: ISO 4217
- `gross`, `tax`, `net`, `shipping`, `points_bonus`: decimal numbers in major units, with the currency's own number of
  places. `net` is gross less tax; `tax` and `shipping` are in the gross; the bonus is on top of it. Points have the
  worth in currency that they stand for.
- `tax_rate`: the tax in percent of net, over all rates of the refund together, to two places
- `card_leg`, `points_leg`, `transfer_leg`: the gross, by the way in which it goes
- `requested_at` (the return was filed), `released_at` (its parcel was checked in, or the decision made), `submitted_at`
  (sent to the gateway), `settled_at` (succeeded): UTC, RFC 3339
- `approver`: the second person who approved a gesture
- `payment_tender`: stripe, points, external; `payment_reference`: Stripe's PaymentIntent; `imported_reference`: what
  the shop's file calls the payment
- `gateway_refund_id`, `acquirer_reference` (for transfers, the bank's reference), `failure_reason`, `dispute_ids`
- `charge_id`, `balance_transaction`, `payout_id`, `payout_date` (the day on which it reaches the shop's bank): of
  the gateway's own line of the refund, once the reconciliation has read it
- `credit_note`: its number; `gl_account`: the code of the account that bears the refund
- `skus` (`sku×n`, separated by spaces), `quantity`, `conditions` (how they arrived): the goods that the refund is for.
  Where several payments share a parcel, or decisions came later, each of its refunds shows them.
- `livemode`: false where no money moved
- `fee`, `fee_currency`: what the gateway took for it, of the same line of its, in the currency of the shop's balance
- `label_cost`: of the carrier's label that the goods came back with, in `label_currency`; none for the
  prepaid licence, and for a label whose money came back
- `sale_receipt`, `refund_receipt`: the cash register's fiscal receipts
- `approved_at`: when the second person approved a gesture
- `return_reason`: why these goods came back, in the customer's words, each once
- `postage_fee`: what was kept for sending the goods back, beside the gross: both together are what they were worth

A cell is empty where the portal does not know: it prints no fiscal receipts, whose numbers the bookkeeping fills in.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection as Driver
from psycopg.rows import class_row

from returns_portal.finance.cells import scale_sql
from returns_portal.finance.codes import code_sql
from returns_portal.finance.filters import Basis, Filters
from returns_portal.finance.listing import Column, Listing
from returns_portal.ledger.models import Account
from returns_portal.refunds.models import Destination, RefundStatus


def _leg(destination: Destination) -> str:
    return f"CASE f.destination WHEN '{destination.value}' THEN f.amount ELSE 0 END"


COLUMNS: Final = (
    Column("refund_id", "f.id"),
    Column("return_number", "coalesce(r.rma, '')"),
    Column("order_number", "o.number", "text"),
    Column("ordered_at", "o.placed_at", "moment"),
    Column("kind", "f.kind"),
    Column("reason", "f.reason", "text"),
    Column("status", "f.status"),
    Column("destination", "f.destination"),
    Column("currency", "f.currency"),
    Column("gross", "f.amount", "amount"),
    Column("tax", "f.tax", "amount"),
    Column("net", "f.amount - f.tax", "amount"),
    Column("tax_rate", "round(f.tax * 100.0 / nullif(f.amount - f.tax, 0), 2)", "number"),
    Column("shipping", "f.shipping", "amount"),
    Column("points_bonus", "f.bonus", "amount"),
    Column("card_leg", _leg(Destination.CARD), "amount"),
    Column("points_leg", _leg(Destination.POINTS), "amount"),
    Column("transfer_leg", _leg(Destination.TRANSFER), "amount"),
    Column("requested_at", "f.requested_at", "moment"),
    Column("released_at", "f.created_at", "moment"),
    Column("submitted_at", "f.submitted_at", "moment"),
    Column("settled_at", "f.settled_at", "moment"),
    Column("approver", "coalesce(s.name, g.decided_by)", "text"),
    Column("payment_tender", "p.tender"),
    Column("payment_reference", "p.reference", "text"),
    Column("imported_reference", "p.imported_reference", "text"),
    Column("gateway_refund_id", "f.gateway_id", "text"),
    Column("acquirer_reference", "f.gateway_reference", "text"),
    Column("failure_reason", "f.failure_reason", "text"),
    Column("dispute_ids", "d.ids", "text"),
    Column("charge_id", "b.charge", "text"),
    Column("balance_transaction", "b.id", "text"),
    Column("payout_id", "b.payout_id", "text"),
    Column("payout_date", "to_char(b.arrives, 'YYYY-MM-DD')"),
    Column("credit_note", "n.document"),
    Column(
        "gl_account",
        f"CASE f.kind WHEN 'goodwill' THEN {code_sql(Account.GOODWILL_EXPENSE)}"
        f" ELSE {code_sql(Account.SALES_RETURNS)} END",
        "text",
    ),
    Column("skus", "i.skus", "text"),
    Column("quantity", "coalesce(i.quantity, 0)", "number"),
    Column("conditions", "a.conditions"),
    Column("livemode", "f.livemode", "flag"),
    # Whoever reads the file by place finds the columns where they were: others come behind them.
    Column("fee", f"b.fee * {scale_sql('b.currency')}", "number"),
    Column("fee_currency", "b.currency"),
    Column("label_cost", f"q.cost * {scale_sql('q.cost_currency')}", "number"),
    Column("sale_receipt", "CAST(NULL AS text)", "text"),
    Column("refund_receipt", "CAST(NULL AS text)", "text"),
    Column("approved_at", "g.decided_at", "moment"),
    Column("return_reason", "i.reasons", "text"),
    Column("label_currency", "q.cost_currency"),
    Column("postage_fee", "f.fee", "amount"),
)


def joins(category: str = "'refund'") -> str:
    """What a refund `f` is shown with.

    Args:
        category: SQL for the gateway's word for the line of its balance that is told of.
    """
    # The goods are looked up refund by refund, by index. Joined with all goods gathered at once a year takes a third
    # less time, but hours where the planner's statistics are older than the data. What was undone is void, and is told
    # beside the refunds that were canceled with it. Whether any label was bought at all is asked once, so that a shop
    # without carriers does not pay for looking for each one's.
    return f"""
    LEFT JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id JOIN payment p ON p.id = f.payment_id
    LEFT JOIN goodwill g ON g.id = f.release_id AND g.decision = 'approved'
    LEFT JOIN staff s ON g.decided_by = 'staff:' || s.id
    LEFT JOIN (SELECT payment_id, string_agg(gateway_id, ' ' ORDER BY opened_at, id) AS ids FROM dispute
        GROUP BY payment_id) AS d ON d.payment_id = f.payment_id
    LEFT JOIN LATERAL (
        SELECT y.id, y.charge, y.payout_id, y.fee, y.currency, w.arrives
        FROM gateway_line y LEFT JOIN payout w ON w.id = y.payout_id
        WHERE y.source = f.gateway_id AND y.category = {category} ORDER BY y.created_at, y.id LIMIT 1) AS b ON true
    CROSS JOIN LATERAL (
        SELECT sum(c.quantity) AS quantity,
               string_agg(l.sku || '×' || c.quantity, ' ' ORDER BY l.position, c.first_unit)
               FILTER (WHERE c.quantity > 0) AS skus,
               string_agg(DISTINCT v.reason, '; ' ORDER BY v.reason) FILTER (WHERE v.reason <> '') AS reasons
        FROM refund_line c JOIN order_line l ON l.id = c.order_line_id
        LEFT JOIN return_line v ON v.return_id = f.return_id AND v.order_line_id = l.id
        WHERE c.release_id = f.release_id AND (c.voided_at IS NOT NULL) = (f.status = 'canceled')) AS i
    CROSS JOIN LATERAL (
        SELECT string_agg(DISTINCT condition, ' ' ORDER BY condition) AS conditions
        FROM parcel_item WHERE parcel_id = f.parcel_id AND acceptance IN ('accepted', 'part')) AS a
    LEFT JOIN LATERAL (
        SELECT u.cost, u.cost_currency FROM parcel e JOIN label u ON u.return_id = e.return_id AND u.number = e.number
        WHERE e.id = f.parcel_id AND u.cost IS NOT NULL AND u.void_status <> 'refunded'
            AND (SELECT EXISTS (SELECT FROM label WHERE cost IS NOT NULL))
        ORDER BY u.created_at DESC LIMIT 1) AS q ON true
"""  # noqa: S608 - the interpolated text is our own


NOTE: Final = "LEFT JOIN credit_note n ON n.refund_id = f.id AND n.attempt = f.attempt AND n.kind = 'credit_note'"
"""The credit note of its present attempt."""


def moment_column(basis: Basis) -> str:
    """The column that says to which day a refund belongs."""
    return "settled_at" if basis is Basis.SUCCESS else "requested_at"


def condition(filters: Filters) -> tuple[str, dict[str, Any]]:
    """The SQL condition on `refund f`, and its values."""
    moment = f"f.{moment_column(filters.basis)}"
    parts = [f"{moment} >= %(begins)s AND {moment} < %(ends)s"]
    values: dict[str, Any] = {"begins": filters.begins, "ends": filters.ends}
    status = filters.status or (RefundStatus.SUCCEEDED if filters.basis is Basis.SUCCESS else None)
    for name, value in (("status", status), ("destination", filters.destination), ("currency", filters.currency)):
        if value is not None:
            parts.append(f"f.{name} = %({name})s")
            values[name] = str(value)
    return " AND ".join(parts), values


def report_listing(filters: Filters) -> Listing:
    """The report as it is exported, in the order of the page."""
    wanted, values = condition(filters)
    order = f"f.{moment_column(filters.basis)} DESC, f.id DESC"
    return Listing(COLUMNS, f"FROM refund f {joins()} {NOTE} WHERE {wanted}", order, values)


_SELECTED: Final = ", ".join(f"{column.sql} AS {column.name}" for column in COLUMNS)


class ReportRow(msgspec.Struct, frozen=True):
    """A row of the report as the page shows it; amounts in minor units. The fields are the columns."""

    refund_id: UUID
    return_number: str
    order_number: str
    ordered_at: datetime
    kind: str
    reason: str
    status: str
    destination: str
    currency: str
    gross: int
    tax: int
    net: int
    tax_rate: Decimal | None
    shipping: int
    points_bonus: int
    card_leg: int
    points_leg: int
    transfer_leg: int
    requested_at: datetime
    released_at: datetime
    submitted_at: datetime | None
    settled_at: datetime | None
    approver: str | None
    payment_tender: str
    payment_reference: str | None
    imported_reference: str | None
    gateway_refund_id: str | None
    acquirer_reference: str
    failure_reason: str
    dispute_ids: str | None
    charge_id: str | None
    balance_transaction: str | None
    payout_id: str | None
    payout_date: str | None
    credit_note: str | None
    gl_account: str
    skus: str | None
    quantity: int
    conditions: str | None
    livemode: bool
    fee: Decimal | None
    fee_currency: str | None
    label_cost: Decimal | None
    sale_receipt: str | None
    refund_receipt: str | None
    approved_at: datetime | None
    return_reason: str | None
    label_currency: str | None
    postage_fee: int


Place = tuple[datetime, UUID]
"""Where a page ended: the moment and the id of its last row."""


async def page_rows(db: Driver[Any], filters: Filters, *, after: Place | None, limit: int) -> Sequence[ReportRow]:
    """Rows of the report, the newest first, from the one after `after` on."""
    wanted, values = condition(filters)
    moment = f"f.{moment_column(filters.basis)}"
    if after is not None:
        wanted += f" AND ({moment}, f.id) < (%(moment)s, %(id)s)"
        values |= {"moment": after[0], "id": after[1]}
    query = (
        f"SELECT {_SELECTED} FROM refund f {joins()} {NOTE} WHERE {wanted}"  # noqa: S608 - as above
        f" ORDER BY {moment} DESC, f.id DESC LIMIT %(limit)s"
    )
    values["limit"] = limit
    async with db.cursor(row_factory=class_row(ReportRow)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


class Total(msgspec.Struct, frozen=True):
    """The sums of one currency, in minor units."""

    currency: str
    count: int
    gross: int
    tax: int
    net: int
    shipping: int
    points_bonus: int


async def totals(db: Driver[Any], filters: Filters) -> Sequence[Total]:
    """The sums of the whole report, the currency with most refunds first."""
    wanted, values = condition(filters)
    query = (
        "SELECT f.currency, count(*) AS count, CAST(sum(f.amount) AS bigint) AS gross,"  # noqa: S608 - as above
        " CAST(sum(f.tax) AS bigint) AS tax, CAST(sum(f.amount - f.tax) AS bigint) AS net,"
        " CAST(sum(f.shipping) AS bigint) AS shipping,"
        f" CAST(sum(f.bonus) AS bigint) AS points_bonus FROM refund f WHERE {wanted}"
        " GROUP BY f.currency ORDER BY count(*) DESC, f.currency"
    )
    async with db.cursor(row_factory=class_row(Total)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


async def sums_by_day(db: Driver[Any], filters: Filters, currency: str) -> dict[date, tuple[int, int]]:
    """Gross and count of each day (of the shop's zone) that has refunds, in one currency."""
    wanted, values = condition(msgspec.structs.replace(filters, currency=currency))
    cursor = await db.execute(
        f"SELECT CAST(f.{moment_column(filters.basis)} AT TIME ZONE %(zone)s AS date), CAST(sum(f.amount) AS bigint),"  # noqa: S608 - as above
        f" count(*) FROM refund f WHERE {wanted} GROUP BY 1",
        values | {"zone": filters.zone},
    )
    return {day: (gross, count) for day, gross, count in await cursor.fetchall()}


class Split(msgspec.Struct, frozen=True):
    """The refunds of one currency, kind and destination; minor units."""

    currency: str
    kind: str
    destination: str
    count: int
    gross: int


async def splits(db: Driver[Any], filters: Filters) -> Sequence[Split]:
    """The whole report by kind and by where the money went, the largest count of each currency first."""
    wanted, values = condition(filters)
    query = (
        "SELECT f.currency, f.kind, f.destination, count(*) AS count, CAST(sum(f.amount) AS bigint) AS gross"  # noqa: S608 - as above
        f" FROM refund f WHERE {wanted} GROUP BY 1, 2, 3 ORDER BY f.currency, count(*) DESC, 2, 3"
    )
    async with db.cursor(row_factory=class_row(Split)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
