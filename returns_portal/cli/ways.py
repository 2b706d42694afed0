"""The commands that make ways in for the shop's own e-mails and packing slips."""

from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.inviting import OrderLinks
from returns_portal.accounts.inviting import order_links as make_links
from returns_portal.accounts.queries import order_numbered
from returns_portal.cli.processes import with_secret
from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.documents.pictures import qr_png, qr_svg_file
from returns_portal.settings import load_settings
from returns_portal.web.links import slip_link


@click.command("order-links")
@click.argument("number")
def order_links(number: str) -> None:
    """Print a link that shows order NUMBER for 30 days, and one that lets in once within ten minutes.

    Send them to the order's own address and to nobody else.
    """
    settings = with_secret(load_settings())

    async def make(db: AsyncConnection) -> OrderLinks:
        return await make_links(db, OPERATOR, settings, number)

    made = in_transaction(make)
    click.echo(f"view until {made.view_until:%Y-%m-%d %H:%M} UTC: {made.view}")
    click.echo(f"once until {made.once_until:%Y-%m-%d %H:%M} UTC: {made.once}")


@click.command("slip-qr")
@click.argument("number")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A file that ends with .svg or .png.",
)  # fmt: skip
def slip_qr(number: str, output: Path) -> None:
    """Write the code for the packing slip of order NUMBER: it opens the portal with the number filled in."""
    kind = output.suffix.lower()
    if kind not in {".svg", ".png"}:
        raise click.BadParameter("must end with .svg or .png", param_hint="--output")
    order = in_transaction(lambda db: order_numbered(db, OPERATOR, number))
    held = slip_link(load_settings(), order.number)
    picture = qr_png(held) if kind == ".png" else qr_svg_file(held, title=f"Order {order.number}").encode()
    output.write_bytes(picture)
    click.echo(f"{output}: {held}")
