"""The commands about the shop's policy."""

from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.errors import InvalidError
from returns_portal.policies.actions import publish
from returns_portal.policies.content import read, written
from returns_portal.policies.queries import Version, of_moment, versions_now


@click.group()
def policy() -> None:
    """Show the policy, or make its next version of a file."""


@policy.command()
@click.option("--version", type=int, help="Another version than the one in force.")
def show(version: int | None) -> None:
    """Print a version as JSON, in the form in which `set` takes it."""
    known = in_transaction(versions_now)
    found = (
        next((each for each in known if each.version == version), None) if version else of_moment(known, clock.now())
    )
    if found is None:
        raise click.BadParameter(f"There is no version {version}.", param_hint="version")
    click.echo(msgspec.json.format(msgspec.json.encode(written(found.content)), indent=2).decode())


@policy.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Why, for colleagues.")
def set_(file: Path, note: str) -> None:
    """Make the next version of a file of JSON; it judges orders that are placed from now on."""
    content = read(_json(file))

    async def save(db: AsyncConnection) -> Version:
        return await publish(db, OPERATOR, content, note=note)

    click.echo(f"version {in_transaction(save).version}")


def _json(file: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise InvalidError("This file is no JSON: {reason}.", field=str(file), reason=str(error)) from error
