"""Rules of points: given and taken by hand, held, spent, released, expired."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from returns_portal.actor import SYSTEM
from returns_portal.jobs import registry
from returns_portal.points import adjusting, redemptions
from returns_portal.points.queries import Redemption
from returns_portal.shop.actions import update_shop
from tests.model.intake import CURRENCIES
from tests.model.points import Hold, Purse
from tests.model.stage import SUPPORT, Stage
from tests.portal import API, FINANCE


class OnPoints(Stage):
    """Points come and go."""

    def _purse(self, data: st.DataObject) -> tuple[str, str, Purse]:
        """One that there is something in, or any."""
        filled = [key for key, purse in self.model.purses.items() if purse.points(self.model.now)]
        anyone = [(order.email, currency) for order in self.model.orders for currency in CURRENCIES]
        email, currency = self.pick(data, filled, anyone)
        return email, currency, self.model.purse(email, currency)

    @rule(data=st.data(), amount=st.one_of(st.integers(1, 4_000), st.integers(5_001, 6_000), st.integers(-6_000, -1)))
    def adjust(self, data: st.DataObject, amount: int) -> None:
        email, currency, purse = self._purse(data)

        async def adjusted() -> str:
            async with self.world.begin() as db:
                account_id = await adjusting.open_account(db, SUPPORT, email)
                return await adjusting.request(db, SUPPORT, account_id, currency, amount, "A birthday.")

        done = self.both(lambda: self.model.adjust(purse, amount, self.model.now), adjusted)
        if done is not None and (asked := done[0]) is not None:
            assert done[1] == "pending"
            [row] = self.world.do(self.world.rows("SELECT id FROM points_adjustment ORDER BY id DESC LIMIT 1"))
            asked.id = row.id

    @precondition(lambda self: self.model.asked)
    @rule(data=st.data(), approved=st.booleans())
    def decide_adjustment(self, data: st.DataObject, approved: bool) -> None:
        asked = data.draw(st.sampled_from(self.model.asked))

        async def decided() -> None:
            async with self.world.begin() as db:
                await (adjusting.approve if approved else adjusting.refuse)(db, FINANCE, asked.id)

        self.both(lambda: self.model.decide_asked(asked, approved=approved, now=self.model.now), decided)

    @rule(data=st.data(), minutes=st.sampled_from([5, 24 * 60]))
    def hold(self, data: st.DataObject, minutes: int) -> None:
        email, currency, purse = self._purse(data)
        amount = data.draw(st.integers(1, purse.points(self.model.now) + 1))

        async def held() -> Redemption:
            async with self.world.begin() as db:
                return await redemptions.hold(db, API, redemptions.Hold(email, currency, amount, minutes=minutes))

        done = self.both(lambda: self.model.hold(purse, amount, self.model.now, minutes), held)
        if done is not None:
            done[0].id = done[1].id

    @property
    def holds(self) -> list[Hold]:
        return [hold for purse in self.model.purses.values() for hold in purse.holds]

    def _hold(self, data: st.DataObject) -> Hold:
        return self.pick(data, [hold for hold in self.holds if hold.status == "held"], self.holds)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def capture(self, data: st.DataObject) -> None:
        hold = self._hold(data)
        amount = data.draw(st.integers(1, hold.amount + 1))

        async def captured() -> Redemption:
            async with self.world.begin() as db:
                return await redemptions.capture(db, API, hold.id, amount=amount)

        self.both(lambda: self.model.capture(hold, amount), captured)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold = self._hold(data)

        async def released() -> Redemption:
            async with self.world.begin() as db:
                return await redemptions.release(db, API, hold.id)

        self.both(lambda: self.model.let_go(hold), released)

    @rule(months=st.sampled_from([None, None, 0, 1, 12]))
    def night_falls(self, months: int | None) -> None:
        """What is over is over; and sometimes the shop changes its mind about how long points last."""

        async def night() -> None:
            for name in ("points.release", "points.expire", "points.remind"):
                await registry[name].handler(self.world.context)
            if months is not None:
                async with self.world.begin() as db:
                    await update_shop(db, SYSTEM, points_months=months)

        self.both(lambda: self.model.night(self.model.now, months), night)
