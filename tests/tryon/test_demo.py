"""The trials of the demo shop."""

import pytest

from returns_portal.demo import goods
from returns_portal.demo.trials import try_some
from tests.portal import Portal

pytestmark = pytest.mark.anyio


async def test_the_demo_has_a_trial_to_pack_one_that_runs_and_one_that_is_settled(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing pictures takes a while.
    monkeypatch.setattr(goods, "_SHAPES", {})
    await goods.stock(portal.begin)
    for _twice in range(2):
        await try_some(portal.context, portal._url)
    found = await portal.rows("SELECT status FROM trial ORDER BY id")
    assert [row.status for row in found] == ["authorised", "delivered", "settled"]
    outcomes = await portal.rows("SELECT outcome FROM trial_item i JOIN trial t ON t.id = i.trial_id ORDER BY i.id")
    assert [row.outcome for row in outcomes][-2:] == ["kept", "returned"]
