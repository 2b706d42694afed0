"""Measuring how products are cut, and what the shop and its customers are told of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.queries import no_product
from returns_portal.catalog.sizes import in_order
from returns_portal.db import Begin, insert_rows, run
from returns_portal.i18n import _
from returns_portal.insights.evidence import Heard, Voice, heard
from returns_portal.insights.fit import Evidence, Judged, Verdict, judged
from returns_portal.insights.models import ProductFit
from returns_portal.insights.queries import READERS

DAYS: Final = 365
"""Purchases of so many days are counted: what was cut otherwise before is forgotten."""
FRESH: Final = timedelta(days=7)
"""Customers are told nothing that was not measured for longer."""

# Rows are written anew. Who silences a product meanwhile waits, and finds the new one.
_LOCK: Final = "LOCK TABLE product_fit IN SHARE ROW EXCLUSIVE MODE"
_WAIT: Final = "LOCK TABLE product_fit IN ROW EXCLUSIVE MODE"
_KEPT: Final = "SELECT product_id, silenced_at, silenced_by FROM product_fit WHERE silenced_at IS NOT NULL"
_CLEAR: Final = "DELETE FROM product_fit"


async def measure_all(begin: Begin) -> int:
    """Judge every product anew, all of them together; how many there are. What is silenced stays so."""
    now = clock.now()
    since = now - timedelta(days=DAYS)
    async with begin() as db:
        known = await heard(db, since, now)
        rows = _rows(known, since, now)
        await run(db, _LOCK)
        silenced = {row.product_id: row for row in await run(db, _KEPT)}
        for row in rows:
            if row["product_id"] in silenced:
                kept = silenced.pop(row["product_id"])
                row |= {"silenced_at": kept.silenced_at, "silenced_by": kept.silenced_by}
        rows += [_nothing(kept, since, now) for kept in silenced.values()]
        await run(db, _CLEAR)
        await insert_rows(db, (ProductFit, rows))
    return len(known)


def _rows(known: dict[UUID, Heard], since: datetime, now: datetime) -> list[dict[str, Any]]:
    ordered = {product: one for product, one in known.items() if one.ordered}
    verdicts = dict(zip(ordered, judged([one.whole for one in ordered.values()]), strict=True))
    places = [(product, size) for product, one in ordered.items() for size in one.sizes]
    of_sizes = dict(zip(places, judged([ordered[product].sizes[size] for product, size in places]), strict=True))
    rows = []
    for product, one in known.items():
        sizes = [
            _told(one.sizes[size], of_sizes.get((product, size), _UNKNOWN)) | {"size": size}
            for size in in_order(one.sizes)
        ]
        told = _told(one.whole, verdicts.get(product, _UNKNOWN))
        rows.append(_row(product, since, now) | told | {"ordered": one.ordered, "sizes": sizes})
    return rows


_UNKNOWN: Final = Judged(Verdict.UNKNOWN, 1.0)


def _told(one: Evidence, found: Judged) -> dict[str, Any]:
    return {
        "buyers": one.buyers,
        "small": one.small,
        "large": one.large,
        "verdict": found.verdict.value,
        "chance": found.chance,
    }


def _row(product: UUID, since: datetime, now: datetime) -> dict[str, Any]:
    times = {"since": since, "measured_at": now}
    return {"product_id": product, "silenced_at": None, "silenced_by": ""} | times


def _nothing(kept: Any, since: datetime, now: datetime) -> dict[str, Any]:  # noqa: ANN401 - a row
    """A silenced product that nobody bought: it is remembered that it is silenced."""
    told = _told(Evidence(0, 0, 0), _UNKNOWN) | {"ordered": False, "sizes": []}
    silenced = {"silenced_at": kept.silenced_at, "silenced_by": kept.silenced_by}
    return _row(kept.product_id, since, now) | told | silenced


class SizeFit(msgspec.Struct, frozen=True):
    """What is known of one size."""

    size: str
    buyers: int
    small: int
    large: int
    verdict: Verdict
    chance: float


class Fit(msgspec.Struct, frozen=True):
    """What is known of a product."""

    product_id: UUID
    handle: str
    title: str
    verdict: Verdict
    chance: float
    ordered: bool
    buyers: int
    small: int
    large: int
    sizes: list[SizeFit]
    since: datetime
    measured_at: datetime
    silenced_at: datetime | None

    @property
    def evidence(self) -> Evidence:
        """What it rests on."""
        return Evidence(self.buyers, self.small, self.large)

    @property
    def judged(self) -> Judged:
        """The verdict with its chance."""
        return Judged(self.verdict, self.chance)


_FITS: Final = """
    SELECT f.product_id, p.handle, p.title, f.verdict, f.chance, f.ordered, f.buyers, f.small, f.large, f.sizes,
           f.since, f.measured_at, f.silenced_at
    FROM product_fit f JOIN product p ON p.id = f.product_id
