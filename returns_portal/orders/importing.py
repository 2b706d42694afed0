"""Orders from files: streamed, in batches, each order whole or not at all.

A file that cannot be read as a whole changes nothing. An order that cannot be taken is reported with its line, number
and reason, and the others are taken. Memory does not grow with the file, but for the list of what was rejected.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, csvfiles
from returns_portal.accounts.rules import order_number
from returns_portal.actor import SYSTEM
from returns_portal.csvfiles import Group
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, DomainError, InvalidError
from returns_portal.i18n import mark
from returns_portal.imports import ImportReport, Progress, Rejection
from returns_portal.orders import portal_csv, shopify
from returns_portal.orders.actions import Outcome, store
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.rows import Prepared, insert_new
from returns_portal.payments.models import Tender
from returns_portal.settings import Settings

Format = Literal["shopify", "portal"]
BATCH: Final = 200
_LAYOUTS: Final = {"shopify": shopify.LAYOUT, "portal": portal_csv.LAYOUT}
_KNOWN: Final = """
    SELECT o.number, o.fingerprint, o.updated_at,
           EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.tender = 'stripe') AS has_stripe
    FROM orders o WHERE o.number = ANY(:numbers)
"""


class _Read(NamedTuple):
    """An order of the file that can be stored."""

    rows: Group
    new: Prepared


_Result = tuple[Group, Outcome | Rejection]


async def import_orders(
    begin: Begin,
    path: Path,
    *,
    fmt: Format,
    dry_run: bool,
    sandbox_payments: bool,
    settings: Settings,
    progress: Progress | None = None,
) -> ImportReport:
    """Take in the orders of a file; the same file again changes nothing.

    Args:
        begin: Opens a transaction for each batch.
        path: The file.
        fmt: `shopify` for Shopify's orders export, `portal` for the columns of `portal_csv`.
        dry_run: Do everything, then undo it.
        sandbox_payments: Have the sandbox hold a captured payment for every paid card order.
        settings: Tell whether there is a sandbox.
        progress: Told after each batch.

    Raises:
        InvalidError: the file cannot be read as a whole, or there is no sandbox for payments; nothing was changed.
    """
    if sandbox_payments and not settings.sandbox:
        raise InvalidError(mark("Payments can only be made up in the sandbox, and this portal has a Stripe key."))
    total = csvfiles.inspect(path, _LAYOUTS[fmt])
    report, done, started = ImportReport(), 0, clock.now()
    for batch in _batches(csvfiles.read(path, _LAYOUTS[fmt])):
        results: list[_Result] = []
        readable: list[_Read] = []
        for rows in batch:
            try:
                readable.append(_Read(rows, _prepare(rows, fmt, settings, sandbox_payments)))
            except DomainError as error:
                results.append((rows, _rejection(rows, error)))
        results += await _store_batch(begin, readable, started, dry_run)
        _count(report, results)
        done += sum(len(rows.rows) for rows in batch)
        if progress is not None:
            progress(done, total)
    return report


def _batches(orders: Iterator[Group]) -> Iterator[list[Group]]:
    """Batches in which no number stands twice: one statement could not tell the two apart."""
    batch: dict[str, Group] = {}
    for order in orders:
        number = order_number(order.key)
        if len(batch) == BATCH or number in batch:
            yield list(batch.values())
            batch = {}
        batch[number] = order
    if batch:
        yield list(batch.values())


def _prepare(rows: Group, fmt: Format, settings: Settings, sandbox_payments: bool) -> Prepared:
    if rows.misshapen:
        raise InvalidError(mark("Line {line} has not as many cells as there are columns."), line=rows.misshapen)
    order = shopify.read(rows, livemode=not settings.sandbox) if fmt == "shopify" else portal_csv.read(rows)
    stored_as = _with_sandbox_payments(order) if sandbox_payments else None
    return Prepared.of(order, settings, source=fmt, stored_as=stored_as)


def _with_sandbox_payments(order: OrderInput) -> OrderInput:
    """The order with its card payments to be made in the sandbox; what the file called them stays beside it."""
    payments = [
        replace(payment, tender=Tender.STRIPE, reference=None)
        if payment.tender == Tender.EXTERNAL and shopify.is_card(payment.method)
        else payment
        for payment in order.payments
    ]
    return replace(order, payments=payments)


def _rejection(rows: Group, error: DomainError) -> Rejection:
    return Rejection.of(rows.line, order_number(rows.key), error)


def _count(report: ImportReport, results: list[_Result]) -> None:
    for _rows, outcome in results:
        report.count(outcome)
    report.rejected.sort(key=lambda rejection: rejection.line)


async def _store_batch(begin: Begin, batch: list[_Read], started: datetime, dry_run: bool) -> list[_Result]:
    """Store a batch in one transaction, or, where the database refuses one of it, each order in its own."""
    try:
        return await _in_transaction(begin, batch, started, dry_run)
    except (ConflictError, IntegrityError, DataError, OperationalError):
        # An operational error may be a deadlock with another import; any other one is met again, and raised, below.
        return [await _store_one(begin, read, started, dry_run) for read in batch]


async def _store_one(begin: Begin, read: _Read, started: datetime, dry_run: bool) -> _Result:
    try:
        return (await _in_transaction(begin, [read], started, dry_run))[0]
    except ConflictError as error:
        return read.rows, _rejection(read.rows, error)
    except (IntegrityError, DataError):
        refused = InvalidError(mark("The database refuses this order."))
        return read.rows, _rejection(read.rows, refused)


async def _in_transaction(begin: Begin, batch: list[_Read], started: datetime, dry_run: bool) -> list[_Result]:
    if not batch:
        return []
    async with begin() as db:
        results = await _store(db, batch, started)
        if dry_run:
            await db.rollback()
    return results


async def _store(db: AsyncConnection, batch: list[_Read], started: datetime) -> list[_Result]:
    found = await db.execute(text(_KNOWN), {"numbers": [read.new.order.number for read in batch]})
    known = {row.number: row for row in found}
    fresh = [read.new for read in batch if read.new.order.number not in known]
    created = await insert_new(db, SYSTEM, fresh) if fresh else {}
    results: list[_Result] = []
    for rows, new in batch:
        stored = known.get(new.order.number)
        if new.order.number in created:
            outcome: Outcome | Rejection = "created"
        elif stored is None:
            outcome = (await store(db, SYSTEM, new)).outcome
        elif stored.fingerprint == new.fingerprint and (stored.has_stripe or not new.wants_sandbox):
            outcome = "unchanged"
        elif stored.updated_at > started:
            # Which of two different orders of one number is the right one, the file does not say.
            twice = ConflictError(mark("The file has another order of this number, or it was just changed."))
            outcome = _rejection(rows, twice)
        else:
            outcome = await _brought_up_to_date(db, rows, new)
        results.append((rows, outcome))
    return results


async def _brought_up_to_date(db: AsyncConnection, rows: Group, new: Prepared) -> Outcome | Rejection:
    try:
        return (await store(db, SYSTEM, new)).outcome
    except ConflictError as error:
        # Refused before anything was written, so the batch goes on; any other conflict has broken its transaction.
        if error.code != "order_frozen":
            raise
        return _rejection(rows, error)
