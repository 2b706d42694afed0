"""The commands of finance: proving the books, and the report as a file."""

import asyncio
import sys
from pathlib import Path

import click

from returns_portal.cli.running import database
from returns_portal.finance import books, exports
from returns_portal.finance.filters import Basis
from returns_portal.settings import load_settings


@click.command("check-books")
@click.option("--gateway", is_flag=True, help="Compare with what Stripe (or the sandbox) knows, too.")
def check_books(gateway: bool) -> None:
    """Prove the books: every invariant of money and points. Prints what breaks one; changes nothing.

    The exit code is 0 when all hold, 1 when one is broken, and 2 when the gateway did not answer.
    """
    settings = load_settings()
    with database(settings):
        code = asyncio.run(books.run_check_books(settings, gateway=gateway))
    sys.exit(code)


@click.command("export-refunds")
@click.option("--from", "first", metavar="DAY", help="The first day, as YYYY-MM-DD in the shop's zone.")
@click.option("--to", "last", metavar="DAY", help="The last day; it is in the report.")
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file.")
@click.option(
    "--basis", type=click.Choice([*map(str, Basis)]), default=str(Basis.SUCCESS), show_default=True,
    help="Which day of a refund counts.",
)  # fmt: skip
@click.option("--bom", is_flag=True, help="Begin with the mark by which spreadsheets know UTF-8.")
def export_refunds(first: str | None, last: str | None, out: Path, basis: str, bom: bool) -> None:
    """Write the refunds of a period to a CSV file, which appears whole or not at all."""
    settings = load_settings()
    with database(settings):
        asyncio.run(exports.export_refunds(settings, first=first, last=last, out=out, basis=Basis(basis), bom=bom))
    click.echo(f"Written to {out}.", err=True)
