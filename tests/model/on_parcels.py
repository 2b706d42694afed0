"""Rules of what arrives: counted, undone, counted again, looked at."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from returns_portal.refunds import actions, deciding
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.model.on_orders import TO, OnOrders
from tests.model.shop import Count
from tests.model.things import Item, Parcel, Refund, Return
from tests.portal import API, FINANCE

_FOUND = ["resellable", "resellable", "worn", "damaged", "wrong_item"]
_DELAY = st.sampled_from([0, 0, 600])
_VERDICT = st.sampled_from(["accepted", "part", "part", "sent_back"])
_VERDICTS = {"accepted": "accept", "part": "part", "sent_back": "send_back"}


class OnParcels(OnOrders):
    """Parcels arrive, and people look at what is in them."""

    @property
    def parcels(self) -> list[Parcel]:
        return [parcel for order in self.model.orders for parcel in order.parcels]

    @property
    def live(self) -> list[Parcel]:
        return [parcel for parcel in self.parcels if parcel.live]

    @rule(data=st.data(), to=TO, delay=_DELAY, condition=st.sampled_from(_FOUND))
    def goods_come_back(self, data: st.DataObject, to: str, delay: int, condition: str) -> None:
        """So many as were announced; where they have to be looked at, at once."""
        ret = self.file(data, to)
        if ret is None:
            return
        self._check_in(ret, [Count(line, units, condition) for line, units in ret.lines.items()], 1, delay)
        [parcel] = ret.parcels
        for item in list(parcel.items):
            if item.acceptance == "waiting":
                self._decide(data, parcel, item, data.draw(_VERDICT))
        self.soon(data)

    def _counts(self, data: st.DataObject, ret: Return) -> list[Count]:
        """What was announced, or anything else that may lie in a parcel."""
        if data.draw(st.booleans()):
            condition = data.draw(st.sampled_from(_FOUND))
            return [Count(line, units, condition) for line, units in ret.lines.items()]
        line = st.sampled_from([*ret.order.lines, *ret.order.lines, None])
        count = st.builds(Count, line, st.integers(0, 3), st.sampled_from(_FOUND))
        return data.draw(st.lists(count, min_size=1, max_size=3))

    @precondition(lambda self: self.returns)
    @rule(data=st.data(), delay=_DELAY, again=st.integers(0, 5))
    def check_in(self, data: st.DataObject, delay: int, again: int) -> None:
        ret = self.pick(data, self.filed, self.returns)
        counts = self._counts(data, ret)
        self._check_in(ret, counts, max((parcel.number for parcel in ret.parcels), default=0) + (again > 0) or 1, delay)
        self.soon(data)

    def _check_in(self, ret: Return, counts: list[Count], number: int, delay: int) -> None:
        done = self.both(
            lambda: self.model.receive(ret, counts, number, timedelta(seconds=delay)),
            lambda: self.world.receive(ret.rma, *map(_three, counts), number=number, delay=delay),
        )
        if done is not None:
            self._received(*done)

    def _received(self, made: tuple[Parcel, list[Refund]], released: actions.Released) -> None:
        parcel, refunds = made
        parcel.id = released.check_in_id
        self.number(refunds, released.refund_ids)
        self.counted(parcel)

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def refund_unshipped(self, data: st.DataObject) -> None:
        here = [ret for ret in self.returns if any(line.shipped < line.ordered for line in ret.lines)]
        ret = self.pick(data, here, self.returns)

        def expected_() -> tuple[Parcel, list[Refund]]:
            counts, number = self.model.unshipped(ret)
            return self.model.receive(ret, counts, number, timedelta())

        async def real() -> actions.Released:
            async with self.world.begin() as db:
                return await actions.release_unshipped(db, FINANCE, self.world.settings, ret.rma)

        done = self.both(expected_, real)
        if done is not None:
            self._received(*done)

    @precondition(lambda self: self.parcels)
    @rule(data=st.data())
    def undo_check_in(self, data: st.DataObject) -> None:
        parcel = self.pick(data, self.live, self.parcels)

        async def undone() -> str:
            async with self.world.begin() as db:
                return await actions.undo(db, API, parcel.id)

        self.both(lambda: self.model.undo(parcel), undone)

    @precondition(lambda self: self.parcels)
    @rule(data=st.data())
    def correct_check_in(self, data: st.DataObject) -> None:
        parcel = self.pick(data, self.live, self.parcels)
        self._correct(parcel, self._counts(data, parcel.ret))
        self.soon(data)

    @property
    def in_part(self) -> list[Parcel]:
        return [parcel for parcel in self.live if any(item.acceptance == "part" for item in parcel.items)]

    @precondition(lambda self: self.in_part)
    @rule(data=st.data())
    def all_was_fine(self, data: st.DataObject) -> None:
        """What had been paid in part gets its rest."""
        parcel = data.draw(st.sampled_from(self.in_part))
        self._correct(parcel, [Count(item.line, item.quantity, "resellable") for item in parcel.items])

    def _correct(self, parcel: Parcel, counts: list[Count]) -> None:
        found = [Counted(count.line.id if count.line else None, *_rest(count)) for count in counts]

        async def corrected() -> actions.Released:
            async with self.world.begin() as db:
                return await actions.correct(db, API, self.world.settings, parcel.id, found, "")

        done = self.both(lambda: self.model.correct(parcel, counts), corrected)
        if done is not None:
            self._received(*done)

    @precondition(lambda self: any(item.line for parcel in self.parcels for item in parcel.items))
    @rule(data=st.data(), verdict=_VERDICT)
    def decide_item(self, data: st.DataObject, verdict: str) -> None:
        items = [(parcel, item) for parcel in self.parcels for item in parcel.items if item.line]
        waiting = [(parcel, item) for parcel, item in items if parcel.live and item.acceptance == "waiting"]
        self._decide(data, *self.pick(data, waiting, items), verdict)
        self.soon(data)

    def _decide(self, data: st.DataObject, parcel: Parcel, item: Item, verdict: str) -> None:
        assert item.line is not None
        part = data.draw(st.integers(0, max(item.line.prices) + 1)) if verdict == "part" else None
        units = data.draw(st.integers(1, item.quantity))
        item_id = item.id

        async def decided() -> actions.Released:
            async with self.world.begin() as db:
                return await deciding.decide(
                    db,
                    FINANCE,
                    self.world.settings,
                    item_id,
                    _VERDICTS[verdict],  # type: ignore[arg-type]  # one of the three words
                    amount=part,
                    reason="A heel is loose.",
                    quantity=units,
                )

        done = self.both(lambda: self.model.decide(parcel, item, verdict, part, units), decided)
        if done is not None:
            self.number(done[0], done[1].refund_ids)
            self.counted(parcel)


def _rest(count: Count) -> tuple[int, Condition]:
    return count.quantity, Condition(count.condition)


def _three(count: Count) -> tuple[Any, int, Condition]:
    return count.line.id if count.line else None, *_rest(count)
