"""The JSON API of labels and their parcels."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.labels.outbound import MAX_CARRIER, sent_out
from returns_portal.labels.queries import labels_of, scans_of
from returns_portal.shop.warehouses import MAX_NAME
from returns_portal.texts import WITHOUT_NUL

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class ScanOut(msgspec.Struct, frozen=True):
    """What a carrier told of a parcel: `code` in words that all carriers share, `words` in its own."""

    code: str
    words: str
    at: datetime


class ParcelLabelOut(msgspec.Struct, frozen=True):
    """The label of one parcel. `cost` is in minor units of `currency`; null where no price is known."""

    parcel: int
    status: str
    carrier: str
    service: str
    code: str
    tracking: str
    cost: int | None
    currency: str
    void_status: str
    created_at: datetime
    first_scan_at: datetime | None
    delivered_at: datetime | None
    reused_at: datetime | None
    scans: list[ScanOut]


class ParcelLabelsOut(msgspec.Struct, frozen=True):
    """All labels of a return."""

    items: list[ParcelLabelOut]


class OutboundIn(msgspec.Struct, forbid_unknown_fields=True):
    """A parcel in which goods of an order went out, and from which of the shop's warehouses, where it has several."""

    order_number: Short
    carrier: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*[^\W_][^\x00]*$", max_length=MAX_CARRIER)]
    """Its name, each time the same, such as `DHL`; of Nova Poshta, which takes back what it brought, `nova_poshta`."""
    tracking: Short
    warehouse: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=MAX_NAME)] | None = None


class OutboundOut(msgspec.Struct, frozen=True):
    """The parcel as it is kept."""

    order_number: str
    carrier: str
    tracking: str
    warehouse: str | None


@get("/returns/{rma:str}/labels", summary="List the labels of a return", reads=True)
async def list_labels(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], rma: FromPath[str]
) -> ParcelLabelsOut:
    """The labels of a return with their carriers, costs and scans, by parcel. Scope `returns:read`."""
    actor.require("returns:read", "returns:write")
    found = await labels_of(db, actor, rma)
    return ParcelLabelsOut(
        [
            ParcelLabelOut(
                label.number,
                label.status,
                label.carrier,
                label.service,
                label.code,
                label.tracking,
                label.cost,
                label.cost_currency,
                label.void_status,
                label.created_at,
                label.first_scan_at,
                label.delivered_at,
                label.reused_at,
                [ScanOut(scan.code, scan.words, scan.at) for scan in await scans_of(db, label.id)],
            )
            for label in found
        ]
    )


@post("/outbound-parcels", summary="Say in which parcel goods went out", status_code=200)
async def outbound(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[OutboundIn],
) -> OutboundOut:
    """Keep the carrier's number of a parcel that left the shop. Scope `orders:write`.

    Of whichever carrier: by these names it is told what came back, or was claimed, of what each brought. Nova Poshta
    takes back what it brought, and nothing else. The same again changes nothing; another
    `warehouse` puts the one before right, and without one (or with null) the one before stays.
    """
    actor.require("orders:write")
    number = data.order_number.removeprefix("#")
    warehouse = await sent_out(db, actor, number, data.carrier, data.tracking, data.warehouse)
    return OutboundOut(number, data.carrier.strip(), data.tracking, warehouse)


routes: list[Any] = [list_labels, outbound]
