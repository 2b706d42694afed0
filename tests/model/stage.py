"""Portal and model side by side: what both do at once, and how they are compared."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from returns_portal.actor import Actor
from returns_portal.errors import DomainError
from returns_portal.queue import BATCH
from returns_portal.warehouse.queries import parcel_for
from tests.model.compare import Facts, kept, known, reached
from tests.model.shop import Model
from tests.model.things import Effect, Order, Parcel, Refund, RefusedError
from tests.model.world import Worlds
from tests.portal import API

BEGINS: Final = datetime(2090, 3, 20, 9, tzinfo=UTC)
"""Far ahead, so that nothing is due by the database's own clock that is not by the model's; a DST night follows."""
TICK: Final = timedelta(milliseconds=1)
PROVEN_EVERY: Final = 30
"""Steps from one proof of all the books to the next; they are proven at the end of each example as well."""

SUPPORT: Final = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
_MOODS = [*["well"] * 3, "pending", "failed", "lost", "lost", "busy"]
_FAULTS: dict[str, dict[str, object]] = {
    # All three attempts at it, so that nothing is known in the end.
    "lost": {"kind": "drop", "times": 3},
    "busy": {"kind": "rate_limit", "times": 1},
}

W = TypeVar("W")
G = TypeVar("G")


class Stage(RuleBasedStateMachine):
    """What the rules stand on."""

    worlds: ClassVar[Worlds]

    def __init__(self) -> None:
        super().__init__()
        self.world = self.worlds.world()
        self.model = Model(BEGINS, BATCH)
        self.worlds.examples += 1
        self.tick()
        self.calm()
        self.world.do(self.world.begin_example(self.model.months))
        self.compared = 0
        self.reached: set[str] = set()
        self.whole = True
        """Whether everything up to here went as it should."""

    def tick(self, by: timedelta = TICK) -> None:
        """Let time pass."""
        self.model.now += by
        self.world.now = self.model.now

    @staticmethod
    def pick(data: st.DataObject, likely: Sequence[W], others: Sequence[W]) -> W:
        """One with which something can be done, where there is one; now and then any, to be refused."""
        try_it = bool(likely) and data.draw(st.integers(0, 5)) > 0
        return data.draw(st.sampled_from(likely if try_it else others))

    def email(self, customer: int) -> str:
        return f"m{self.worlds.examples}-{customer}@example.com"

    def both(self, expected: Callable[[], W], real: Callable[[], Awaitable[G]]) -> tuple[W, G] | None:
        """Do the same in both: what each answers, or None where both refuse, for the same reason."""
        self.whole = False
        self.tick()

        async def tried() -> G | DomainError:
            try:
                return await real()
            except DomainError as error:
                return error

        wanted = _wanted(expected)
        got = self.world.do(tried())
        refusals = [each.code if isinstance(each, DomainError | RefusedError) else None for each in (wanted, got)]
        assert refusals[0] == refusals[1]
        if refusals[0] is not None:
            self.reached.add(f"refused: {refusals[0]}")
        self.whole = True
        return None if isinstance(wanted, RefusedError) or isinstance(got, DomainError) else (wanted, got)

    # What both do in the background.

    def soon(self, data: st.DataObject) -> None:
        """What was just asked for is done now, or later."""
        if data.draw(st.integers(0, 2)):
            self.work_somehow(data)

    def work_somehow(self, data: st.DataObject) -> None:
        """Do what is due; where the gateway is needed, it may be slow, or say no, or the line may be bad."""
        mood = data.draw(st.sampled_from(_MOODS)) if self.model.to_be_sent else "well"
        if mood in _FAULTS:
            self.model.fault = mood
            self.world.sandbox.control("faults", method="POST", path="/v1/refunds", **_FAULTS[mood])
        elif mood != "well":
            self.model.bank.ordered.append(mood)
            self.world.sandbox.control("refund-outcomes", status=mood)
        self.work()
        if mood == "lost":
            # As a gateway may after a day: nothing but asking shows then that it was done.
            self.world.sandbox.control("keys/forget", older_than_hours=0)
            self.model.forget_keys()

    def work(self) -> None:
        """Run the queue, and let the gateway go on."""
        self.both(self.model.work, self.world.work)
        self.calm()
        self.go_on()
        self.at_gateway()

    def calm(self) -> None:
        """The gateway forgets what it was told to do next."""
        self.model.fault = ""
        self.model.bank.ordered.clear()
        self.world.sandbox.http.delete("/_sandbox/faults")

    def go_on(self) -> None:
        """What is planned to happen at the gateway happens there; the portal has yet to hear of it."""
        if self.model.bank.go_on():
            self.world.sandbox.control("clock", advance=1)

    # How they are compared.

    def at_gateway(self) -> None:
        """The gateway's own list has each refund once, with its amount, as the model knows it."""
        ids: dict[tuple[object, ...], str] = {}
        found = Counter[tuple[object, ...]]()
        for each in self.world.refunds_at_gateway():
            refund = each["payment_intent"], each["amount"], each["status"], each["metadata"].get("refund_id")
            ids[refund] = each["id"]
            found[refund] += 1
        assert found == Counter(map(_listed, self.model.effects))
        for effect in self.model.effects:
            effect.id = effect.id or ids[_listed(effect)]

    def number(self, refunds: Sequence[Refund], ids: Sequence[UUID]) -> None:
        """The rows that were just made."""
        assert len(refunds) == len(ids)
        for refund, refund_id in zip(refunds, ids, strict=True):
            refund.id = refund_id

    def counted(self, parcel: Parcel) -> None:
        """The ids of what was just written down of a parcel."""

        async def view() -> Any:  # noqa: ANN401 - a view of the product
            async with self.world.begin() as db:
                return await parcel_for(db, API, parcel.id)

        rows = self.world.do(view()).items
        known = {item.id for item in parcel.items}
        new = iter([row.id for row in rows if row.id not in known])
        for item in parcel.items:
            item.id = item.id if item.id.int else next(new)

    @invariant()
    def agree(self) -> None:
        """All that is known of the orders is the same; and, now and then, the books are in order."""
        if not self.model.orders:
            return
        # The first comparison is of how the example begins.
        self.worlds.steps += self.compared > 0
        self.compared += 1
        self.reached |= reached(self.model)
        self.whole = False
        # The views of one order after each step, since that takes a while; of all of them at the end.
        self.same([self.model.orders[self.compared % len(self.model.orders)]])
        if self.compared % PROVEN_EVERY == 0:
            self.world.do(self.world.books())
        self.whole = True

    def same(self, closely: Sequence[Order]) -> None:
        """Both know the same of all orders, and of some what is left of them as well."""

        async def view() -> Facts:
            async with self.world.begin() as db:
                return await kept(db, self.model.orders, closely)

        assert self.world.do(view()) == known(self.model, closely)


def _wanted(expected: Callable[[], W]) -> W | RefusedError:
    try:
        return expected()
    except RefusedError as refused:
        return refused


def _listed(effect: Effect) -> tuple[object, ...]:
    name = f"{effect.of.id}:{effect.attempt}" if effect.ours and effect.of else None
    return effect.payment.reference, effect.amount, effect.status, name
