"""The command that imports orders."""

import asyncio
import sys
from pathlib import Path
from typing import get_args

import click

from returns_portal.cli.importing import UNUSABLE, bar, finish
from returns_portal.cli.running import database
from returns_portal.db import beginner, create_engine
from returns_portal.errors import InvalidError
from returns_portal.imports import ImportReport
from returns_portal.orders import importing
from returns_portal.orders.importing import Format
from returns_portal.settings import Settings, load_settings


@click.command("import-orders")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option(
    "--format", "fmt", type=click.Choice(get_args(Format)), default="shopify", show_default=True,
    help="Shopify's orders export, or the portal's own columns.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--sandbox-payments", is_flag=True, help="Give every paid card order a payment in the sandbox.")
def import_orders(file: Path, fmt: Format, dry_run: bool, sandbox_payments: bool) -> None:
    """Import a FILE of orders. The same file again changes nothing.

    An order that cannot be taken is rejected whole, by line, number and reason, and the rest is taken; the exit code
    is then 1. A file that cannot be read as a whole changes nothing; the exit code is then 2.
    """
    settings = load_settings()
    with database(settings) as url:
        try:
            report = asyncio.run(_import(url, settings, file, fmt, dry_run, sandbox_payments))
        except InvalidError as error:
            click.echo(f"{file.name}: {error}", err=True)
            sys.exit(UNUSABLE)
    finish(report, "order", dry_run=dry_run)


async def _import(
    url: str, settings: Settings, file: Path, fmt: Format, dry_run: bool, sandbox_payments: bool
) -> ImportReport:
    engine = create_engine(url, size=1, name="returns-portal import")
    try:
        with bar() as progress:
            return await importing.import_orders(
                beginner(engine),
                file,
                fmt=fmt,
                dry_run=dry_run,
                sandbox_payments=sandbox_payments,
                settings=settings,
                progress=progress,
            )
    finally:
        await engine.dispose()
