"""The command that imports orders."""

import asyncio
import sys
from pathlib import Path
from typing import Final, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from returns_portal.cli.group import WRONG_SETTINGS
from returns_portal.cli.running import database
from returns_portal.db import beginner, create_engine
from returns_portal.errors import InvalidError
from returns_portal.orders import importing
from returns_portal.orders.importing import Format, ImportReport
from returns_portal.settings import Settings, load_settings

UNUSABLE: Final = WRONG_SETTINGS
"""The exit code for a file that cannot be read as a whole; 1 says that orders of it were rejected."""


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
    _print(report, dry_run)
    sys.exit(report.exit_code)


async def _import(
    url: str, settings: Settings, file: Path, fmt: Format, dry_run: bool, sandbox_payments: bool
) -> ImportReport:
    engine = create_engine(url, size=1, name="returns-portal import")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: list[TaskID] = []

    def progress(done: int, total: int) -> None:
        # The bar appears with the first batch, and not at all for a file that cannot be read.
        if not tasks:
            tasks.append(bar.add_task("Rows"))
            bar.start()
        bar.update(tasks[0], completed=done, total=total)

    try:
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
        if tasks:
            bar.stop()
        await engine.dispose()


def _print(report: ImportReport, dry_run: bool) -> None:
    for rejection in report.rejected:
        click.echo(f"line {rejection.line}, order {rejection.number}: {rejection.reason}")
    counts = (report.created, report.updated, report.unchanged, len(report.rejected))
    words = ("created", "updated", "unchanged", "rejected")
    said = ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True))
    click.echo(f"{said} (dry run: nothing was changed)" if dry_run else said)
