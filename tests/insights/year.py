"""A year of a shop, written straight into the tables: the same from the same number, with everything that trips counts.

Orders that were cancelled before and after sending, units that were never sent, returns that were cancelled (days
later), announced twice, or undone or corrected at the dock, claims that were withdrawn, gifts, trials, goods of no
catalogue, questions of every kind.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from returns_portal.catalog.models import Product, Variant
from returns_portal.claims.models import ItemClaim, ItemClaimLine, Kind
from returns_portal.exchanges.models import Exchange
from returns_portal.gifts.models import Gift
from returns_portal.ids import new_exchange_number, new_id, new_question_number, new_rma
from returns_portal.labels.models import OutboundParcel
from returns_portal.orders.models import Order, OrderLine
from returns_portal.returns.models import Return, ReturnLine
from returns_portal.service.models import Question
from returns_portal.tryon.models import Trial
from returns_portal.warehouse.models import Condition, Parcel, ParcelItem

START: Final = datetime(2025, 11, 20, tzinfo=UTC)
DAYS: Final = 366
SIZES: Final = ("38", "39", "40", "41", "42", "42 1/2")
COLORS: Final = ("Black", "Ecru", "=Navy")
WAREHOUSES: Final = (None, "Hall 1", "Hall 1", "Rousse", "=Dock")
SCHEDULE: Final = {"zone": "UTC", "week": [[]] * 7}
REASONS: Final = (
    "too small", "zu klein", "Твърде малки", "too large", "не понравилось", "The heel is broken", "came late", "Hm.",
    "too small here, too large there", "", "", "", "", "",
)  # fmt: skip


class Year:
    """Rows by table, in the order in which they point to each other."""

    def __init__(self, orders: int, seed: int = 1, products: int = 8) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same in each run
        self.elsewhere = random.Random(seed)  # noqa: S311 - as above; in which warehouse changes nothing else
        self.rows: dict[type[SQLModel], list[dict[str, Any]]] = {}
        self.products = [self._product(number) for number in range(products)]
        for number in range(orders):
            self._order(number)

    def _add(self, row: SQLModel) -> Any:  # noqa: ANN401 - the row
        self.rows.setdefault(type(row), []).append(row.model_dump())
        return row

    def _one(self, *of: Any) -> Any:  # noqa: ANN401 - one of them
        return self.chance.choice(of)

    def _product(self, number: int) -> Any:  # noqa: ANN401 - the row
        at = START - timedelta(days=30)
        product = Product(
            id=new_id(), handle=f"boot-{number}", title=f"Boot {number}", kind="shoe", size_system="eu",
            size_group="unisex", words=f"boot {number}", tags=[], supplier=("", "Lviv", "Plovdiv")[number % 3],
            created_at=at, updated_at=at,
        )  # fmt: skip
        self._add(product)
        for place, (size, color) in enumerate((size, color) for size in SIZES for color in COLORS):
            self._add(
                Variant(
                    id=new_id(), product_id=product.id, position=place, sku=f"B{number}-{size}-{color}", size=size,
                    color=color, price=9900, currency="EUR",
                )
            )  # fmt: skip
        return product

    def _order(self, number: int) -> None:
        placed = START + timedelta(minutes=self.chance.randrange(DAYS * 1440))
        cancelled = self.chance.random() < 0.05
        shipped = not cancelled or self.chance.random() < 0.3
        email = f"customer{self.chance.randrange(1 + number)}@example.com"
        order = Order(
            id=new_id(), number=f"Y{number}", email=email, email_key=email, name="Ana", phone="", locale="en",
            currency="EUR", placed_at=placed, cancelled_at=placed + timedelta(hours=3) if cancelled else None,
            shipped_at=self._one(placed + timedelta(days=1), None) if shipped else None, financial_status="paid",
            fulfillment_status="fulfilled", address={}, tax_included=True, total=0, order_discount=0, shipping_price=0,
            shipping_discount=0, shipping_tax=0, shipping_paid=0, shipping_refundable=0, source="api", fingerprint=b"",
            created_at=placed, updated_at=placed,
        )  # fmt: skip
        self._add(order)
        for carrier in self.chance.choice(((), ("Econt",), ("Econt",), ("Speedy",), ("Econt", "Speedy"))):
            parcel = OutboundParcel(
                id=new_id(), order_id=order.id, carrier=carrier, tracking="1", created_at=placed,
                warehouse=self.elsewhere.choice(WAREHOUSES),
            )  # fmt: skip
            self._add(parcel)
        if self.chance.random() < 0.1:
            self._trial(order)
        lines = [self._line(order, place, shipped=shipped) for place in range(self.chance.randrange(1, 4))]
        if self.chance.random() < 0.4:
            self._return(order, lines)
        if self.chance.random() < 0.1:
            self._return(order, lines)
        if self.chance.random() < 0.15:
            self._claim(order, lines)
        if self.chance.random() < 0.15:
            self._question(order)

    def _line(self, order: Any, place: int, *, shipped: bool) -> Any:  # noqa: ANN401 - rows
        number = self.chance.randrange(len(self.products))
        size, color = self.chance.choice(SIZES), self.chance.choice(COLORS)
        quantity, known = self._one(1, 1, 1, 2, 3), self.chance.random() < 0.95
        line = OrderLine(
            id=new_id(), order_id=order.id, position=place, sku=f"B{number}-{size}-{color}" if known else "",
            title=f"Boot {number}" if known else "Gift wrap", size=size if known else "", color=color if known else "",
            quantity=quantity, shipped=self._one(quantity, quantity, self.chance.randrange(quantity + 1)) * shipped,
            unit_price=0, discount=0, tax=0, unit_discount=[0] * quantity, unit_tax=[0] * quantity,
            unit_paid=[0] * quantity,
        )  # fmt: skip
        return self._add(line)

    def _later(self, order: Any) -> datetime:  # noqa: ANN401 - a row
        later: datetime = order.placed_at + timedelta(days=3, minutes=self.chance.randrange(40 * 1440))
        return later

    def _gift(self, order: Any, at: datetime) -> UUID | None:  # noqa: ANN401 - a row
        if self.chance.random() > 0.1 or any(gift["order_id"] == order.id for gift in self.rows.get(Gift, ())):
            return None
        email = "oma@example.com"
        gift = Gift(
            id=new_id(), order_id=order.id, email=email, email_key=email, name="Oma", locale="de", address={},
            created_at=at,
        )  # fmt: skip
        gift_id: UUID = self._add(gift).id
        return gift_id

    def _trial(self, order: Any) -> None:  # noqa: ANN401 - a row
        trial = Trial(
            id=new_id(), number=order.number, order_id=order.id, status="settled", mode=self._one("trial", "purchase"),
            strategy="hold", strategy_reason={}, email_key=order.email, currency="EUR", max_charge=0, deposit=0,
            points=0, trial_days=7, policy={}, silence_keeps=True, terms="", locale="en", consented_at=order.placed_at,
            placed_at=order.placed_at, livemode=False, changed_at=order.placed_at,
        )  # fmt: skip
        self._add(trial)

    def _return(self, order: Any, lines: Sequence[Any]) -> None:  # noqa: ANN401 - rows
        at, status = self._later(order), self._one("filed", "received", "received", "received", "cancelled")
        gift_id = self._gift(order, at)
        back = Return(
            id=new_id(), rma=new_rma(), order_id=order.id, status=status,
            refund_to="points" if gift_id else "original", bonus_percent=0, refund_deadline=at, filed_by="customer",
            created_at=at, gift_id=gift_id, cancelled_at=at + timedelta(days=10) if status == "cancelled" else None,
        )  # fmt: skip
        self._add(back)
        reason = self.chance.choice(REASONS)
        announced = self.chance.sample(lines, self.chance.randrange(1, len(lines) + 1))
        for line in announced:
            faulty = self.chance.random() < 0.1
            many = self.chance.randrange(1, line.quantity + 1)
            row = {"id": new_id(), "return_id": back.id, "order_line_id": line.id, "quantity": many}
            self._add(ReturnLine(**row, reason=reason, faulty=faulty))
        if self.chance.random() < 0.3:
            self.exchange(back, announced[0])
        if status == "received":
            self._check_in(back, announced)

    def exchange(self, back: Any, line: Any) -> None:  # noqa: ANN401 - rows
        """For any size of any colour of the same product, or of another; how it ends is nothing to what it says."""
        wanted = self.chance.choice(self.rows[Variant])
        if self.chance.random() < 0.8 and line.sku:
            of_it = line.sku.partition("-")[0] + "-"
            wanted = self.chance.choice([row for row in self.rows[Variant] if row["sku"].startswith(of_it)])
        exchange = Exchange(
            id=new_id(), number=new_exchange_number(), order_id=back.order_id, return_id=back.id, order_line_id=line.id,
            variant_id=wanted["id"], sku=wanted["sku"], title="Boot", size=wanted["size"], color=wanted["color"],
            status="ended", end_reason="customer", currency="EUR", value=0, price=0, list_price=0, to_pay=0, tax_rate=0,
            reserved=False, reserved_until=back.created_at, created_at=back.created_at, changed_at=back.created_at,
        )  # fmt: skip
        self._add(exchange)

    def _check_in(self, back: Any, announced: Sequence[Any]) -> None:  # noqa: ANN401 - rows
        at = back.created_at + timedelta(days=4)
        undone = self.chance.random() < 0.1
        parcel = Parcel(
            id=new_id(), return_id=back.id, number=1, checked_in_at=at, checked_in_by="staff:1",
            undone_at=at + timedelta(days=6) if undone else None, warehouse=self.elsewhere.choice(WAREHOUSES),
        )  # fmt: skip
        self._add(parcel)
        if undone and len(self.rows[Parcel]) % 2:
            self._correct(parcel, announced)
        for line in announced:
            item = ParcelItem(
                id=new_id(), parcel_id=parcel.id, order_line_id=line.id, quantity=self._one(1, 1, 2, 4),
                condition=self._one(*[each.value for each in Condition]),
                acceptance=self._one("accepted", "accepted", "surplus", "sent_back"),
            )  # fmt: skip
            self._add(item)

    def _correct(self, wrong: Any, announced: Sequence[Any]) -> None:  # noqa: ANN401 - rows
        """What was undone was replaced by another count, of the parcel that came when it came."""
        right = Parcel(
            id=new_id(), return_id=wrong.return_id, number=1, checked_in_at=wrong.checked_in_at,
            checked_in_by="staff:1", corrects_id=wrong.id, corrected_at=wrong.undone_at, warehouse=wrong.warehouse,
        )  # fmt: skip
        self._add(right)
        for line in announced:
            row = {"id": new_id(), "parcel_id": right.id, "order_line_id": line.id, "quantity": 1}
            self._add(ParcelItem(**row, condition="worn", acceptance="accepted"))

    def _claim(self, order: Any, lines: Sequence[Any]) -> None:  # noqa: ANN401 - rows
        at, withdrawn = self._later(order), self.chance.random() < 0.2
        claim = ItemClaim(
            id=new_id(), order_id=order.id, kind=self._one(*[each.value for each in Kind]), remedy="refund", said="",
            status="withdrawn" if withdrawn else "filed", answer="", filed_by="customer", filed_at=at, changed_at=at,
            closed_at=at + timedelta(days=8) if withdrawn else None,
        )  # fmt: skip
        self._add(claim)
        for line in self.chance.sample(lines, self.chance.randrange(1, len(lines) + 1)):
            many = self.chance.randrange(1, line.quantity + 1)
            self._add(ItemClaimLine(id=new_id(), claim_id=claim.id, order_line_id=line.id, quantity=many, reduced=0))

    def _question(self, order: Any) -> None:  # noqa: ANN401 - rows
        at, named = self._later(order), self.chance.choice(self.products).handle
        alone = self.chance.random() < 0.5
        question = Question(
            id=new_id(), number=new_question_number(), subject="", source="form", email="a@b.c",
            email_key="a@b.c", name="", locale="en", order_id=None if alone else order.id,
            product=named if alone else self._one("", named), state="waiting", opened_at=at, asked_at=at, due_at=at,
            changed_at=at, schedule=SCHEDULE, goal_minutes=60,
        )  # fmt: skip
        self._add(question)

    def come_back(self, supplier: str, since: datetime) -> None:
        """Everything of a supplier that was bought since then comes back, two days later."""
        theirs = {product.handle.removeprefix("boot-") for product in self.products if product.supplier == supplier}
        orders = {row["id"]: row for row in self.rows[Order] if row["placed_at"] >= since}
        announced = {row["order_line_id"] for row in self.rows[ReturnLine]}
        for line in self.rows[OrderLine]:
            order = orders.get(line["order_id"])
            if order is None or line["id"] in announced or line["sku"][1:].partition("-")[0] not in theirs:
                continue
            at = order["placed_at"] + timedelta(days=2)
            back = Return(
                id=new_id(), rma=new_rma(), order_id=order["id"], status="filed",
                refund_to="original", bonus_percent=0, refund_deadline=at, filed_by="customer", created_at=at,
            )  # fmt: skip
            self._add(back)
            row = {"id": new_id(), "return_id": back.id, "order_line_id": line["id"], "quantity": line["quantity"]}
            self._add(ReturnLine(**row, reason="", faulty=False))

    def tables(self) -> Iterator[tuple[type[SQLModel], list[dict[str, Any]]]]:
        """What there is, so that nothing points to what comes later."""
        goods = (Product, Variant, Order, OrderLine, OutboundParcel, Trial, Gift)
        back = (Return, ReturnLine, Exchange, Parcel, ParcelItem)
        for table in (*goods, *back, ItemClaim, ItemClaimLine, Question):
            if table in self.rows:
                yield table, self.rows[table]

    async def write(self, db: AsyncConnection) -> None:
        """Store all of it."""
        for table, rows in self.tables():
            await db.execute(insert(table), rows)
