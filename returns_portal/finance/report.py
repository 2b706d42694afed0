"""The refund report: one SELECT, which the page shows and the export writes.

The export is CSV (RFC 4180 quoting, UTF-8, lines end in LF) with one row per refund and this header:

- `refund_id`, `return_number`, `order_number`
- `status`: planned, awaiting_transfer, submitting, pending, succeeded, failed, canceled, unknown
- `destination`: original (the card), points, transfer
- `currency`: ISO 4217
- `gross`, `tax`, `net`, `shipping`, `points_bonus`: decimal numbers in major units, with the currency's own number of
  places. `net` is gross less tax; `tax` and `shipping` are in the gross; the bonus is on top of it. Points have the
  worth in currency that they stand for.
- `requested_at` (the return was filed), `released_at` (its parcel was checked in, or the decision made), `submitted_at`
  (sent to the gateway), `settled_at` (succeeded): UTC, RFC 3339
- `payment_tender`: stripe, points, external; `payment_reference`: Stripe's PaymentIntent; `imported_reference`: what
  the shop's file calls the payment
- `gateway_refund_id`, `acquirer_reference` (for transfers, the bank's reference), `failure_reason`
- `skus` (`sku×n`, separated by spaces) and `quantity`: the goods of the parcel that the refund is for. Where several
  payments share a parcel, or decisions came later, each of its refunds shows them.
- `livemode`: false where no money moved
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from babel import Locale
from psycopg import AsyncConnection as Driver
from psycopg.rows import class_row

from returns_portal.finance.cells import safe_sql
from returns_portal.finance.filters import Basis, Filters
from returns_portal.money import exponent, is_currency
from returns_portal.refunds.models import RefundStatus


class Column(NamedTuple):
    """A column of the report: its name, its SQL, and what it holds."""

    name: str
    sql: str
    kind: str = "plain"


COLUMNS: Final = (
    Column("refund_id", "f.id"),
    Column("return_number", "r.rma"),
    Column("order_number", "o.number", "text"),
    Column("status", "f.status"),
    Column("destination", "f.destination"),
    Column("currency", "f.currency"),
    Column("gross", "f.amount", "amount"),
    Column("tax", "f.tax", "amount"),
    Column("net", "f.amount - f.tax", "amount"),
    Column("shipping", "f.shipping", "amount"),
    Column("points_bonus", "f.bonus", "amount"),
    Column("requested_at", "f.requested_at", "moment"),
    Column("released_at", "f.created_at", "moment"),
    Column("submitted_at", "f.submitted_at", "moment"),
    Column("settled_at", "f.settled_at", "moment"),
    Column("payment_tender", "p.tender"),
    Column("payment_reference", "p.reference", "text"),
    Column("imported_reference", "p.imported_reference", "text"),
    Column("gateway_refund_id", "f.gateway_id", "text"),
    Column("acquirer_reference", "f.gateway_reference", "text"),
    Column("failure_reason", "f.failure_reason", "text"),
    Column("skus", "i.skus", "text"),
    Column("quantity", "coalesce(i.quantity, 0)"),
    Column("livemode", "f.livemode", "flag"),
)

_SELECTED: Final = ", ".join(f"{column.sql} AS {column.name}" for column in COLUMNS)

# The goods are looked up refund by refund, by index. Joined with all goods gathered at once a year takes a third less
# time, but hours where the planner's statistics are older than the data. What was undone is void, and is told beside
# the refunds that were canceled with it.
_FROM: Final = """
    FROM refund f LEFT JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id
    JOIN payment p ON p.id = f.payment_id
    CROSS JOIN LATERAL (
        SELECT sum(c.quantity) AS quantity,
               string_agg(l.sku || '×' || c.quantity, ' ' ORDER BY l.position, c.first_unit) AS skus
        FROM refund_line c JOIN order_line l ON l.id = c.order_line_id
        WHERE c.release_id = f.release_id AND (c.voided_at IS NOT NULL) = (f.status = 'canceled')) AS i
"""


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


def export_query(filters: Filters) -> tuple[str, dict[str, Any]]:
    """The report as it is exported: every cell as text or number, in the order of the page."""
    wanted, values = condition(filters)
    cells = ", ".join(f"{_cell(column)} AS {column.name}" for column in COLUMNS)
    moment = moment_column(filters.basis)
    select = f"SELECT {_SELECTED}, {_SCALE} AS scale {_FROM} WHERE {wanted} ORDER BY f.{moment} DESC, f.id DESC"
    return f"SELECT {cells} FROM ({select}) AS report", values  # noqa: S608 - our own text


def _cell(column: Column) -> str:
    match column.kind:
        case "text":
            return safe_sql(column.name)
        case "amount":
            # Whole minor units times 0.01 are a decimal number of two places, exactly, and so on.
            return f"{column.name} * scale"
        case "moment":
            return f"""to_char({column.name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
        case "flag":
            return f"CAST({column.name} AS text)"
        case _:
            return column.name


def _places() -> dict[int, list[str]]:
    """The currencies whose minor unit is not a hundredth, by their decimal places; the books' own table decides."""
    found: dict[int, list[str]] = {}
    for code in sorted(filter(is_currency, Locale("en").currencies)):
        places = exponent(code)
        if places != 2:  # noqa: PLR2004 - the ELSE of the expression made of this
            found.setdefault(places, []).append(code)
    return found


def _scale() -> str:
    cases = " ".join(
        f"WHEN f.currency IN ({', '.join(repr(code) for code in codes)}) THEN {10**-places:.{places}f}"
        for places, codes in sorted(_places().items())
    )
    return f"CASE {cases} ELSE 0.01 END"


_SCALE: Final = _scale()


class ReportRow(msgspec.Struct, frozen=True):
    """A row of the report as the page shows it; amounts in minor units. The fields are the columns."""

    refund_id: UUID
    return_number: str
    order_number: str
    status: str
    destination: str
    currency: str
    gross: int
    tax: int
    net: int
    shipping: int
    points_bonus: int
    requested_at: datetime
    released_at: datetime
    submitted_at: datetime | None
    settled_at: datetime | None
    payment_tender: str
    payment_reference: str | None
    imported_reference: str | None
    gateway_refund_id: str | None
    acquirer_reference: str
    failure_reason: str
    skus: str | None
    quantity: int
    livemode: bool


Place = tuple[datetime, UUID]
"""Where a page ended: the moment and the id of its last row."""


async def page_rows(db: Driver[Any], filters: Filters, *, after: Place | None, limit: int) -> Sequence[ReportRow]:
    """Rows of the report, the newest first, from the one after `after` on."""
    wanted, values = condition(filters)
    moment = f"f.{moment_column(filters.basis)}"
    if after is not None:
        wanted += f" AND ({moment}, f.id) < (%(moment)s, %(id)s)"
        values |= {"moment": after[0], "id": after[1]}
    query = f"SELECT {_SELECTED} {_FROM} WHERE {wanted} ORDER BY {moment} DESC, f.id DESC LIMIT %(limit)s"
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
