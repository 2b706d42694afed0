"""Which order a page of a customer belongs to, so that links to it open that order alone."""

from contextlib import suppress
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.claims.queries import claim_for
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.exchanges.queries import exchange_for
from returns_portal.ids import parse_trial_number
from returns_portal.refunds.queries import refund_for
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.service.queries import question_for

_ORDER: Final = "SELECT id FROM orders WHERE number = :number"


async def number_at(db: AsyncConnection, path: str) -> str | None:
    """The number of the order that a path's page belongs to; None where it is no page of one order.

    What the receiver of a gift sends back is theirs: it never opens the order of whoever gave it.
    """
    with suppress(NotFoundError, ValueError):
        match unquote(urlsplit(path).path).split("/"):
            case ["", "orders", *parts]:
                return "/".join(parts)
            case ["", "trials", trial, *_rest]:
                return parse_trial_number(trial)
            case ["", "returns", rma, *_rest]:
                return _number(await return_for(db, SYSTEM, rma))
            case ["", "refunds", refund_id]:
                refund = await refund_for(db, SYSTEM, UUID(refund_id))
                return _number(await return_for(db, SYSTEM, refund.rma)) if refund.rma else refund.order_number
            case ["", ("exchanges" | "claims" | "questions") as kind, known_as, *_rest]:
                return await _number_of(db, kind, known_as)
    return None


async def _number_of(db: AsyncConnection, kind: str, known_as: str) -> str | None:
    if kind == "exchanges":
        return (await exchange_for(db, SYSTEM, known_as)).order_number
    if kind == "claims":
        return (await claim_for(db, SYSTEM, UUID(known_as))).order_number
    return (await question_for(db, SYSTEM, UUID(known_as))).order_number or None


def _number(view: ReturnView) -> str | None:
    return None if view.gift_id else view.order_number


async def order_at(db: AsyncConnection, path: str) -> tuple[UUID, str] | None:
    """The order that a path's page belongs to, with its number; None where there is none."""
    number = await number_at(db, path)
    rows = await run(db, _ORDER, number=number) if number else []
    return (rows[0].id, str(number)) if rows else None
