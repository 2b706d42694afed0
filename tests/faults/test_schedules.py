"""Random schedules: whatever interleaves, gets lost or dies, the money moves once, and the books say what happened.

`FAULT_SEED=17 pytest tests/faults/test_schedules.py` plays one of them and tells its story. The books are proven after
each block of them.
"""

import os
from collections.abc import AsyncIterator

import pytest

from tests.faults.ground import Ground
from tests.faults.play import Player

pytestmark = pytest.mark.anyio

COUNT = 500
BLOCK = 50
SEEDS = [int(os.environ["FAULT_SEED"])] if "FAULT_SEED" in os.environ else range(COUNT)
BLOCKS = [SEEDS[first : first + BLOCK] for first in range(0, len(SEEDS), BLOCK)]


@pytest.fixture
async def player(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Player]:
    async with Player.on(ground, monkeypatch) as player:
        yield player


@pytest.mark.parametrize("seeds", BLOCKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
async def test_random_schedules(player: Player, seeds: range) -> None:
    for seed in seeds:
        await player.play(seed)
