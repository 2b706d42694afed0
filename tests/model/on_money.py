"""Rules of money on its way: refunds that are sent; disputes, and what else happens at the gateway; news of it."""

from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from returns_portal.jobs import registry
from returns_portal.refunds import settling
from tests.model.intake import STEP
from tests.model.stage import Stage
from tests.model.things import Dispute, Effect, Order, Payment, RefusedError

_BY = [*[timedelta(minutes=15)] * 4, timedelta(days=10), timedelta(days=40)]


class OnMoney(Stage):
    """Money moves, or does not."""

    # The queue.

    @rule(data=st.data())
    def work_is_done(self, data: st.DataObject) -> None:
        self.work_somehow(data)

    @rule(by=st.sampled_from(_BY))
    def time_passes(self, by: timedelta) -> None:
        """What is not finished is asked about then."""
        self.tick(by)
        self.both(self.model.poll, lambda: settling.poll(self.world.context))

    # What happens at the gateway, and how it becomes known.

    @property
    def cards(self) -> list[tuple[Order, Payment]]:
        return [(order, each) for order in self.model.orders for each in order.payments if each.tender == "stripe"]

    @property
    def movable(self) -> list[Effect]:
        return [each for each in self.model.effects if not each.counted and self.model.bank.outcomes(each)]

    @precondition(lambda self: self.movable)
    @rule(data=st.data())
    def bank_moves(self, data: st.DataObject) -> None:
        effect = data.draw(st.sampled_from(self.movable))
        self._settle(effect, data.draw(st.sampled_from(self.model.bank.outcomes(effect))))

    def _settle(self, effect: Effect, status: str) -> None:
        self.world.sandbox.control(f"refunds/{effect.id}/settle", status=status)
        effect.status = status

    @precondition(lambda self: self.cards)
    @rule(data=st.data())
    def refund_in_the_dashboard(self, data: st.DataObject) -> None:
        order, payment = data.draw(st.sampled_from(self.cards))
        step = STEP[order.currency]
        amount = data.draw(st.integers(1, max(1, payment.amount // step))) * step
        status, body, _ = self.world.sandbox.send(
            "POST", "/v1/refunds", f"payment_intent={payment.reference}&amount={amount}"
        )
        try:
            effect = self.model.bank.refund(payment, amount, ours=False)
        except RefusedError:
            assert status == 400, body
            return
        assert status == 200, body
        effect.id = body["id"]
        self.go_on()

    @property
    def disputable(self) -> list[tuple[Order, Payment]]:
        return [each for each in self.cards if self.model.bank.disputable(each[1])]

    @precondition(lambda self: self.disputable)
    @rule(data=st.data(), inquiry=st.booleans(), whole=st.booleans(), told=st.booleans())
    def dispute(self, data: st.DataObject, inquiry: bool, whole: bool, told: bool) -> None:
        """The portal hears of it at once, or later, or never before it is over."""
        order, payment = data.draw(st.sampled_from(self.disputable))
        left, step = self.model.bank.left(payment), 10
        amount = left if whole or left <= step else left // 2 // step * step
        made = self.world.sandbox.control(
            "disputes", payment_intent=payment.reference, amount=None if whole else amount, inquiry=inquiry
        )
        status = "warning_needs_response" if inquiry else "needs_response"
        payment.disputes.append(Dispute(payment, amount, status, id=made["id"]))
        if told:
            self._told(order, payment.disputes[-1])
            self.work()

    @property
    def undecided(self) -> list[Dispute]:
        return [dispute for dispute in self.model.disputes if self.model.bank.verdicts(dispute)]

    @precondition(lambda self: self.undecided)
    @rule(data=st.data())
    def dispute_goes_on(self, data: st.DataObject) -> None:
        dispute = data.draw(st.sampled_from(self.undecided))
        self._judge(dispute, data.draw(st.sampled_from(self.model.bank.verdicts(dispute))))

    def _judge(self, dispute: Dispute, status: str) -> None:
        self.world.sandbox.control(f"disputes/{dispute.id}/settle", status=status)
        dispute.status = status

    def news(self) -> list[tuple[Order, Effect | Dispute]]:
        """What the portal has not heard of, and can be told now."""
        found: list[tuple[Order, Effect | Dispute]] = []
        for order, payment in self.cards:
            unknown = any(refund.status == "unknown" and refund.payment is payment for refund in order.refunds)
            # While it is not known what became of one of ours, others may have to wait.
            found += [(order, each) for each in payment.effects if each.news and not (unknown and each.of is None)]
            found += [(order, each) for each in payment.disputes if not each.told]
        return found

    @precondition(lambda self: self.news())
    @rule(data=st.data(), times=st.integers(1, 2), mood=st.sampled_from(["work", "work", "later"]))
    def event_arrives(self, data: st.DataObject, times: int, mood: str) -> None:
        """Once or twice; its job is done soon, or with whatever else waits."""
        order, what = data.draw(st.sampled_from(self.news()))
        self._told(order, what, times)
        if mood == "work" or isinstance(what, Effect):
            self.work()
            self._known(what)

    def _told(self, order: Order, what: Effect | Dispute, times: int = 1) -> None:
        def expected() -> None:
            for _ in range(times if isinstance(what, Effect) else 1):
                self.model.ask_for(partial(self._learn, order, what))

        kind = "refund." if isinstance(what, Effect) else "charge.dispute."
        self.both(expected, lambda: self.world.told(kind, what.id, times))

    def _learn(self, order: Order, what: Effect | Dispute) -> None:
        if isinstance(what, Effect):
            self.model.tell_effect(what, order)
        else:
            self.model.tell_dispute(what, order)

    def _known(self, what: Effect | Dispute) -> None:
        """The row that a refund in the dashboard has become."""
        if isinstance(what, Effect) and what.of is not None and not what.of.id.int:
            [row] = self.world.do(self.world.rows("SELECT id FROM refund WHERE gateway_id = :id", id=what.id))
            what.of.id = row.id

    @precondition(lambda self: not any(refund.status == "unknown" for refund in self.model.refunds))
    @rule(data=st.data())
    def catch_up(self, data: st.DataObject) -> None:
        """What no event told of is found by asking: the last piece of news by one of the lists."""
        self.work()
        # What is told of one thing may set another one going.
        while len(news := self.news()) > 1:
            order, what = news[0]
            self._told(order, what)
            self.work()
            self._known(what)
        if not news:
            return
        [(order, what)] = news
        ways = ["events"] if isinstance(what, Effect) and what.of is not None else ["events", "lists"]
        way = data.draw(st.sampled_from(ways))
        self.both(lambda: self._learn(order, what), self._ask_events if way == "events" else self._ask_lists)
        self.work()
        self._known(what)

    async def _ask_events(self) -> None:
        await registry["payments.poll_events"].handler(self.world.context)
        await self.world.work()

    async def _ask_lists(self) -> None:
        await registry["refunds.sweep"].handler(self.world.context)
        await registry["refunds.sweep_disputes"].handler(self.world.context)
        await self.world.work()
