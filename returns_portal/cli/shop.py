"""The commands about the shop."""

import re
from typing import Final

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.errors import InvalidError
from returns_portal.policies.actions import amend
from returns_portal.shop.actions import update_shop
from returns_portal.shop.queries import AMENDED, DEFAULT, ShopInfo, current


@click.group()
def shop() -> None:
    """Show or set what the shop is called and what it promises."""


@shop.command()
def show() -> None:
    """Print every setting as `key=value`, in the form in which `set` takes them.

    The logo, the shop's own words, its opening hours and what is done about new orders are not among them: they are
    set on pages of their own.
    """
    _print(in_transaction(current))


@shop.command("set")
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(settings: tuple[str, ...]) -> None:
    """Change settings, such as return_days=100 or "address.city=Plovdiv"; other processes see it within 5 s.

    return_days and bonus_percent make a new version of the policy, for orders from now on.
    """
    changes = _parsed(settings)
    _print(in_transaction(lambda db: _set(db, changes)))


async def _set(db: AsyncConnection, changes: dict[str, object]) -> ShopInfo:
    promised = {field: _number(field, changes.pop(field)) for field in AMENDED if field in changes}
    if promised:
        await amend(db, OPERATOR, **promised)
    await update_shop(db, OPERATOR, **changes)
    return await current(db)


def _number(field: str, value: object) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", str(value)):
        raise InvalidError("{name} is not of the right kind.", field=field, name=field)
    return int(str(value))


def _parsed(settings: tuple[str, ...]) -> dict[str, object]:
    changes: dict[str, object] = {}
    address: dict[str, str] = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise click.BadParameter(f"{setting} is not like KEY=VALUE.", param_hint="settings")
        if key.startswith("address."):
            address[key.removeprefix("address.")] = value
        else:
            changes[key] = value
    if address:
        changes["address"] = address
    return changes


_ELSEWHERE: Final = frozenset({"address", "confirming", "hours", "logo", "pays_postage", "texts", "warehouses"})
"""What is no `key=value`: printed in parts, or not at all."""


def _print(info: ShopInfo) -> None:
    for key, value in msgspec.to_builtins(info).items():
        if key not in _ELSEWHERE:
            click.echo(f"{key}={'null' if value is None else value}")
    for part in DEFAULT.address:
        click.echo(f"address.{part}={info.address.get(part, '')}")
