"""The commands about who may come in: members of staff, and programs with a key."""

import sys
from datetime import datetime
from typing import cast

import click
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal.accounts import actions, queries
from returns_portal.accounts.models import Role, Scope, Staff
from returns_portal.cli.running import OPERATOR, in_transaction


@click.group()
def staff() -> None:
    """Take on, list and disable members of staff."""


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@staff.command()
@click.argument("email")
@click.option("--name", required=True, help="As colleagues see it.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([*map(str, Role)]),
    help="May be given several times.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def add(email: str, name: str, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Take on a member of staff, who signs in with EMAIL."""
    password = _password(from_stdin=password_stdin)
    in_transaction(lambda db: actions.add_staff(db, OPERATOR, email, name, [*roles], password))
    click.echo(f"{email} can sign in.")


@staff.command()
@click.argument("email")
def disable(email: str) -> None:
    """Let nobody sign in with EMAIL any more; what they have open ends at once."""
    in_transaction(lambda db: actions.disable_staff(db, OPERATOR, email))
    click.echo(f"{email} is signed out and cannot sign in any more.")


@staff.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the member of staff with EMAIL, who was disabled, sign in again."""
    in_transaction(lambda db: actions.enable_staff(db, OPERATOR, email))
    click.echo(f"{email} can sign in again.")


@staff.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def change_password(email: str, password_stdin: bool) -> None:
    """Give the member of staff with EMAIL another password; they are signed out everywhere."""
    password = _password(from_stdin=password_stdin)
    in_transaction(lambda db: actions.change_password(db, OPERATOR, email, password))
    click.echo(f"{email} has another password and has to sign in again.")


@staff.command("list")
def list_staff() -> None:
    """List who can sign in, and as what."""

    async def members(db: AsyncConnection) -> list[Row[str, str, list[str], datetime | None]]:
        query = select(col(Staff.email), col(Staff.name), col(Staff.roles), col(Staff.disabled_at))
        return [*await db.execute(query.order_by(col(Staff.email)))]

    for email, name, roles, disabled_at in in_transaction(members):
        state = f"disabled {disabled_at:%Y-%m-%d}" if disabled_at else "in use"
        click.echo(f"{email}  {state}  {','.join(roles)}  {name}")


@click.group("api-key")
def api_key() -> None:
    """Make, list and revoke keys of the JSON API."""


@api_key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([*map(str, Scope)]),
    help="May be given several times.",
)
def create(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    click.echo(in_transaction(lambda db: actions.create_api_key(db, OPERATOR, name, [*scopes])))


@api_key.command("list")
def list_keys() -> None:
    """List the keys by the characters that they begin with."""
    for key in in_transaction(lambda db: queries.api_keys(db, OPERATOR)):
        scopes = cast("list[str]", key["scopes"])
        state = f"revoked {key['revoked_at']:%Y-%m-%d}" if key["revoked_at"] else "in use"
        click.echo(f"{key['prefix']}  {state}  {','.join(scopes)}  {key['name']}")


@api_key.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Let the key that `list` shows as PREFIX open nothing any more."""

    async def by_prefix(db: AsyncConnection) -> None:
        await actions.revoke_api_key(db, OPERATOR, await queries.api_key_id(db, prefix))

    in_transaction(by_prefix)
    click.echo(f"{prefix} is revoked.")
