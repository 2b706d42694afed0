"""What the demo's whole year comes to, counted from its file and its plan: no database, no SQL of the product."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from returns_portal.demo import ORDERS
from returns_portal.demo.goods import PRODUCTS
from returns_portal.demo.plan import planned
from returns_portal.demo.sales import Article, Order, articles, parcel_of
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import Measure

SOFIA = ZoneInfo("Europe/Sofia")
Keys = dict[Dimension, str]
Happened = tuple[Keys, Measure, int]
Counts = dict[Dimension, Counter[tuple[str, Measure]]]
M = Measure
_SAID = (None, M.TOO_SMALL, None, M.TOO_SMALL, M.LOOKS, M.TOO_LARGE, None)
_LOOKED = (M.CAME_RESELLABLE, M.CAME_WORN, M.CAME_DAMAGED, M.CAME_RESELLABLE)
"""What becomes of the returns of the file's orders, in turn."""


def counted(day: datetime) -> Counts:
    """All that happened until the demo was loaded, on the day that begins with this midnight."""
    found: Counts = {dimension: Counter() for dimension in Dimension}
    for keys, measure, count in (*_of_file(), *_of_year(day)):
        for dimension, key in keys.items():
            found[dimension][key, measure] += count
    for dimension, asked in _questions(day).items():
        found[dimension].update(asked)
    return found


def _month(moment: datetime) -> str:
    return moment.astimezone(SOFIA).strftime("%Y-%m")


def _of_file() -> Iterator[Happened]:
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        offered = {row["sku"]: row for row in csv.DictReader(file)}
    suppliers = {row["handle"]: row["supplier"] for row in offered.values() if row["title"]}
    with ORDERS.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    heads = {row["Name"]: row for row in lines if row["Financial Status"]}
    sent_back = _sent_back(heads)
    seen = set[str]()
    for line in lines:
        head, product = heads[line["Name"]], offered[line["Lineitem sku"]]
        left = line["Lineitem fulfillment status"] == "fulfilled"
        if head["Cancelled at"] and not left:
            continue
        parcel = parcel_of(line["Name"].removeprefix("#")) if head["Fulfillment Status"] == "fulfilled" else ("", "")
        keys = {
            Dimension.PRODUCT: product["handle"],
            Dimension.SIZE: product["size"],
            Dimension.COLOR: product["color"],
            Dimension.SUPPLIER: suppliers[product["handle"]],
            Dimension.CARRIER: parcel[0],
            Dimension.WAREHOUSE: parcel[1],
            Dimension.MONTH: _month(datetime.fromisoformat(head["Created at"].replace(" +", "+"))),
        }
        count = int(line["Lineitem quantity"])
        yield keys, M.SOLD, count
        if left:
            yield keys, M.SHIPPED, count
        if line["Name"] in sent_back and line["Name"] not in seen:
            seen.add(line["Name"])
            for measure in sent_back[line["Name"]]:
                yield keys, measure, 1


def _sent_back(heads: dict[str, dict[str, str]]) -> dict[str, list[Measure]]:
    """One of the first line of each of the last fourteen orders that were paid and sent, by the demo's plan."""
    whole = [
        name
        for name, row in heads.items()
        if (row["Financial Status"], row["Fulfillment Status"], row["Cancelled at"]) == ("paid", "fulfilled", "")
    ]
    found = {}
    for place, name in enumerate(sorted(whole, reverse=True)[:14]):
        said, looks = _SAID[place % 7], _LOOKED[place % 7] if place % 7 < len(_LOOKED) else None
        found[name] = [M.RETURNED] + ([said] if said else []) + ([M.CHECKED, looks] if looks else [])
    return found


def _keys(order: Order, article: Article, day: datetime) -> Keys:
    return {
        Dimension.PRODUCT: article.handle,
        Dimension.SIZE: article.size,
        Dimension.COLOR: article.color,
        Dimension.SUPPLIER: article.supplier,
        Dimension.CARRIER: order.carrier,
        Dimension.WAREHOUSE: order.warehouse,
        Dimension.MONTH: _month(day - order.ago),
    }


def _of_year(day: datetime) -> Iterator[Happened]:
    for order in planned().orders:
        for article, quantity in order.lines:
            keys = _keys(order, article, day)
            yield keys, M.SOLD, quantity
            yield keys, M.SHIPPED, quantity
        if order.back:
            keys = _keys(order, order.lines[0][0], day)
            yield keys, M.RETURNED, 1
            yield keys, M.CHECKED, 1
            yield keys, M(f"came_{order.back.condition}"), 1
            if order.back.theme:
                yield keys, M(order.back.theme.value), 1
        if order.claim:
            keys = _keys(order, order.lines[-1][0], day)
            yield keys, M.CLAIMED, 1
            yield keys, M(f"claim_{order.claim.kind}"), 1


def _questions(day: datetime) -> Counts:
    """A question counts once for each group that any line of its order is of."""
    orders = {order.number: order for order in planned().orders}
    suppliers = {handle: several[0].supplier for handle, several in articles().items()}
    asked: dict[Dimension, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for place, question in enumerate(planned().questions):
        assert question.ago > timedelta(days=2) or question.answered is None
        if question.order:
            order = orders[question.order]
            several = [_keys(order, each, day) for each, _count in order.lines if question.handle in {"", each.handle}]
        else:
            # Of no product, it is about no group.
            if not question.handle:
                continue
            named = {Dimension.PRODUCT: question.handle, Dimension.SUPPLIER: suppliers[question.handle]}
            several = [named | {Dimension.MONTH: _month(day - question.ago)}]
        for keys in several:
            for dimension, key in keys.items():
                asked[dimension][key].add(place)
    return {
        dimension: Counter({(key, M.ASKED): len(places) for key, places in groups.items()})
        for dimension, groups in asked.items()
    }
