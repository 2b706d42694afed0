"""Rules of orders and returns."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from returns_portal.db import run
from returns_portal.points import adjusting, redemptions
from returns_portal.refunds.filing import FiledReturn, cancel
from returns_portal.returns.models import RefundTo
from tests.model.intake import Wish, expected, handed_in, wishes
from tests.model.points import LIMIT, Purse
from tests.model.stage import SUPPORT, Stage
from tests.model.things import Effect, Order, Return
from tests.portal import API, FINANCE

MOST_ORDERS = 4
_PAYMENTS = "SELECT reference, status FROM payment WHERE order_id = :id ORDER BY created_at, id"
TO = st.sampled_from(["original", "original", "points"])


class OnOrders(Stage):
    """Orders come in, and customers say what they send back."""

    # Orders.

    @initialize(wish=wishes())
    def first_order(self, wish: Wish) -> None:
        self._place(wish)

    @precondition(lambda self: len(self.model.orders) < MOST_ORDERS)
    @rule(wish=wishes())
    def place_order(self, wish: Wish) -> None:
        self._place(wish)

    def _place(self, wish: Wish) -> None:
        self.whole = False
        self.tick()
        number = f"M{self.worlds.examples}-{len(self.model.orders)}"
        order = expected(wish, number, self.email(wish.customer), self.model.now)
        if wish.from_purse:
            self._pay_with_points(order)
        self.world.do(self._taken_in(wish, order))
        self.model.place(order)
        self.model.work()
        for payment in order.payments:
            if payment.before:
                payment.effects.append(Effect(payment, payment.before, "succeeded", ours=False, counted=True))
        self.go_on()
        self.at_gateway()
        self.whole = True

    def _pay_with_points(self, order: Order) -> None:
        """The points that pay are held and captured at the shop's own checkout, where there are so many."""
        amount = sum(payment.amount for payment in order.payments if payment.tender == "points")
        purse = self.model.purse(order.email, order.currency)
        is_known = any(other.email == order.email for other in self.model.orders)
        for _ in range(3):
            has = purse.points(self.model.now)
            if is_known and has < amount:
                self._give_points(order, purse, min(LIMIT, amount - has))
        if not 0 < amount <= purse.points(self.model.now):
            return
        hold = self.model.hold(purse, amount, self.model.now, 60, order.number)
        self.model.capture(hold, amount)

        async def spend() -> None:
            async with self.world.begin() as db:
                wanted = redemptions.Hold(order.email, order.currency, amount, order.number, minutes=60)
                hold.id = (await redemptions.hold(db, API, wanted)).id
                await redemptions.capture(db, API, hold.id)

        self.world.do(spend())

    def _give_points(self, order: Order, purse: Purse, points: int) -> None:
        """By one person, or by two where it takes two."""
        self.tick()
        asked = self.model.adjust(purse, points, self.model.now)
        if asked is not None:
            self.model.decide_asked(asked, approved=True, now=self.model.now)

        async def give() -> None:
            async with self.world.begin() as db:
                account_id = await adjusting.open_account(db, SUPPORT, order.email)
                await adjusting.request(db, SUPPORT, account_id, order.currency, points, "A birthday.")
            for row in await self.world.rows("SELECT id FROM points_adjustment ORDER BY id DESC LIMIT 1"):
                if asked is not None:
                    async with self.world.begin() as db:
                        await adjusting.approve(db, FINANCE, row.id)

        self.world.do(give())

    async def _taken_in(self, wish: Wish, order: Order) -> None:
        for place, payment in enumerate(order.payments):
            if payment.tender == "stripe" and payment.card != "pm_card_visa":
                made = await self.world.gateway.create_sandbox_payment(
                    key=f"{order.email}:{order.number}:{place}",
                    amount=payment.amount,
                    currency=order.currency,
                    metadata={},
                    payment_method=payment.card,
                )
                payment.reference = made.id
        put, ids = await self.world.order(**_fields(handed_in(wish, order, self.model.now)))
        for line, line_id in zip(order.lines, ids, strict=True):
            line.id = line_id
        await self.world.work()
        async with self.world.begin() as db:
            [row] = await run(db, "SELECT id FROM orders WHERE number = :number", number=put.number)
            rows = await run(db, _PAYMENTS, id=row.id)
        order.id = row.id
        assert [found.status for found in rows] == ["captured"] * len(order.payments)
        for payment, found in zip(order.payments, rows, strict=True):
            payment.reference = found.reference or ""

    # Returns.

    @rule(data=st.data(), to=TO)
    def file_return(self, data: st.DataObject, to: str) -> None:
        self.file(data, to)

    def file(self, data: st.DataObject, to: str) -> Return | None:
        order = data.draw(st.sampled_from(self.model.orders))
        if data.draw(st.integers(0, 3)):
            left = [line for line in order.lines if line.ordered > order.gone(line)]
            lines = {self.pick(data, left, order.lines): data.draw(st.integers(1, 2))}
        else:
            rest = {line: line.ordered - order.gone(line) for line in order.lines}
            lines = {line: units for line, units in rest.items() if units > 0} or {order.lines[0]: 1}
        preview = self.model.preview(order, lines, to)

        async def filed() -> FiledReturn:
            return await self.world.file(order.number, *((line.id, n) for line, n in lines.items()), to=RefundTo(to))

        done = self.both(lambda: self.model.file(order, lines, to), filed)
        if done is None:
            return None
        ret, got = done
        ret.rma, ret.id = got.rma, got.id
        legs = [(leg.destination.value, leg.amount, leg.bonus) for leg in got.preview.legs]
        assert legs == [(leg.to, leg.amount, leg.bonus) for leg in preview.legs]
        return ret

    @property
    def returns(self) -> list[Return]:
        return [ret for order in self.model.orders for ret in order.returns]

    @property
    def filed(self) -> list[Return]:
        return [ret for ret in self.returns if ret.status == "filed"]

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def cancel_return(self, data: st.DataObject) -> None:
        ret = self.pick(data, self.filed, self.returns)

        async def cancelled() -> None:
            async with self.world.begin() as db:
                await cancel(db, API, ret.rma)

        self.both(lambda: self.model.cancel(ret), cancelled)


def _fields(order: Any) -> dict[str, Any]:  # noqa: ANN401 - an order that is handed in
    return {name: getattr(order, name) for name in order.__struct_fields__}
