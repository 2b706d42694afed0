"""The clients, in a process of their own, so that they do not share the interpreter of what they measure.

A job comes as JSON on standard input, and what came of it goes as JSON to standard output.
"""

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_TIMEOUT: Final = 60.0
UNIT_PRICE: Final = 4990
"""What each item of an order costs, and what the refund of a cycle comes to: minor units."""


class CyclesJob(msgspec.Struct, frozen=True, tag="cycles"):
    """Walk `count` orders on each connection from PUT to check-in; `prefix` begins their numbers."""

    port: int
    key: str
    prefix: str
    connections: int
    count: int


class CyclesDone(msgspec.Struct, frozen=True):
    """When the first request was sent (`time.monotonic`, which all processes of a machine share), and the returns."""

    began: float
    rmas: list[str]


class ReadsJob(msgspec.Struct, frozen=True, tag="reads"):
    """GET one path again and again, for so many seconds."""

    port: int
    path: str
    headers: dict[str, str]
    connections: int
    seconds: float


class ReadsDone(msgspec.Struct, frozen=True):
    """How many answers came in a second."""

    rate: float


def ask(job: CyclesJob | ReadsJob, answer: type[T]) -> T:
    """Run a job in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=msgspec.json.encode(job), stdout=subprocess.PIPE, check=True
    )
    return msgspec.json.decode(done.stdout, type=answer)


def _cycles(job: CyclesJob) -> CyclesDone:
    start = threading.Barrier(job.connections + 1)

    def walk(who: int) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", job.port, timeout=_TIMEOUT)
        connection.connect()
        start.wait()
        rmas = [_cycle(connection, job.key, f"{job.prefix}-{who}-{index}") for index in range(job.count)]
        connection.close()
        return rmas

    with ThreadPoolExecutor(job.connections) as pool:
        walks = [pool.submit(walk, who) for who in range(job.connections)]
        start.wait()
        began = time.monotonic()
        return CyclesDone(began, [rma for walked in walks for rma in walked.result()])


def _cycle(connection: http.client.HTTPConnection, key: str, number: str) -> str:
    """One order of two items: taken in, looked at, one item sent back and checked in. Returns the RMA."""

    def call(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - parsed JSON
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request(method, path, msgspec.json.encode(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return msgspec.json.decode(content)

    call("PUT", f"/api/v1/orders/{number}", _order(number))
    line = call("GET", f"/api/v1/orders/{number}")["lines"][0]["line_id"]
    wanted = {"order_number": number, "refund_to": "original", "lines": [{"line_id": line, "quantity": 1}]}
    rma: str = call("POST", "/api/v1/returns", wanted)["rma"]
    counted = {"line_id": line, "quantity": 1, "condition": "resellable"}
    call("POST", "/api/v1/check-ins", {"code": rma, "lines": [counted]})
    return rma


def _order(number: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    item = {"title": "Derby", "size": "42", "color": "Black", "quantity": 1, "unit_price": UNIT_PRICE}
    name = "Олександр Шевченко"
    return {
        "number": number,
        "email": f"{number.lower()}@example.com",
        "name": name,
        "phone": "+380440000000",
        "locale": "uk",
        "currency": "EUR",
        "placed_at": (now - timedelta(days=5)).isoformat(),
        "delivered_at": (now - timedelta(days=2)).isoformat(),
        "shipping_address": {
            "name": name,
            "line1": "вул. Хрещатик 22, кв. 7",
            "city": "Київ",
            "postal_code": "01001",
            "country": "UA",
        },
        "lines": [{"sku": sku, **item, "discount": 0, "tax": 0} for sku in "AB"],
        "order_discount": 0,
        "shipping": {"price": 490, "discount": 0, "tax": 0},
        "tax_included": True,
        "payments": [{"tender": "stripe", "amount": 2 * UNIT_PRICE + 490}],
    }


def _reads(job: ReadsJob) -> ReadsDone:
    """Read through plain sockets: a heavier client would take the processor from what it measures."""
    lines = [f"GET {job.path} HTTP/1.1", f"Host: 127.0.0.1:{job.port}"]
    lines += [f"{name}: {value}" for name, value in job.headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode()
    start = threading.Barrier(job.connections)

    def read(_who: int) -> float:
        with socket.create_connection(("127.0.0.1", job.port), timeout=_TIMEOUT) as connection:
            _exchange(connection, request)
            start.wait()
            return _rate(lambda: _exchange(connection, request), job.seconds)

    with ThreadPoolExecutor(job.connections) as pool:
        return ReadsDone(sum(pool.map(read, range(job.connections))))


def _rate(act: Callable[[], None], seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        act()
        count += 1
    return count / passed


def _exchange(connection: socket.socket, request: bytes) -> None:
    """Send a request and read its answer whole.

    Raises:
        RuntimeError: it is not 200, or does not say how long it is.
    """
    connection.sendall(request)
    content = b""
    while b"\r\n\r\n" not in content:
        content += _received(connection)
    head, _, body = content.partition(b"\r\n\r\n")
    length = next(
        (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b""
    ).removeprefix(b"content-length:")
    if not head.startswith(b"HTTP/1.1 200") or not length:
        raise RuntimeError(head.decode("latin-1"))
    left = int(length) - len(body)
    while left > 0:
        left -= len(_received(connection))


def _received(connection: socket.socket) -> bytes:
    content = connection.recv(65536)
    if not content:
        raise RuntimeError("The server closed the connection.")
    return content


def _main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=CyclesJob | ReadsJob)
    done = _cycles(job) if isinstance(job, CyclesJob) else _reads(job)
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    _main()
