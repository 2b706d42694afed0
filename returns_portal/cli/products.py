"""The commands that take products in."""

import asyncio
import sys
from pathlib import Path
from typing import get_args

import click

from returns_portal.catalog import importing
from returns_portal.catalog.from_orders import Made
from returns_portal.catalog.from_orders import products_from_orders as make_products
from returns_portal.catalog.importing import Format, ProductReport
from returns_portal.cli.importing import UNUSABLE, bar, finish
from returns_portal.cli.running import OPERATOR, database, in_transaction
from returns_portal.db import beginner, create_engine
from returns_portal.errors import InvalidError
from returns_portal.settings import load_settings


@click.command("import-products")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option(
    "--format", "fmt", type=click.Choice(get_args(Format)), default="shopify", show_default=True,
    help="Shopify's product export, or the portal's own columns.",
)  # fmt: skip
@click.option("--currency", default="", help="Of the prices in Shopify's file; by default that of most orders lately.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def import_products(file: Path, fmt: Format, currency: str, dry_run: bool) -> None:
    """Import a FILE of products. The same file again changes nothing.

    A product that cannot be taken is rejected whole, by line, handle and reason, and the rest is taken; the exit code
    is then 1. A file that cannot be read as a whole changes nothing; the exit code is then 2. Variants that are not in
    the file are no longer offered; pictures that it names are not downloaded.
    """
    with database(load_settings()) as url:
        try:
            report = asyncio.run(_import(url, file, fmt, currency, dry_run))
        except InvalidError as error:
            click.echo(f"{file.name}: {error}", err=True)
            sys.exit(UNUSABLE)
    _tell(report)
    finish(report, "product", dry_run=dry_run)


async def _import(url: str, file: Path, fmt: Format, currency: str, dry_run: bool) -> ProductReport:
    engine = create_engine(url, size=1, name="returns-portal import")
    try:
        with bar() as progress:
            return await importing.import_products(
                beginner(engine), file, fmt=fmt, currency=currency, dry_run=dry_run, progress=progress
            )
    finally:
        await engine.dispose()


def _tell(report: ProductReport) -> None:
    if report.currency:
        click.echo(f"prices are in {report.currency}")
    if report.pictures:
        click.echo(f"{report.pictures} pictures are named in the file and were not downloaded; add them at /shop-admin")
    if report.barcodes:
        click.echo(f"{report.barcodes} barcodes are no EAN and were left out")


@click.command("products-from-orders")
def products_from_orders() -> None:
    """Make products of what imported orders name. They are not listed until somebody says so at /shop-admin."""
    made: Made = in_transaction(lambda db: make_products(db, OPERATOR))
    for article in made.left_out:
        click.echo(f"{article.sku}: {article.reason}")
    click.echo(
        f"{made.created} products created, {made.updated} updated, {made.variants} variants,"
        f" {len(made.left_out)} articles left out"
    )
