"""Saying what one looks for and we have not: kept, counted, and answered at once with other shops that have it."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import Actor
from returns_portal.catalog.checks import MAX_COLOR, MAX_SIZE
from returns_portal.catalog.queries import ProductView, VariantView, product_for
from returns_portal.catalog.sizes import fits
from returns_portal.db import insert_rows, run
from returns_portal.demand import letters
from returns_portal.demand.models import ProductRequest, Referral, Shown, Source, State, Wish
from returns_portal.demand.places import places_for
from returns_portal.demand.queries import own_request
from returns_portal.demand.rules import MAX_WHAT, MAX_WORDS
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.settings import Settings
from returns_portal.texts import one_line


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for, as it was typed."""

    source: Source
    locale: str
    product: str = ""
    """The handle of a product of ours; empty where they name something in words."""
    what: str = ""
    size: str = ""
    color: str = ""
    words: str = ""
    email: str = ""
    """Where they want to be told; empty where they do not."""
    consent: str = ""
    """The sentence that stood beside the address."""
    question_id: UUID | None = None
    names: bool = True
    """Whether other shops are named to the asker at once: not where the staff notes what somebody asked for."""


class InStockError(ConflictError):
    """It is there: nothing was kept, and whoever asks is led to it."""

    code = "in_stock"

    def __init__(self, product: ProductView, variant: VariantView) -> None:
        """Say what there is."""
        self.handle = product.handle
        self.size, self.color = variant.size, variant.color
        super().__init__(mark("Good news: {title} is in stock."), code="in_stock", title=product.title)


async def ask(db: AsyncConnection, actor: Actor, settings: Settings, asked: Asked) -> UUID:
    """Keep what somebody looks for, with the other shops that are named to them at once; its id.

    Raises:
        NotFoundError: there is no such product for the actor.
        InvalidError: it says nothing, or too much, or its address is none; names the field.
        InStockError: there is one.
    """
    product = await product_for(db, actor, asked.product) if asked.product else None
    size = one_line(asked.size, "size", MAX_SIZE, required=False)
    color = one_line(asked.color, "color", MAX_COLOR, required=False)
    if product is not None:
        # Until this is kept nothing comes in: what comes afterwards finds who waits for it. The product first, then its
        # variants in the order of their SKUs, as by everybody who changes them.
        await run(db, "SELECT id FROM product WHERE id = :id FOR KEY SHARE", id=product.id)
        await run(db, _HOLD, id=product.id)
        product = await product_for(db, actor, asked.product)
        size, color = _settled(product, size, color)
    email = asked.email.strip()
    if email and not is_email(email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    row: dict[str, Any] = {
        "id": new_id(),
        "product_id": product.id if product else None,
        "what": product.title if product else one_line(asked.what, "what", MAX_WHAT),
        "size": size,
        "color": color,
        "words": _said(asked.words),
        "email": email,
        "email_key": email_key(email) if email else "",
        "consent": asked.consent if email else "",
        "locale": asked.locale,
        "source": asked.source,
        "question_id": asked.question_id,
        "asked_at": clock.now(),
        "state": State.OPEN,
        "answer": "",
        "wish": Wish.WAITING if email and product else Wish.NONE,
    }
    await _keep(db, actor, row, names=asked.names)
    request_id: UUID = row["id"]
    if email:
        await letters.kept(db, settings, await own_request(db, request_id), _known(product, size, color))
    return request_id


_HOLD: Final = "SELECT id FROM variant WHERE product_id = :id ORDER BY sku FOR SHARE"


def _settled(product: ProductView, size: str, color: str) -> tuple[str, str]:
    """A size and a colour as the product has them, where it has them.

    Raises:
        InStockError: there is one.
        InvalidError: only some sizes are out of stock, and none is named.
    """
    same = [variant for variant in product.variants if size and variant.size.casefold() == size.casefold()]
    sized = same or [variant for variant in product.variants if not size or fits(size, variant.size, product.sizing)]
    meant = [variant for variant in sized if not color or variant.color.casefold() == color.casefold()]
    if there := next((variant for variant in meant if variant.stock), None):
        if size or not any(variant.size for variant in product.variants):
            raise InStockError(product, there)
        raise InvalidError(mark("Which size do you need? Some are in stock."), field="size")
    if not meant:
        return size, color
    return meant[0].size if size else "", meant[0].color if color else ""


def _known(product: ProductView | None, size: str, color: str) -> tuple[str, str, str]:
    """The product's title, and of its size and colour what the catalogue has, too; the others are empty."""
    variants = product.variants if product else ()
    return (
        product.title if product else "",
        size if any(variant.size == size for variant in variants) else "",
        color if any(variant.color == color for variant in variants) else "",
    )


def _said(words: str) -> str:
    text = words.replace("\r\n", "\n").strip()
    if len(text) > MAX_WORDS:
        raise InvalidError(mark("This is longer than {limit} characters."), field="words", limit=MAX_WORDS)
    return text


async def _keep(db: AsyncConnection, actor: Actor, row: dict[str, Any], *, names: bool) -> None:
    """Write a request with the other shops that are named to its asker."""
    told = history.rows(actor, ("product_request", row["id"], "asked", {"source": row["source"].value}))
    named = names and row["product_id"]
    found = await places_for(db, row["product_id"], row["size"], row["color"]) if named else []
    shown = referral_rows(row["id"], [place.id for place in found], Shown.PAGE)
    await insert_rows(db, (ProductRequest, [row]), (Referral, shown), told)


def referral_rows(request_id: UUID, places: Sequence[UUID], shown: Shown) -> list[dict[str, Any]]:
    """The rows that say that other shops were named to whoever asked."""
    return [
        {"id": new_id(), "elsewhere_id": place, "request_id": request_id, "shown": shown, "shown_at": clock.now()}
        for place in places
    ]


_FORGET: Final = """
    UPDATE product_request SET wish = CASE wish WHEN 'told' THEN wish ELSE 'ended' END,
        email = '', email_key = '', consent = ''
    WHERE id = ANY(:ids) AND email <> '' RETURNING id
"""


async def forget(db: AsyncConnection, ids: Sequence[UUID]) -> bool:
    """Take the addresses of requests away, and end what waits for them; whether there were any."""
    return bool(await run(db, _FORGET, ids=list(ids)))


async def end(db: AsyncConnection, actor: Actor, request_id: UUID) -> None:
    """Tell somebody nothing any more: their address goes, and what they asked for stays counted. Again changes nothing.

    The caller has shown that whoever asks has the link of its e-mails.
    """
    if await forget(db, [request_id]):
        await history.record(db, actor, ("product_request", request_id, "ended", {}))
