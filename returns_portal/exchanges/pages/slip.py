"""The slip that goes into the parcel of a replacement: that of everything that is sent."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from returns_portal.exchanges.queries import ExchangeView
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.loyalty.card import card_of_parcel
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.tryon.slip import SlipContent, SlipItem
from returns_portal.tryon.slip_renderer import render
from returns_portal.web import formats
from returns_portal.web.transaction import asking


async def printed(request: Request[Any, Any, State], content: SlipContent) -> Response[bytes]:
    """The slip as PDF, by the processes that make documents; with the card that was put into its parcel, if one was."""
    async with asking(request) as (db, actor):
        card = await card_of_parcel(db, actor, content.number)
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await documents.pool.run(render, msgspec.structs.replace(content, card=card)),
        media_type="application/pdf",
        # It names people and their addresses.
        headers={"Content-Disposition": f'inline; filename="{content.number}.pdf"', "Cache-Control": "no-store"},
    )


def slip_of(exchange: ExchangeView, shop: ShopInfo, settings: Settings) -> SlipContent:
    """What the slip says, with no label: what is expected back has its own."""
    lent = exchange.at_once and exchange.arrived_at is None
    # What a gift cost stands on no paper in its parcel.
    price = "" if exchange.gift_id else formats.money(exchange.price, exchange.currency)
    return SlipContent(
        locale=exchange.locale,
        number=exchange.number,
        url=f"{settings.public_url}/exchanges/{exchange.number}",
        name=exchange.name,
        items=[SlipItem(exchange.title, exchange.size, exchange.color, price)],
        most=price,
        days=exchange.days or 0,
        shop_name=shop.name,
        contact=f"{shop.phone} · {shop.email}",
        sandbox=not settings.livemode,
        lent=lent,
    )
