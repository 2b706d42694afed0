"""The commands about what is kept of a person, for wishes that come by letter or telephone."""

import sys
from pathlib import Path

import click

from returns_portal import i18n
from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.documents.record import render
from returns_portal.privacy.erasing import StillOpenError, erase
from returns_portal.privacy.exporting import collect
from returns_portal.privacy.standing import in_words
from returns_portal.settings import load_settings


@click.group()
def privacy() -> None:
    """Show what is kept of a person, or forget them. Make sure first that it is they who ask."""


@privacy.command()
@click.argument("email")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for my-data.json and my-data.pdf; made where it is missing.",
)
@click.option("--locale", default=i18n.DEFAULT, show_default=True, help="The language of the PDF.")
def export(email: str, folder: Path, locale: str) -> None:
    """Write everything that is kept of EMAIL to two files."""
    settings = load_settings()
    data, record = in_transaction(lambda db: collect(db, settings, email, locale))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "my-data.json").write_bytes(data)
    (folder / "my-data.pdf").write_bytes(render(record))
    click.echo(f"Written to {folder}.")


@privacy.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask once more.")
def erase_person(email: str, yes: bool) -> None:
    """Forget the person of EMAIL for good; amounts and numbers stay. The exit code is 1 where something is open."""
    if not yes:
        click.confirm("Names, addresses, letters and photos are erased for good. Go on?", abort=True)
    try:
        erased = in_transaction(lambda db: erase(db, OPERATOR, email))
    except StillOpenError as error:
        click.echo("Nothing was erased:", err=True)
        for sentence in in_words(error.found):
            click.echo(sentence, err=True)
        sys.exit(1)
    click.echo(f"Forgotten. Orders without a name now: {erased.orders}.")
