"""Whose a page of a customer is, so that links to it open that order, or that gift, alone."""

from contextlib import suppress
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.claims.queries import claim_for
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.exchanges.queries import exchange_for
from returns_portal.ids import parse_trial_number
from returns_portal.refunds.queries import refund_for
from returns_portal.returns.queries import return_for
from returns_portal.service.queries import question_for


class Whose(msgspec.Struct, frozen=True):
    """Whose a page is: the customer's of an order, or the receiver's of a gift, to whom no number of it is told."""

    order_id: UUID | None = None
    number: str = ""
    gift_id: UUID | None = None


_ORDER: Final = "SELECT id, number FROM orders WHERE number = :number"


async def whose_at(db: AsyncConnection, path: str) -> Whose | None:
    """Whose the page at a path is; None where it is no page of one order or gift.

    What the receiver of a gift sends back is theirs: it never opens the order of whoever gave it.
    """
    with suppress(NotFoundError, ValueError):
        rma, number = await _numbers_at(db, path)
        return await _of_return(db, rma) if rma else await _of_order(db, number)
    return None


async def _numbers_at(db: AsyncConnection, path: str) -> tuple[str, str]:
    """The number of the return that a page is about, or else of the order; both empty where it is about neither."""
    rma, number = "", ""
    match unquote(urlsplit(path).path).split("/"):
        case ["", "orders" | "ask", *parts]:
            number = "/".join(parts)
        case ["", "trials", trial, *_rest]:
            number = parse_trial_number(trial) or ""
        case ["", "returns", named, *_rest]:
            rma = named
        case ["", "refunds", refund_id]:
            refund = await refund_for(db, SYSTEM, UUID(refund_id))
            rma, number = refund.rma, refund.order_number
        case ["", "exchanges", named, *_rest]:
            rma = (await exchange_for(db, SYSTEM, named)).rma
        case ["", "claims", claim_id, *_rest]:
            number = (await claim_for(db, SYSTEM, UUID(claim_id))).order_number
        case ["", "questions", question_id, *_rest]:
            number = (await question_for(db, SYSTEM, UUID(question_id))).order_number
    return rma, number


async def _of_order(db: AsyncConnection, number: str) -> Whose | None:
    rows = await run(db, _ORDER, number=number)
    return Whose(rows[0].id, rows[0].number) if rows else None


async def _of_return(db: AsyncConnection, rma: str) -> Whose:
    view = await return_for(db, SYSTEM, rma)
    return Whose(gift_id=view.gift_id) if view.gift_id else Whose(view.order_id, view.order_number)
