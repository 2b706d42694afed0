"""A Stripe sandbox for the tests: a real process, a real database, spoken to over HTTP."""

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx
import msgspec

KEY = "sk_test_anything"
LATER = 0.2
_PROGRAM = (
    "import sys; from returns_portal.payments.sandbox import run; "
    "run(database_url=sys.argv[1], port=int(sys.argv[2]), later=float(sys.argv[3]))"
)

Answer = tuple[int, dict[str, Any], dict[str, str]]


class SandboxProcess:
    """A running sandbox, its controls, and its API without the SDK."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.base, timeout=20, trust_env=False)
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        arguments = [self.database_url, str(self.port), str(LATER)]
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if self.http.get("/_sandbox/health").status_code == 200:
                    return process
            assert process.poll() is None, "the sandbox ended by itself"
            time.sleep(0.05)
        raise TimeoutError("the sandbox does not answer")

    def restart(self) -> None:
        """Kill it as a power cut would, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> int:
        """End it politely; returns its exit code."""
        self.process.terminate()
        self.http.close()
        return self.process.wait(timeout=10)

    def control(self, path: str, /, **body: object) -> dict[str, Any]:
        """Tell the sandbox what is to happen."""
        answer = self.http.post(f"/_sandbox/{path}", content=msgspec.json.encode(body))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def send(self, method: str, path: str, form: str = "", *, key: str | None = None) -> Answer:
        """Send one request as it stands, once."""
        headers = {"Authorization": f"Bearer {KEY}"} | ({"Idempotency-Key": key} if key else {})
        target = f"{path}?{form}" if method == "GET" and form else path
        answer = self.http.request(method, target, headers=headers, content=form if method == "POST" else None)
        return answer.status_code, answer.json(), dict(answer.headers)

    def settled(self, refund: str, status: str) -> dict[str, Any]:
        """Wait until the bank has moved the refund to this status."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            _, body, _ = self.send("GET", f"/v1/refunds/{refund}")
            if body["status"] == status:
                return body
            time.sleep(0.1)
        raise TimeoutError(f"{refund} is {body['status']}, not {status}")


class Delivered(NamedTuple):
    """One webhook as it arrived."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        return dict(msgspec.json.decode(self.body))

    @property
    def type(self) -> str:
        return str(self.event["type"])


class Receiver:
    """A server that takes webhooks and remembers them; `refusals` are the statuses of its first answers."""

    def __init__(self) -> None:
        self.delivered: list[Delivered] = []
        self.refusals: list[int] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.refusals.pop(0) if receiver.refusals else 200
                if status == 200:
                    receiver.delivered.append(Delivered(body, self.headers["Stripe-Signature"]))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The tests look at what arrived."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def types(self) -> list[str]:
        """The types of what arrived, in that order."""
        return [delivered.type for delivered in self.delivered]

    def wait(self, count: int, seconds: float = 10) -> list[str]:
        """Wait until so many arrived; returns their types."""
        deadline = time.monotonic() + seconds
        while len(self.delivered) < count:
            assert time.monotonic() < deadline, f"only {self.types()} arrived"
            time.sleep(0.02)
        return self.types()


@contextmanager
def running(database_url: str) -> Iterator[SandboxProcess]:
    process = SandboxProcess(database_url)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.stop()
