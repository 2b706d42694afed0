"""The people at the stations, in a process of their own: each opens a parcel, and closes it with the next scan.

A job comes as JSON on standard input, and what came of it goes as JSON to standard output.
"""

import http.client
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlencode

import msgspec

from returns_portal.web.signing import CSRF_COOKIE, SESSION_COOKIE

_FIELD: Final = re.compile(rb'name="(_csrf_token|token|count-[0-9a-f-]+-resellable)" value="([^"]*)"')
_TIMEOUT: Final = 30.0


class ScanningJob(msgspec.Struct, frozen=True):
    """Scan so many times a minute in all, spread evenly over the stations, of which each token is one."""

    port: int
    tokens: list[str]
    rmas: list[str]
    a_minute: int
    seconds: int


class Scanned(msgspec.Struct, frozen=True):
    """Milliseconds from each scan to the end of its answer, what was closed, and how long it all took."""

    scans: list[float]
    counts: list[float]
    closed: list[str]
    seconds: float


class _Station:
    def __init__(self, job: ScanningJob, place: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", job.port, timeout=_TIMEOUT)
        self._cookies = {SESSION_COOKIE: job.tokens[place]}
        self.scans: list[float] = []
        self.counts: list[float] = []
        self.closed: list[str] = []

    def open(self, rma: str) -> dict[str, str]:
        """Scan a parcel; the fields of its form."""
        began = time.perf_counter()
        content = self._ask("GET", f"/station?{urlencode({'code': rma, 'typed': rma})}", None, 200)
        self.scans.append((time.perf_counter() - began) * 1000)
        return {name.decode(): value.decode() for name, value in _FIELD.findall(content)}

    def close(self, rma: str, fields: dict[str, str]) -> None:
        """Close it with everything in it."""
        counted = {name: "1" for name in fields if name.startswith("count-")}
        body = urlencode({**fields, **counted, "rma": rma, "parcel": "1", "corrects": ""})
        began = time.perf_counter()
        self._ask("POST", "/station/check-ins", body, 303)
        self.counts.append((time.perf_counter() - began) * 1000)
        self.closed.append(rma)

    def _ask(self, method: str, path: str, body: str | None, expected: int) -> bytes:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            if name == CSRF_COOKIE:
                self._cookies[name] = value.strip('"')
        return content


def _work(job: ScanningJob, place: int, start: threading.Barrier) -> _Station:
    station = _Station(job, place)
    mine = job.rmas[place :: len(job.tokens)]
    # The first parcel is not measured: it opens the connection and brings the cookie.
    fields = station.open(mine[0])
    station.scans.clear()
    start.wait()
    began = time.monotonic()
    pause = 60 / job.a_minute
    turn = 0
    for rma in mine:
        for opening in (True, False):
            due = began + (turn * len(job.tokens) + place) * pause
            if due > began + job.seconds:
                return station
            time.sleep(max(0.0, due - time.monotonic()))
            if opening:
                fields = station.open(rma)
            else:
                station.close(rma, fields)
            turn += 1
    return station


def _main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=ScanningJob)
    start = threading.Barrier(len(job.tokens) + 1)
    with ThreadPoolExecutor(len(job.tokens)) as pool:
        working = [pool.submit(_work, job, place, start) for place in range(len(job.tokens))]
        start.wait()
        began = time.monotonic()
        stations = [station.result() for station in working]
    done = Scanned(
        [wait for station in stations for wait in station.scans],
        [wait for station in stations for wait in station.counts],
        [rma for station in stations for rma in station.closed],
        time.monotonic() - began,
    )
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    _main()
