"""Thousands of random steps of the whole shop beside a plain model of it in memory.

`MODEL_ROUNDS` asks for more of them, each from another beginning; the first is always the same.
"""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.model.on_decisions import OnDecisions
from tests.model.on_money import OnMoney
from tests.model.on_parcels import OnParcels
from tests.model.on_points import OnPoints
from tests.model.stage import BEGINS
from tests.model.world import Worlds, worlds

EXAMPLES = 54
STEPS = 40
AT_LEAST = 2_000
ROUNDS = int(os.environ.get("MODEL_ROUNDS", "1"))
COMES_ABOUT = {
    *("a count is corrected", "a refund is held", "delivery is paid back", "points are clawed back"),
    *("dispute: needs_response", "gesture: not_needed", "goodwill to points: succeeded"),
    *("hold: captured", "hold: held", "hold: released"),
    *("item: accepted", "item: part", "item: surplus", "item: waiting"),
    *("order in BHD", "order in EUR", "order in JPY", "paid with external", "paid with points", "paid with stripe"),
    *("outside to original: succeeded", "return to original: failed", "return to original: succeeded"),
    *("return to points: succeeded", "return: cancelled", "return: filed", "return: received"),
    *("refused: already_returned", "refused: not_failed", "refused: too_few_points"),
}
"""So that it cannot happen unseen that the machine does next to nothing any more."""
ENDS = {"succeeded", "failed", "canceled", "awaiting_transfer"}


class Afresh(HypothesisProvider):
    """Draws each example anew: the near copies of earlier ones that are the default find little here, and are slow.

    Nothing is drawn from the constants of the modules that happen to be loaded: the first round would be another one
    after each other test file that ran before it.
    """

    def _maybe_draw_constant(self, *_args: object, **_options: object) -> None:
        return None


# As Hypothesis documents for backends of one's own.
AVAILABLE_PROVIDERS["afresh"] = Afresh


class Shop(OnParcels, OnMoney, OnDecisions, OnPoints):
    """Every rule, and how it all ends."""

    def teardown(self) -> None:
        if not self.whole:
            self.worlds.renew()
            return
        self.whole = False
        try:
            self._ends()
        except BaseException:
            self.worlds.renew()
            raise

    def _ends(self) -> None:
        """The banks decide, the portal hears of it, and nothing is left on its way; then all books are proven."""
        self.work()
        for effect in self.model.effects:
            if effect.status == "pending":
                self._settle(effect, "succeeded")
        for place, dispute in enumerate(self.model.disputes):
            if dispute.status.startswith("warning") and self.model.bank.verdicts(dispute):
                self._judge(dispute, "warning_closed")
            elif self.model.bank.verdicts(dispute):
                self._judge(dispute, ("won", "lost")[place % 2])
        while self.news() or any(refund.status not in ENDS for refund in self.model.refunds):
            before = [refund.status for refund in self.model.refunds], len(self.news())
            self.tick(timedelta(minutes=15))
            self.work()
            for order, what in self.news()[:1]:
                self._told(order, what)
                self.work()
                self._known(what)
            after = [refund.status for refund in self.model.refunds], len(self.news())
            assert after != before, "something waits for ever"
        self.night_falls(None)
        self.same(self.model.orders)
        self.world.do(self.world.books_and_gateway())
        self.worlds.reached.update(self.reached)


@pytest.fixture(scope="module")
def shops(server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with worlds(server_url, template_database, tmp_path_factory.mktemp("model"), BEGINS) as made:
        yield made


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_portal_does_what_the_model_does(shops: Worlds, round_: int) -> None:
    Shop.worlds = shops
    before = shops.steps
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            backend="afresh",
            derandomize=round_ == 0,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            print_blob=round_ > 0,
        ),
    )
    assert shops.steps - before >= AT_LEAST
    missing = COMES_ABOUT - set(shops.reached)
    assert not missing
