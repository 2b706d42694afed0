"""The command that makes many labels at once."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click

from returns_portal.cli.importing import UNUSABLE, bar
from returns_portal.cli.running import OPERATOR, database
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.errors import InvalidError
from returns_portal.i18n import translate
from returns_portal.imports import Progress
from returns_portal.labels import runs
from returns_portal.labels.content import Size
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.labels.run_files import digest, numbers_in
from returns_portal.labels.run_reading import PROBLEMS, RefusedRow, RunView, refused_rows, run_for
from returns_portal.labels.runs import MOST_ROWS, PAUSE, Wanted
from returns_portal.settings import load_settings


@click.command()
@click.option(
    "--from-csv", "file", required=True, type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A CSV file with a column rma: the numbers of the returns.",
)  # fmt: skip
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PDF.")
@click.option("--size", type=click.Choice(get_args(Size)), default="4x6", show_default=True, help="The paper.")
@click.option("--renew", is_flag=True, help="Make new labels where the last one was given back.")
def labels(file: Path, out: Path, size: Size, renew: bool) -> None:
    """Make the labels of many returns into one PDF, in the order of the file. No label is bought twice.

    Ended in the middle, it goes on where it was when it is started again in the same way. A return without a label is
    named by line, number and reason, and the rest is made; the exit code is then 1. A file that cannot be read as a
    whole makes nothing; the exit code is then 2.
    """
    if not os.access(out.absolute().parent, os.W_OK | os.X_OK):
        raise click.BadParameter(f"{out.absolute().parent} is no folder that can be written to.", param_hint="-o")
    try:
        rows = numbers_in(file)
        wanted = Wanted(rows, size, file.name, renew=renew)
        wish = digest("command", file.read_bytes(), size, str(renew), str(out.resolve()))
        run, refused = _made(wanted, wish, out)
    except InvalidError as error:
        click.echo(f"{file.name}: {error}", err=True)
        sys.exit(UNUSABLE)
    for row in refused:
        click.echo(f"line {row.line}, return {row.given or '–'}: {translate(PROBLEMS[row.problem])}")
    said = f"{run.labels} labels, {run.refused} returns without one"
    click.echo(f"{said}; written to {out}" if run.labels else f"{said}; no file was written")
    sys.exit(1 if run.refused else 0)


def _made(wanted: Wanted, wish: str, out: Path) -> tuple[RunView, list[RefusedRow]]:
    settings = load_settings()

    async def make(url: str) -> tuple[RunView, list[RefusedRow]]:
        engine = create_engine(url, size=2, name="returns-portal command")
        renderer = LabelRenderer(modest=True)
        try:
            with _progress() as progress:
                return await _make(beginner(engine), renderer, wanted, wish, out, progress, settings.livemode)
        finally:
            await renderer.stop()
            await engine.dispose()

    with database(settings) as url:
        return asyncio.run(make(url))


async def _make(
    begin: Begin, renderer: LabelRenderer, wanted: Wanted, wish: str, out: Path, progress: Progress, livemode: bool
) -> tuple[RunView, list[RefusedRow]]:
    """Make it to its end, from where it was left."""
    async with begin() as db:
        run_id = await runs.start(db, OPERATOR, wanted, wish=wish, at_command=True)
        run = await run_for(db, OPERATOR, run_id)
    progress(run.rows_done, run.rows_total)
    while run.rows_done < run.rows_total:
        if not await runs.make_part(begin, renderer, run_id, run.rows_done // runs.BATCH, sandbox=not livemode):
            await asyncio.sleep(PAUSE.total_seconds())
        async with begin() as db:
            run = await run_for(db, OPERATOR, run_id)
        progress(run.rows_done, run.rows_total)
    await runs.bind(begin, renderer, run_id, out)
    async with begin() as db:
        refused = await refused_rows(db, run_id, MOST_ROWS)
        await runs.handed_over(db, run_id)
    return run, refused


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar where somebody looks; plain lines on standard error for a file or a program."""
    if sys.stderr.isatty():
        with bar("Returns") as tell:
            yield tell
        return
    yield lambda done, total: click.echo(f"{done} of {total} returns", err=True)
