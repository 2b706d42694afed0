"""Our card refunds beside the gateway's: each happened once, with this amount, and none happened behind our back."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin
from returns_portal.finance.invariants import SHOWN, Breach
from returns_portal.payments.gateway import GatewayRefund

_OUR_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[1-9][0-9]*")
"""Refund and attempt, as `refunds.settling` writes them into the metadata; other refunds are not ours to prove."""

_SKEW: Final = timedelta(days=1)
"""How far the gateway's clock may be behind ours."""

# A refund that failed at the gateway may have gone another way since, and be about less: what the gateway has of it is
# of an earlier attempt.
_ROWS: Final = text("""
    SELECT f.id, f.attempt, f.status, f.amount, f.currency, f.gateway_id, f.destination = 'original' AS by_gateway
    FROM refund f WHERE f.kind <> 'outside' AND (f.submitted_at IS NOT NULL OR f.attempt > 1)
""")

_EXISTS: Final = frozenset({"pending", "succeeded"})
"""Statuses of ours that the gateway must have a refund for."""
_HAPPENED: Final = frozenset({"pending", "requires_action", "succeeded"})
"""Statuses of the gateway in which money moves, or still may."""

Refunds = Mapping[UUID, Row[Any]]
Found = dict[str, list[GatewayRefund]]


class _Finding(Protocol):
    def __call__(self, before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]: ...


class Gateway(Protocol):
    """What is needed of the gateway (`payments.stripe.StripeGateway` has it)."""

    def list_refunds(self, since: datetime) -> AsyncIterator[GatewayRefund]:
        """All refunds of the account since then."""


async def check_gateway(begin: Begin, gateway: Gateway) -> list[Breach]:
    """Compare our card refunds with all of the gateway's.

    The rows are read before and after the gateway is asked, without a transaction in between: what changes meanwhile
    is judged by the side that must have known first.

    Raises:
        GatewayError: the gateway does not answer, or the key may not list refunds; nothing is proven then.
    """
    async with begin() as db:
        before, since = await _rows(db), await _first_payment(db)
    if since is None:
        return []
    found: Found = defaultdict(list)
    async for refund in gateway.list_refunds(since - _SKEW):
        if refund.our_id is not None and _OUR_ID.fullmatch(refund.our_id):
            found[refund.our_id].append(refund)
    async with begin() as db:
        after = await _rows(db)
    breaches = []
    for name, (sentence, finding) in _FINDINGS.items():
        rows = list(finding(before, found, after))
        if rows:
            breaches.append(Breach(name, sentence, len(rows), rows[:SHOWN]))
    return breaches


async def _rows(db: AsyncConnection) -> dict[UUID, Row[Any]]:
    return {row.id: row for row in await db.execute(_ROWS)}


async def _first_payment(db: AsyncConnection) -> datetime | None:
    """Since when there can be refunds of ours at all."""
    first: datetime | None = await db.scalar(text("SELECT min(created_at) FROM payment"))
    return first


def _lost(before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]:
    """Refunds that we say were made, and the gateway has none of."""
    for row in before.values():
        now = after.get(row.id)
        same = now is not None and (now.attempt, now.status) == (row.attempt, row.status)
        if same and row.by_gateway and row.status in _EXISTS and not found.get(f"{row.id}:{row.attempt}"):
            yield {"refund_id": row.id, "attempt": row.attempt, "status": row.status, "gateway_id": row.gateway_id}


def _doubled(before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]:
    """Attempts that the gateway has several refunds of."""
    del before, after
    for our_id, refunds in found.items():
        if len(refunds) > 1:
            yield {"attempt": our_id, "gateway_ids": [refund.id for refund in refunds]}


def _different(before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]:
    """Refunds whose amount, currency or id are not the gateway's."""
    del before
    for refund in _each(found):
        row = after.get(_refund_id(refund))
        if row is None or refund.our_id != f"{row.id}:{row.attempt}":
            continue
        id_differs = row.gateway_id is not None and row.gateway_id != refund.id
        if id_differs or (refund.amount, refund.currency) != (row.amount, row.currency):
            yield {
                "refund_id": row.id,
                "ours": f"{row.amount} {row.currency}",
                "gateway_id": refund.id,
                "gateway": f"{refund.amount} {refund.currency}",
            }


def _contradicted(before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]:
    """Refunds that went out while we say that they failed, or failed while we say that they went out."""
    for refund in _each(found):
        row, now = before.get(_refund_id(refund)), after.get(_refund_id(refund))
        if row is None or now is None or (row.attempt, row.status) != (now.attempt, now.status):
            continue
        happened = refund.status in _HAPPENED
        current = refund.our_id == f"{row.id}:{row.attempt}"
        if (happened and (not current or row.status in {"planned", "failed", "canceled"})) or (
            current and not happened and row.status == "succeeded"
        ):
            yield {
                "refund_id": row.id,
                "attempt": refund.our_id,
                "ours": row.status,
                "gateway_id": refund.id,
                "gateway": refund.status,
            }


def _unasked(before: Refunds, found: Found, after: Refunds) -> Iterable[dict[str, Any]]:
    """Refunds that carry an id of ours which no row of ours has, or one that did not go by the gateway."""
    del before
    for refund in _each(found):
        row, attempt = after.get(_refund_id(refund)), int(str(refund.our_id).partition(":")[2])
        if row is None or attempt > row.attempt or (attempt == row.attempt and not row.by_gateway):
            yield {"attempt": refund.our_id, "gateway_id": refund.id, "gateway": f"{refund.amount} {refund.currency}"}


def _each(found: Found) -> Iterable[GatewayRefund]:
    return (refund for refunds in found.values() for refund in refunds)


def _refund_id(refund: GatewayRefund) -> UUID:
    return UUID(str(refund.our_id).partition(":")[0])


_FINDINGS: Final[dict[str, tuple[str, _Finding]]] = {
    "gateway-has-it": ("Every card refund that was made exists at the gateway.", _lost),
    "gateway-once": ("Every attempt of a refund exists at the gateway at most once.", _doubled),
    "gateway-amount": ("The gateway's refund has the same amount, currency and id as ours.", _different),
    "gateway-status": ("What the gateway paid has not failed here, nor the other way about.", _contradicted),
    "gateway-known": ("Every refund at the gateway that names one of ours was asked for by it.", _unasked),
}
