"""The same counts once more, from the rows that were written, line by line and without the database."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from returns_portal.catalog.models import Product, Variant
from returns_portal.claims.models import ItemClaim, ItemClaimLine
from returns_portal.insights.queries import Span
from returns_portal.labels.models import OutboundParcel
from returns_portal.orders.models import Order, OrderLine
from returns_portal.returns.models import Return, ReturnLine
from returns_portal.service.models import Question
from returns_portal.tryon.models import Trial
from returns_portal.warehouse.models import Parcel, ParcelItem
from tests.insights.year import Year

THEMES = {
    "too small": "too_small", "zu klein": "too_small", "Твърде малки": "too_small", "too large": "too_large",
    "не понравилось": "unliked", "The heel is broken": "faulty", "came late": "late", "Hm.": "other",
    "too small here, too large there": "other",
}  # fmt: skip
Row = dict[str, Any]


class Oracle:
    """What a year comes to, in a span."""

    def __init__(self, year: Year, span: Span) -> None:
        self.year, self.span = year, span
        self.orders = {row["id"]: row for row in self._of(Order)}
        self.returns = {row["id"]: row for row in self._of(Return)}
        self.claims = {row["id"]: row for row in self._of(ItemClaim)}
        self.parcels = {row["id"]: row for row in self._of(Parcel)}
        self.products = {row["id"]: row for row in self._of(Product)}
        self.by_sku = {row["sku"]: self.products[row["product_id"]] for row in self._of(Variant)}
        self.trials = {row["order_id"] for row in self._of(Trial) if row["mode"] == "trial"}
        self.carriers: dict[Any, set[str]] = defaultdict(set)
        self.warehouses: dict[Any, set[str]] = defaultdict(set)
        for row in self._of(OutboundParcel):
            self.carriers[row["order_id"]].add(row["carrier"])
            if row["warehouse"]:
                self.warehouses[row["order_id"]].add(row["warehouse"])

    def _of(self, table: Any) -> list[Row]:  # noqa: ANN401 - a table
        return self.year.rows.get(table, [])

    def _month(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self.span.zone)).strftime("%Y-%m")

    def key(self, dimension: str, line: Row) -> str:
        order, product = self.orders[line["order_id"]], self.by_sku.get(line["sku"])
        carriers, warehouses = self.carriers[order["id"]], self.warehouses[order["id"]]
        found: str = {
            "product": product["handle"] if product else line["title"],
            "size": line["size"],
            "color": line["color"],
            "supplier": product["supplier"] if product else "",
            "carrier": "+" if len(carriers) > 1 else min(carriers, default=""),
            "warehouse": "+" if len(warehouses) > 1 else min(warehouses, default=""),
            "month": self._month(order["placed_at"]),
        }[dimension]
        return found

    def lines(self) -> Iterator[tuple[Row, int]]:
        """Each line that is counted, and how many of it were sent until then."""
        for line in self._of(OrderLine):
            order = self.orders[line["order_id"]]
            if not self.span.start <= order["placed_at"] < self.span.end or order["id"] in self.trials:
                continue
            if order["cancelled_at"] and not line["shipped"]:
                continue
            left = order["shipped_at"] is None or order["shipped_at"] < self.span.seen
            yield line, line["shipped"] if left else 0

    def groups(self, dimension: str) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for line, shipped in self.lines():
            group = found[self.key(dimension, line)]
            group["sold"] += line["quantity"]
            group["shipped"] += shipped
            group["some shipped"] += shipped > 0
            group["squares shipped"] += shipped**2
            looks = self._looks(line["id"])
            self._add(group, self._events(line["id"]), shipped)
            if dimension == "warehouse":
                for warehouse, counts in looks.items():
                    self._add(found[warehouse], counts, shipped)
            else:
                self._add(group, sum(looks.values(), Counter()), shipped)
        for key, questions in self._questions(dimension).items():
            found[key]["asked"] = len(questions)
        return found

    def _add(self, group: Counter[str], events: Counter[str], shipped: int) -> None:
        for measure, count in events.items():
            group[measure] += min(count, shipped)
            group[f"some {measure}"] += min(count, shipped) > 0
            group[f"squares {measure}"] += min(count, shipped) ** 2

    def _events(self, line_id: Any) -> Counter[str]:  # noqa: ANN401 - an id
        found: Counter[str] = Counter()
        for row in self._of(ReturnLine):
            back = self.returns[row["return_id"]]
            if row["order_line_id"] != line_id or not self._stands(back["created_at"], back["cancelled_at"]):
                continue
            found["returned"] += row["quantity"]
            theme = THEMES.get(row["reason"], "")
            themes = ({theme} - {"", "other"}) | ({"faulty"} if row["faulty"] else set())
            for each in themes or ({"other"} if theme else set()):
                found[each] += row["quantity"]
        for row in self._of(ItemClaimLine):
            claim = self.claims[row["claim_id"]]
            if row["order_line_id"] == line_id and self._stands(claim["filed_at"], claim["closed_at"]):
                found["claimed"] += row["quantity"]
                found[f"claim_{claim['kind']}"] += row["quantity"]
        return found

    def _looks(self, line_id: Any) -> dict[str, Counter[str]]:  # noqa: ANN401 - an id
        """What was looked at when it came, by the warehouse in which it was."""
        looks: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self._of(ParcelItem):
            parcel = self.parcels[row["parcel_id"]]
            if row["order_line_id"] != line_id or row["condition"] in {"not_shipped", "kept"}:
                continue
            known = parcel["corrected_at"] or parcel["checked_in_at"]
            if self._stands(known, parcel["undone_at"]) and row["acceptance"] != "surplus":
                looks[parcel["warehouse"] or ""]["checked"] += row["quantity"]
                looks[parcel["warehouse"] or ""][f"came_{row['condition']}"] += row["quantity"]
        return looks

    def _stands(self, since: datetime, until: datetime | None) -> bool:
        """Whether something that was so for a while was so when it is looked at."""
        return since < self.span.seen and (until is None or until >= self.span.seen)

    def _questions(self, dimension: str) -> dict[str, set[Any]]:
        found: dict[str, set[Any]] = defaultdict(set)
        titles = {row["handle"]: row for row in self.products.values()}
        for question in self._of(Question):
            at, named = question["opened_at"], titles.get(question["product"])
            if at >= self.span.seen:
                continue
            if question["order_id"] is None:
                if not self.span.start <= at < self.span.end or named is None:
                    continue
                keys = {"product": named["handle"], "supplier": named["supplier"], "month": self._month(at)}
                if dimension in keys:
                    found[keys[dimension]].add(question["id"])
                continue
            for line, _shipped in self.lines():
                product = self.by_sku.get(line["sku"])
                fits = not named or (product is not None and product["handle"] == named["handle"])
                if line["order_id"] == question["order_id"] and fits:
                    found[self.key(dimension, line)].add(question["id"])
        return found
