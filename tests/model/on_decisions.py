"""Rules of what people decide about money: refunds that failed, transfers, gestures."""

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from returns_portal.actor import Actor
from returns_portal.refunds import approvals, failed, lowering, settling
from returns_portal.refunds.goodwill import Gesture as Wanted
from returns_portal.refunds.goodwill import Given, give
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from tests.model.decisions import PLACES
from tests.model.plans import left_of
from tests.model.stage import SUPPORT, Stage
from tests.model.things import Gesture, Refund
from tests.portal import FINANCE

_WAYS = ["again", "again", "points", "transfer", "less"]


class OnDecisions(Stage):
    """People let refunds that failed go on, pay transfers, and give."""

    @property
    def failed(self) -> list[Refund]:
        return [refund for refund in self.model.refunds if refund.status == "failed"]

    @property
    def transfers(self) -> list[Refund]:
        return [refund for refund in self.model.refunds if refund.status == "awaiting_transfer"]

    @precondition(lambda self: self.model.refunds)
    @rule(data=st.data(), way=st.sampled_from(_WAYS))
    def failed_refund_goes_on(self, data: st.DataObject, way: str) -> None:
        refund = self.pick(data, self.failed, self.model.refunds)
        customer = Actor(kind="customer", id=str(refund.order.id), order_id=refund.order.id)
        model = self.model
        if way == "again":
            self._change(refund, model.try_again, lambda db, id_: failed.try_again(db, FINANCE, id_))
        elif way == "points":
            self._change(refund, model.take_points, lambda db, id_: failed.take_points(db, customer, id_, agreed=True))
        elif way == "transfer":
            self._change(refund, model.take_transfer, lambda db, id_: failed.take_transfer(db, FINANCE, id_))
        else:
            less = data.draw(st.one_of(st.just(0), st.integers(0, refund.amount)))
            self._change(
                refund, lambda each: model.lower(each, less), lambda db, id_: lowering.lower(db, FINANCE, id_, less)
            )
        self.soon(data)

    def _change(self, refund: Refund, expected: Callable[[Refund], None], real: Callable[..., Awaitable[Any]]) -> None:
        async def changed() -> None:
            async with self.world.begin() as db:
                await real(db, refund.id)

        self.both(lambda: expected(refund), changed)

    @precondition(lambda self: self.transfers)
    @rule(data=st.data())
    def confirm_transfer(self, data: st.DataObject) -> None:
        self._confirm(data.draw(st.sampled_from(self.transfers)))

    @precondition(lambda self: any(refund.status in {"succeeded", "canceled"} for refund in self.model.refunds))
    @rule(data=st.data())
    def confirm_what_is_over(self, data: st.DataObject) -> None:
        over = [refund for refund in self.model.refunds if refund.status in {"succeeded", "canceled"}]
        self._confirm(data.draw(st.sampled_from(over)))

    def _confirm(self, refund: Refund) -> None:
        self._change(
            refund,
            self.model.confirm_transfer,
            lambda db, id_: settling.confirm_transfer(db, FINANCE, id_, "SEPA 7"),
        )

    # Gestures.

    @rule(data=st.data(), to=st.sampled_from(["original", "original", "points"]), shipping=st.integers(0, 3))
    def give(self, data: st.DataObject, to: str, shipping: int) -> None:
        order = data.draw(st.sampled_from(self.model.orders))
        amount = data.draw(st.one_of(st.integers(0, 20 * PLACES[order.currency]), st.integers(0, left_of(order) + 1)))
        wish = Wanted(
            order_number=order.number,
            reason="The parcel came late.",
            amount=amount,
            shipping=shipping == 0,
            refund_to=RefundTo(to),
            points_consent=True,
        )

        async def given() -> Given:
            async with self.world.begin() as db:
                return await give(db, SUPPORT, self.world.settings, DEFAULT, wish)

        done = self.both(lambda: self.model.give(order, amount, to=to, shipping=wish.shipping), given)
        if done is not None:
            (gesture, refunds), made = done
            gesture.id = made.id
            assert (made.decision, made.amount) == (gesture.decision, gesture.amount)
            self.number(refunds, made.refund_ids)
        self.soon(data)

    @property
    def gestures(self) -> list[Gesture]:
        return [gesture for order in self.model.orders for gesture in order.gestures]

    @precondition(lambda self: self.gestures)
    @rule(data=st.data(), approved=st.booleans())
    def decide_gesture(self, data: st.DataObject, approved: bool) -> None:
        waiting = [gesture for gesture in self.gestures if gesture.decision == "waiting"]
        gesture = self.pick(data, waiting, self.gestures)

        def expected() -> list[Refund]:
            if approved:
                return self.model.approve(gesture)
            self.model.decline(gesture)
            return []

        async def decided() -> Given:
            async with self.world.begin() as db:
                if approved:
                    return await approvals.approve(db, FINANCE, self.world.settings, gesture.id)
                return await approvals.decline(db, FINANCE, gesture.id, "No.")

        done = self.both(expected, decided)
        if done is not None:
            self.number(done[0], done[1].refund_ids)
        self.soon(data)
