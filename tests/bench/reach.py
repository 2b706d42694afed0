"""The first page on a five-year-old phone with a slow network: how much it loads, when it stands, whether it jumps.

Chromium is slowed down as its own developer tools do it: "fast 3G", and a processor four times slower than this one.
"""

import shutil
import statistics
import sys
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, sync_playwright

from tests.bench.servers import Portal, Server
from tests.bench.table import Row
from tests.browser.conftest import FLAGS

_ROUNDS: Final = 5
_FAST_3G: Final = {"offline": False, "latency": 562.5, "downloadThroughput": 188_743, "uploadThroughput": 86_400}
"""Milliseconds; bytes a second: the developer tools' own figures (1.6 Mbit/s down, 750 kbit/s up, with overhead)."""
_SLOWER: Final = 4
_PHONE: Final[Any] = {"width": 360, "height": 740}
_SEEN: Final = """() => new Promise((told) => {
  let paint = 0, shift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { paint = entry.startTime; }))
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { shift += entry.value; }))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => told([paint, shift]), 500);
})"""


def run(_server: Server, here: Portal) -> list[Row]:
    """Measure; without a Chromium there is nothing to measure with."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("reach: there is no Chromium\n")
        return []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        seen = [_look(browser, f"http://127.0.0.1:{here.port}/") for _ in range(_ROUNDS)]
        browser.close()
    received, paints, shifts = zip(*seen, strict=True)
    return [
        Row("first page, all it loads, kB", max(received) / 1000, at_most=40),
        Row("first page, largest paint, s", statistics.median(paints) / 1000, at_most=1.5),
        Row("first page, layout shift", max(shifts), at_most=0),
    ]


def _look(browser: Browser, address: str) -> tuple[float, float, float]:
    """Bytes received, milliseconds until the largest paint, and how much moved, for somebody who was never here."""
    context = browser.new_context(viewport=_PHONE, device_scale_factor=2)
    page = context.new_page()
    session = context.new_cdp_session(page)
    received = _slow(session)
    page.goto(address, wait_until="networkidle")
    paint, shift = page.evaluate(_SEEN)
    context.close()
    return sum(received), paint, shift


def _slow(session: CDPSession) -> list[float]:
    """Slow the page down; what it will have received, piece by piece, with the headers of each."""
    received: list[float] = []
    session.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _FAST_3G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    return received
