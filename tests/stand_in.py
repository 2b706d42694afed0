"""A stand-in for a role of the portal: it says what it is, listens, and ends when asked.

`CRASHES` names the role that ends at once; with `CHATTY` the worker writes without end.
"""

import http.server
import os
import signal
import socketserver
import sys
import time

PORTS = {"web": "PORT", "stripe-sandbox": "SANDBOX_PORT"}


class _Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Leave the output to the lines that the tests read."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _work() -> None:
    while True:
        if os.environ.get("CHATTY"):
            _say("chat" * 1000)
        else:
            time.sleep(0.1)


def _listen(port: int) -> None:
    socketserver.TCPServer.allow_reuse_address = True
    with socketserver.TCPServer(("127.0.0.1", port), _Ready) as server:
        server.serve_forever(0.05)


def _run(name: str) -> None:
    _say(f"{name} {os.getpid()}")
    if name == os.environ.get("CRASHES"):
        _say("the reason")
        sys.exit(3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if name in PORTS:
            _listen(int(os.environ[PORTS[name]]))
        else:
            _work()
    finally:
        if not os.environ.get("CHATTY"):
            _say(f"{name} ended")


if __name__ == "__main__":
    _run(sys.argv[1])
