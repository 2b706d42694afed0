"""Who bought and who said small or large, once more from the rows that were written."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_portal.catalog.models import Variant
from returns_portal.exchanges.models import Exchange
from returns_portal.insights.fit import Evidence
from returns_portal.orders.models import Order, OrderLine
from returns_portal.returns.models import Return, ReturnLine
from returns_portal.tryon.models import Trial
from tests.insights.year import SIZES, Year

SMALL, LARGE = {"too small", "zu klein", "Твърде малки"}, {"too large"}
Row = dict[str, Any]
Place = tuple[UUID, str | None]


class _Counting:
    def __init__(self, year: Year, since: datetime, until: datetime) -> None:
        self.year, self.until = year, until
        self.orders = {row["id"]: row for row in year.rows[Order]}
        self.returns = {row["id"]: row for row in year.rows[Return]}
        self.variants = {row["id"]: row for row in year.rows[Variant]}
        self.by_sku = {row["sku"]: row for row in year.rows[Variant]}
        self.skus = {row["id"]: row["sku"] for row in year.rows[OrderLine]}
        trials = {row["order_id"] for row in year.rows[Trial] if row["mode"] == "trial"}
        self.lines: dict[UUID, tuple[Row, str]] = {}
        for line in year.rows[OrderLine]:
            order, variant = self.orders[line["order_id"]], self.by_sku.get(line["sku"])
            counts = since <= order["placed_at"] < until and order["id"] not in trials
            if counts and variant and line["shipped"]:
                self.lines[line["id"]] = variant, order["email_key"]
        self.small: dict[Place, set[str]] = defaultdict(set)
        self.large: dict[Place, set[str]] = defaultdict(set)

    def lives(self, row: Row, at: datetime) -> bool:
        back = self.returns[row["return_id"]]
        return row["order_line_id"] in self.lines and back["status"] != "cancelled" and at < self.until

    def hear(self, line_id: UUID, *, small: bool) -> None:
        variant, buyer = self.lines[line_id]
        for size in (None, variant["size"]):
            (self.small if small else self.large)[variant["product_id"], size].add(buyer)

    def words(self) -> None:
        for row in self.year.rows[ReturnLine]:
            if not self.lives(row, self.returns[row["return_id"]]["created_at"]):
                continue
            together = [each for each in self.year.rows[ReturnLine] if each["return_id"] == row["return_id"]]
            skus = [self.skus[each["order_line_id"]] for each in together]
            products = {self.by_sku[sku]["product_id"] if sku in self.by_sku else None for sku in skus}
            if row["reason"] in SMALL | LARGE and len(products) == 1:
                self.hear(row["order_line_id"], small=row["reason"] in SMALL)

    def exchanges(self) -> None:
        for row in self.year.rows[Exchange]:
            if not self.lives(row, row["created_at"]):
                continue
            (variant, _buyer), wanted = self.lines[row["order_line_id"]], self.variants[row["variant_id"]]
            steps = SIZES.index(wanted["size"]) - SIZES.index(variant["size"])
            if wanted["product_id"] == variant["product_id"] and steps:
                self.hear(row["order_line_id"], small=steps > 0)


def second_count(year: Year, since: datetime, until: datetime) -> dict[UUID, dict[str | None, Evidence]]:
    """What is known of each product, and of each of its sizes."""
    counting = _Counting(year, since, until)
    counting.words()
    counting.exchanges()
    buyers: dict[Place, set[str]] = defaultdict(set)
    for variant, buyer in counting.lines.values():
        for size in (None, variant["size"]):
            buyers[variant["product_id"], size].add(buyer)
    found: dict[UUID, dict[str | None, Evidence]] = defaultdict(dict)
    for (product, size), several in buyers.items():
        small, large = counting.small[product, size], counting.large[product, size]
        found[product][size] = Evidence(len(several), len(small - large), len(large - small))
    return found
