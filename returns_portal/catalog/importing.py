"""Products from files: streamed, in batches, each product whole or not at all.

A file that cannot be read as a whole changes nothing. A product that cannot be taken is reported with its line, handle
and reason, and the others are taken. Memory does not grow with the file, but for the list of what was rejected.
"""

from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, csvfiles
from returns_portal.actor import SYSTEM
from returns_portal.catalog import portal_csv, shopify
from returns_portal.catalog.actions import Outcome, put_product
from returns_portal.catalog.intake import ProductInput
from returns_portal.catalog.shopify import Read
from returns_portal.csvfiles import Group
from returns_portal.db import Begin, run
from returns_portal.errors import ConflictError, DomainError, InvalidError
from returns_portal.i18n import mark
from returns_portal.imports import ImportReport, Progress, Rejection
from returns_portal.money import is_currency

Format = Literal["shopify", "portal"]

BATCH: Final = 100
_LAYOUTS: Final = {"shopify": shopify.LAYOUT, "portal": portal_csv.LAYOUT}


class ProductReport(ImportReport):
    """What became of a file's products, and what of them stayed behind."""

    pictures: int = 0
    """How many pictures the file names; none is fetched."""
    barcodes: int = 0
    """How many barcodes are no EAN, and were left out."""
    currency: str = ""
    """In which currency the prices of a file that names none were taken."""


async def import_products(
    begin: Begin,
    path: Path,
    *,
    fmt: Format,
    dry_run: bool,
    currency: str = "",
    progress: Progress | None = None,
) -> ProductReport:
    """Take in the products of a file; the same file again changes nothing.

    Args:
        begin: Opens a transaction for each batch.
        path: The file.
        fmt: `shopify` for Shopify's product export, `portal` for the columns of `portal_csv`.
        dry_run: Do everything, then undo it.
        currency: Of the prices in Shopify's file, which names none; by default that of most orders lately.
        progress: Told after each batch.

    Raises:
        InvalidError: the file cannot be read as a whole, or its currency is not known; nothing was changed.
    """
    total = csvfiles.inspect(path, _LAYOUTS[fmt])
    report, done, started = ProductReport(), 0, clock.now()
    if fmt == "shopify":
        report.currency = await _currency(begin, currency)
    groups = csvfiles.read(path, _LAYOUTS[fmt])
    while batch := list(islice(groups, BATCH)):
        async with begin() as db:
            for group in batch:
                await _take(db, group, report, started)
            if dry_run:
                await db.rollback()
        done += sum(len(group.rows) for group in batch)
        if progress is not None:
            progress(done, total)
    return report


async def _take(db: AsyncConnection, group: Group, report: ProductReport, started: datetime) -> None:
    """Take one product in, in a transaction within the batch's, so that what is wrong with it harms no other."""
    try:
        found = _read(group, report.currency)
        async with db.begin_nested():
            outcome: Outcome | Rejection = await _put(db, found.product, started)
    except DataError:
        outcome = Rejection.of(group.line, group.key, InvalidError(mark("The database refuses this product.")))
    except DomainError as error:
        outcome = Rejection.of(group.line, group.key, error)
    else:
        report.pictures += found.pictures
        report.barcodes += found.barcodes
    report.count(outcome)


def _read(group: Group, currency: str) -> Read:
    if group.misshapen:
        raise InvalidError(mark("Line {line} has not as many cells as there are columns."), line=group.misshapen)
    return shopify.read(group, currency) if currency else Read(portal_csv.read(group))


_WHEN: Final = "SELECT updated_at FROM product WHERE handle = :handle"


async def _put(db: AsyncConnection, product: ProductInput, started: datetime) -> Outcome:
    before = await run(db, _WHEN, handle=product.handle)
    outcome = (await put_product(db, SYSTEM, product)).outcome
    if outcome == "updated" and before and before[0].updated_at >= started:
        # Which of two different products of one name is the right one, the file does not say.
        raise ConflictError(mark("The file has another product of this name, or it was just changed."))
    return outcome


_LATELY: Final = """
    SELECT currency FROM (SELECT currency FROM orders ORDER BY id DESC LIMIT 500) AS lately
    GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
"""


async def _currency(begin: Begin, given: str) -> str:
    code = given.strip().upper()
    if not code:
        async with begin() as db:
            rows = await run(db, _LATELY)
        code = rows[0].currency if rows else ""
    if not code:
        raise InvalidError(
            mark("Shopify's file does not say in which currency its prices are: please say it, as --currency EUR."),
            field="currency",
        )
    if not is_currency(code):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field="currency")
    return code
