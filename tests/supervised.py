"""The portal's supervisor and its database, with stand-ins for its roles, and nothing to migrate, to set up or to load.

Loading the demo takes `LOADING_SECONDS`.
"""

import os
import signal
import sys
import time
import types
from pathlib import Path

import returns_portal
import returns_portal.prepare
from returns_portal.settings import load_settings


def _load(_: object) -> None:
    sys.stdout.write("loading\n")
    sys.stdout.flush()
    time.sleep(float(os.environ.get("LOADING_SECONDS", "0")))


def _command(role: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("stand_in.py")), role)


def _serve() -> int:
    demo = types.ModuleType("returns_portal.demo")
    demo.__dict__.update(load=_load, welcome=lambda _: "Click here")
    sys.modules["returns_portal.demo"] = returns_portal.__dict__["demo"] = demo
    endpoint = types.ModuleType("returns_portal.payments.inbox_endpoint")
    endpoint.__dict__.update(register=lambda _: None)
    sys.modules["returns_portal.payments.inbox_endpoint"] = endpoint
    returns_portal.prepare.__dict__["prepare"] = lambda _: None
    from returns_portal import supervisor  # noqa: PLC0415 - it must see the stand-in of the demo

    return supervisor.serve(load_settings(), _command)


if __name__ == "__main__":
    # Tests that run under nohup hand it on, and then a hangup would stop nothing.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    sys.exit(_serve())
