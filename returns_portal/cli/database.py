"""The commands about the schema."""

import sys

import click

from returns_portal import migrate as migrations
from returns_portal.cli.running import database
from returns_portal.embedded import running
from returns_portal.prepare import prepare
from returns_portal.settings import load_settings


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version. Safe at any time, and by several at once."""
    with running(load_settings()) as url:
        prepare(url)
    click.echo("The database is up to date.")


@click.command("check-migrations")
def check_migrations() -> None:
    """Compare the tables that the code declares with those that the migrations have made."""
    with database(load_settings()) as url:
        differences = migrations.differences(url)
    if differences:
        click.echo(differences, err=True)
        sys.exit(1)
