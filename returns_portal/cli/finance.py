"""The commands of finance: proving the books, reconciling, closing months, credit notes, and reports as files."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.cli.running import OPERATOR, database, in_transaction
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.finance import books, closing, exports, reconciliation_command
from returns_portal.finance.closed_files import write_closed
from returns_portal.finance.codes import codes, set_codes
from returns_portal.finance.credit_notes import issue
from returns_portal.finance.filters import Basis, day_begins, next_day, parse_month, period
from returns_portal.finance.journal import in_period, journal_listing
from returns_portal.finance.listing import Listing
from returns_portal.settings import Settings, load_settings

T = TypeVar("T")


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


@click.command()
@click.option("--from", "first", metavar="DAY", help="The first day, as YYYY-MM-DD in the shop's zone.")
@click.option("--to", "last", metavar="DAY", help="The last day; it is in the comparison.")
def reconcile(first: str | None, last: str | None) -> None:
    """Compare the ledger with Stripe's balance and payouts. Prints what does not agree, one a line; changes no money.

    Without days: the last 90. The exit code is 0 when all agrees, 1 when something does not, and 2 when Stripe did
    not answer, so that nothing was compared.
    """
    settings = load_settings()
    with database(settings):
        code = asyncio.run(reconciliation_command.run_reconcile(settings, first=first, last=last))
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
    """Write the refunds of a period to a file, which appears whole or not at all.

    It is a workbook where its name ends in .xlsx, else CSV.
    """
    settings = load_settings()
    with database(settings):
        asyncio.run(exports.export_refunds(settings, first=first, last=last, out=out, basis=Basis(basis), bom=bom))
    click.echo(f"Written to {out}.", err=True)


@click.command()
@click.option("--from", "first", metavar="DAY", help="The first day, as YYYY-MM-DD in the shop's zone.")
@click.option("--to", "last", metavar="DAY", help="The last day; it is in the journal.")
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file.")
def journal(first: str | None, last: str | None, out: Path) -> None:
    """Write the journal of a period to a CSV file: one row for each line of the ledger, debit and credit apart."""
    settings = load_settings()

    async def find(_db: AsyncConnection, zone: str) -> Listing:
        begins, ends = period(first, last, zone)
        members = in_period(day_begins(begins, zone), day_begins(next_day(ends), zone))
        return journal_listing(members, zone, livemode=settings.livemode)

    with database(settings):
        asyncio.run(exports.export_listing(settings, out, find))
    click.echo(f"Written to {out}.", err=True)


@click.command("close-month")
@click.argument("month", metavar="YYYY-MM")
def close_month(month: str) -> None:
    """Close a month that is over: its books do not change any more, and its files are written. Months go in order."""
    settings = load_settings()
    first = parse_month(month, "month")

    async def close(begin: Begin) -> bool:
        async with begin() as db:
            closed = await closing.close_month(db, OPERATOR, first)
            found = await closing.month_of(db, OPERATOR, first)
        if found.period_id is not None:
            await write_closed(begin, found.period_id, livemode=settings.livemode)
        return closed

    closed = _with_transactions(settings, close)
    click.echo(f"{month} is closed." if closed else f"{month} was closed before; nothing has changed.")


@click.command("credit-notes")
def credit_notes() -> None:
    """Give numbers to the credit notes of all refunds that have none yet; the worker does so by itself, too."""
    count = _with_transactions(load_settings(), lambda begin: issue(begin, everything=True))
    click.echo(f"{count} numbered.")


def _with_transactions(settings: Settings, action: Callable[[Begin], Awaitable[T]]) -> T:
    """Run something that opens transactions of its own."""

    async def run(url: str) -> T:
        engine = create_engine(url, size=2, name="returns-portal command")
        try:
            return await action(beginner(engine))
        finally:
            await engine.dispose()

    with database(settings) as url:
        return asyncio.run(run(url))


@click.command("account-codes")
@click.argument("changes", nargs=-1, metavar="[ACCOUNT=CODE...]")
def account_codes(changes: tuple[str, ...]) -> None:
    """Show what the shop's bookkeeping calls the accounts of the ledger, or change that: sales_returns=4100."""
    wanted: dict[str, str] = {}
    for change in changes:
        account, separator, code = change.partition("=")
        if not separator:
            raise click.BadParameter(f"{change} is not like ACCOUNT=CODE.", param_hint="changes")
        wanted[account] = code

    async def change_and_read(db: AsyncConnection) -> dict[str, str]:
        await set_codes(db, OPERATOR, wanted)
        return {account.value: code for account, code in (await codes(db)).items()}

    for account, code in in_transaction(change_and_read).items():
        click.echo(f"{account}={code}")
