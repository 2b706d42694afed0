"""The commands about the shop."""

import click
import msgspec

from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.shop.actions import update_shop
from returns_portal.shop.queries import DEFAULT, ShopInfo, current


@click.group()
def shop() -> None:
    """Show or set what the shop is called and what it promises."""


@shop.command()
def show() -> None:
    """Print every setting as `key=value`, in the form in which `set` takes them."""
    _print(in_transaction(current))


@shop.command("set")
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(settings: tuple[str, ...]) -> None:
    """Change settings, such as return_days=100 or "address.city=Plovdiv"; other processes see it within 5 s."""
    changes = _parsed(settings)
    _print(in_transaction(lambda db: update_shop(db, OPERATOR, **changes)))


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


def _print(info: ShopInfo) -> None:
    for key, value in msgspec.to_builtins(info).items():
        if key != "address":
            click.echo(f"{key}={'null' if value is None else value}")
    for part in DEFAULT.address:
        click.echo(f"address.{part}={info.address.get(part, '')}")
