"""Schedules with seeds that nobody has seen, for as long as is wanted: `make soak`, or `SOAK_MINUTES=60 make soak`."""

import os
import secrets
import sys
import time
from typing import Final

import pytest

from tests.faults.ground import Ground
from tests.faults.play import Player

pytestmark = pytest.mark.anyio

MOST_MINUTES: Final = 24 * 60
MINUTES: Final = min(float(os.environ.get("SOAK_MINUTES", "10")), MOST_MINUTES)
_PROVEN_EVERY: Final = 100
"""Schedules after which the books are proven beside the gateway's: it takes longer, the more there is in them."""


async def test_soak(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    until = time.monotonic() + MINUTES * 60
    played: list[int] = []
    async with Player.on(ground, monkeypatch) as player:
        while time.monotonic() < until:
            played.append(secrets.randbits(48))
            await player.play(played[-1])
            if len(played) % _PROVEN_EVERY == 0:
                await _prove_books(ground, played[-_PROVEN_EVERY:])
                sys.stdout.write(f"{len(played)} schedules, the books are in order\n")
    assert played


async def _prove_books(ground: Ground, seeds: list[int]) -> None:
    try:
        await ground.prove_books()
    except AssertionError as error:
        error.add_note(f"After one of the seeds {seeds}.")
        raise
