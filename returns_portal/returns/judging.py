"""What the policy of an order's day says of its lines, on the day on which they are to go back."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.policies.content import Content, Postage
from returns_portal.policies.queries import in_force
from returns_portal.policies.rules import Facts, Verdict, judge, together
from returns_portal.returns.periods import PERIODS
from returns_portal.returns.queries import OrderState, facts_of
from returns_portal.returns.rules import STATUTORY_DAYS, Policy, withdrawal_over

_PRODUCTS: Final = """
    SELECT v.sku, p.handle, p.tags FROM variant v JOIN product p ON p.id = v.product_id WHERE v.sku = ANY(:skus)
"""
_NO_PRODUCT: Final = ("", frozenset[str]())


class Judgement(msgspec.Struct, frozen=True):
    """The verdicts of an order's lines, by one version of the policy."""

    version: int
    timezone: str
    verdicts: Mapping[UUID, Verdict]
    exchange_days: int = 0
    """Within how many days the goods are to be back for what is sent at once in exchange; 0 where nothing is."""

    def policy(self, line_id: UUID) -> Policy:
        """What the rules of returns ask of it."""
        verdict = self.verdicts[line_id]
        final = (verdict.because["final_sale"].rule or "–") if verdict.final_sale else ""
        return Policy(verdict.return_days, self.timezone, final)

    def of(self, line_ids: Iterable[UUID]) -> Verdict:
        """What holds for lines that go back together; of no lines, for all that can."""
        chosen = [self.verdicts[line_id] for line_id in line_ids]
        every = list(self.verdicts.values())
        return together(chosen or [verdict for verdict in every if not verdict.final_sale] or every)

    def changed(self, **changes: object) -> "Judgement":
        """The same verdicts but for what is given."""
        verdicts = {line: msgspec.structs.replace(verdict, **changes) for line, verdict in self.verdicts.items()}
        return msgspec.structs.replace(self, verdicts=verdicts)

    def of_gift(self) -> "Judgement":
        """For the receiver of a gift, whose way is points without a bonus; they paid nothing and pay no postage."""
        return self.changed(outcomes=("points",), bonus_percent=0, postage=Postage.SHOP, fee=0, keep_it=False)

    def of_claim(self, days: int) -> "Judgement":
        """For what is not as it should be: the seller answers for it for so many days, and bears its postage."""
        return self.changed(return_days=days, final_sale=False, postage=Postage.SHOP, fee=0, keep_it=False)

    @property
    def longest(self) -> Policy:
        """The widest window of any line, for sentences about the order."""
        days = max(verdict.return_days for verdict in self.verdicts.values())
        return Policy(days, self.timezone)


async def judgement(
    db: AsyncConnection,
    order: OrderState,
    timezone: str,
    now: datetime,
    faulty: Collection[UUID] = (),
    *,
    arrived: bool = False,
) -> Judgement:
    """Judge an order's lines by the version of the policy that was in force when it was placed.

    Args:
        db: the transaction.
        order: the order.
        timezone: the shop's, whose days are counted.
        now: the day on which goods go back; of a return that is changed, the day on which it was filed.
        faulty: the lines that the customer says are faulty, damaged or not what was ordered.
        arrived: whether the goods are here already, so that nobody is to send or to keep anything any more.
    """
    version = await in_force(db, order.placed_at)
    judged = await judged_by(db, version.content, version.version, order, timezone, now, faulty)
    if not arrived:
        return judged
    return judged.changed(postage=Postage.SHOP, fee=0, keep_it=False)


async def judged_by(
    db: AsyncConnection,
    content: Content,
    version: int,
    order: OrderState,
    timezone: str,
    now: datetime,
    faulty: Collection[UUID] = (),
) -> Judgement:
    """As `judgement`, by a policy that may not hold yet."""
    products = await _products(db, content, order)
    days = _days(order.delivered_at, now, timezone)
    over = withdrawal_over(facts_of(order), Policy(STATUTORY_DAYS, timezone))
    verdicts = {}
    for line in order.lines:
        handle, tags = products.get(line.sku, _NO_PRODUCT)
        facts = Facts(
            country=order.country,
            currency=order.currency,
            sku=line.sku,
            price=max(line.unit_paid, default=0),
            product=handle,
            tags=tags,
            days=days,
            faulty=line.line_id in faulty,
            in_period=order.country in PERIODS and (over is None or now < over),
        )
        verdicts[line.line_id] = judge(content, facts)
    return Judgement(version, timezone, verdicts, content.exchange_days)


async def _products(db: AsyncConnection, content: Content, order: OrderState) -> dict[str, tuple[str, frozenset[str]]]:
    """Handles and tags by article; only asked for where a rule speaks of them, since every filing would pay for it."""
    if not any(rule.when.products or rule.when.tags for rule in content.rules):
        return {}
    rows = await run(db, _PRODUCTS, skus=[line.sku for line in order.lines])
    return {row.sku: (row.handle, frozenset(tag.casefold() for tag in row.tags)) for row in rows}


def _days(delivered_at: datetime | None, now: datetime, timezone: str) -> int | None:
    """Whole days since delivery in the shop's zone; the day of receipt is not counted (Regulation 1182/71, Art. 3)."""
    if delivered_at is None:
        return None
    zone = ZoneInfo(timezone)
    return max(0, (now.astimezone(zone).date() - delivered_at.astimezone(zone).date()).days)
