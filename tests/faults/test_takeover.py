"""The portal's worker as a process of its own, killed in the middle of a refund; the next one takes its work over."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.environment import environment
from tests.faults.ground import Ground
from tests.faults.points import KILLED
from tests.faults.test_kills_refunds import returned
from tests.processes import wait_until

pytestmark = pytest.mark.anyio


@contextmanager
def a_worker(log: Path, settings: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"], env=os.environ | settings, stdout=written, stderr=written
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("point", ["before POST /v1/refunds", "after POST /v1/refunds"])
async def test_the_next_worker_takes_over(ground: Ground, tmp_path: Path, point: str) -> None:
    story = await returned(ground, f"TAKEN-{point.split(maxsplit=1)[0]}")
    log, settings = tmp_path / "log", environment(ground.url) | {"SANDBOX_PORT": str(ground.sandbox.port)}
    with a_worker(log, settings | {"KILL_AT": point}) as process:
        wait_until(lambda: process.poll() is not None, 60, point)
        assert process.returncode == KILLED, log.read_text()
    assert await ground.statuses(story.filed) == ["submitting"]
    with a_worker(log, settings):
        await ground.until_settled(story.filed)
    [refund] = await ground.refunds(story.filed)
    [made] = ground.refunds_at_gateway(await ground.reference(story.number))
    assert (made["id"], made["status"], made["amount"]) == (refund.gateway_id, "succeeded", 15_900)
    assert "job.taken_over" in log.read_text()
