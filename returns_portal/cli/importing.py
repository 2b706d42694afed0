"""What the commands that import files share: the bar that grows, and what is said at the end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich import progress
from rich.console import Console

from returns_portal.cli.group import WRONG_SETTINGS
from returns_portal.imports import ImportReport, Progress

UNUSABLE: Final = WRONG_SETTINGS
"""The exit code for a file that cannot be read as a whole; 1 says that something of it was rejected."""


@contextmanager
def bar(what: str = "Rows") -> Iterator[Progress]:
    """A bar on standard error; it appears with the first rows, and not at all for a file that cannot be read."""
    shown = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: list[progress.TaskID] = []

    def tell(done: int, total: int) -> None:
        if not tasks:
            tasks.append(shown.add_task(what))
            shown.start()
        shown.update(tasks[0], completed=done, total=total)

    try:
        yield tell
    finally:
        if tasks:
            shown.stop()


def finish(report: ImportReport, what: str, *, dry_run: bool) -> None:
    """Say what was rejected and how many were taken, and end with the exit code that fits."""
    for rejection in report.rejected:
        click.echo(f"line {rejection.line}, {what} {rejection.key}: {rejection.reason}")
    counts = (report.created, report.updated, report.unchanged, len(report.rejected))
    words = ("created", "updated", "unchanged", "rejected")
    said = ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True))
    click.echo(f"{said} (dry run: nothing was changed)" if dry_run else said)
    sys.exit(report.exit_code)