"""
_ALL: Final = f"{_FITS} ORDER BY f.verdict IN ('small', 'large') DESC, f.chance, f.buyers DESC, p.title"
_ONE: Final = f"{_FITS} WHERE p.handle = :handle"


async def fits(db: AsyncConnection, actor: Actor) -> list[Fit]:
    """Every product that was measured: what customers are told first, the surest at the head.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    actor.require(*READERS)
    return [msgspec.convert(row._asdict(), Fit) for row in await run(db, _ALL)]


async def fit_for(db: AsyncConnection, actor: Actor, handle: str) -> tuple[Fit, list[Voice]]:
    """One product, with everybody who said something of its size, the latest first.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
        NotFoundError: there is no such product, or it was not measured yet.
    """
    actor.require(*READERS)
    rows = await run(db, _ONE, handle=handle)
    if not rows:
        raise no_product()
    fit = msgspec.convert(rows[0]._asdict(), Fit)
    known = await heard(db, fit.since, fit.measured_at, fit.product_id)
    return fit, known[fit.product_id].voices if fit.product_id in known else []


_SILENCE: Final = """
    UPDATE product_fit SET silenced_at = CAST(:at AS timestamptz), silenced_by = :by
    WHERE product_id = (SELECT id FROM product WHERE handle = :handle)
          AND (silenced_at IS NULL) <> (CAST(:at AS timestamptz) IS NULL)
    RETURNING product_id
"""


async def silence(db: AsyncConnection, actor: Actor, handle: str, silent: bool) -> None:
    """Tell customers nothing of how a product is cut, or tell them again; the same again changes nothing.

    Raises:
        ForbiddenError: the actor is not of support.
    """
    actor.require("support")
    await run(db, _WAIT)
    at = clock.now() if silent else None
    for row in await run(db, _SILENCE, handle=handle, at=at, by=actor.label if silent else ""):
        action = "fit_silenced" if silent else "fit_told"
        await history.record(db, actor, ("product", row.product_id, action, {}))


_TOLD: Final = """
    SELECT v.sku, f.verdict, f.buyers, f.small, f.large FROM product_fit f JOIN variant v ON v.product_id = f.product_id
    WHERE f.verdict IN ('small', 'large') AND f.silenced_at IS NULL AND f.measured_at > :fresh AND v.sku = ANY(:skus)
"""


async def told(db: AsyncConnection, skus: Sequence[str]) -> dict[str, str]:
    """What customers are told of how these articles are cut, by SKU; those of which nothing is sure are left out."""
    rows = await run(db, _TOLD, skus=list(skus), fresh=clock.now() - FRESH)
    return {row.sku: sentence(Verdict(row.verdict), Evidence(row.buyers, row.small, row.large)) for row in rows}


def sentence(verdict: Verdict, evidence: Evidence) -> str:
    """A verdict as customers read it, with the numbers that it rests on; empty where there is none."""
    numbers = {"said": evidence.said, "buyers": evidence.buyers}
    if verdict is Verdict.SMALL:
        return _("Runs small: {said} of {buyers} buyers said so. Take a size larger.", **numbers)
    if verdict is Verdict.LARGE:
        return _("Runs large: {said} of {buyers} buyers said so. Take a size smaller.", **numbers)
    return ""
