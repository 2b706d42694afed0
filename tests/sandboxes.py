"""A Stripe sandbox for the tests: a real process, a real database, spoken to over HTTP."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

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


@contextmanager
def running(database_url: str) -> Iterator[SandboxProcess]:
    process = SandboxProcess(database_url)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.stop()
