"""Labels made in processes of their own."""

import asyncio
import os
import signal

import psutil  # type: ignore[import-untyped]  # psutil ships no types.
import pytest

from returns_portal.documents import DocumentBusyError
from returns_portal.labels.render import render_label
from returns_portal.labels.renderer import LabelRenderer
from tests.labels.prints import CONTENT, label

pytestmark = pytest.mark.anyio


async def test_a_label_from_a_process_is_the_same_as_one_made_here() -> None:
    renderer = LabelRenderer()
    await renderer.start()
    try:
        assert await renderer.render(CONTENT, "a4") == render_label(CONTENT, "a4")
    finally:
        await renderer.stop()


async def test_processes_end_with_the_renderer_and_leave_no_files() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    renderer = LabelRenderer()
    await renderer.start()
    await renderer.render(CONTENT, "4x6")
    workers = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert any("spawn_main" in " ".join(worker.cmdline()) for worker in workers)
    await renderer.stop()
    left = [worker for worker in workers if worker.is_running() and "spawn_main" in " ".join(worker.cmdline())]
    assert not left


async def test_a_killed_process_is_replaced() -> None:
    renderer = LabelRenderer()
    await renderer.start()
    try:
        expected = await renderer.render(CONTENT, "4x6")
        for child in psutil.Process().children():
            if "spawn_main" in " ".join(child.cmdline()):
                os.kill(child.pid, signal.SIGKILL)
        assert await renderer.render(CONTENT, "4x6") == expected
    finally:
        await renderer.stop()


async def test_too_many_at_once_are_refused_and_the_others_are_made() -> None:
    renderer = LabelRenderer(waiting=3)
    await renderer.start()
    try:
        wanted = [renderer.render(label(order_number=str(number)), "4x6") for number in range(5)]
        made = await asyncio.gather(*wanted, return_exceptions=True)
    finally:
        await renderer.stop()
    assert [isinstance(one, DocumentBusyError) for one in made] == [False, False, False, True, True]
    assert all(isinstance(one, bytes) for one in made[:3])
