"""The server around the application. Its first process only watches over the workers, so it does not load them."""

from functools import partial
from typing import Any

from granian.constants import Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server

from returns_portal import logs, memory
from returns_portal.settings import Settings


def _load_app(settings: Settings, database_url: str) -> Any:  # noqa: ANN401 - an ASGI application
    """Make the application in a worker process of its own."""
    # Here, so that the watching process stays small and starts at once: the application is the heavy part.
    from returns_portal.app import create_app  # noqa: PLC0415

    logs.configure(settings.log_level)
    app = create_app(settings, database_url=database_url, warm=True)
    memory.keep_what_is_loaded()
    return app


def run_web(settings: Settings, *, database_url: str) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are finished first."""
    server = Server(
        "returns_portal.app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.web_workers,
        runtime_mode=RuntimeModes.st,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        workers_kill_timeout=10,
        respawn_failed_workers=True,
    )
    server.serve(target_loader=partial(_load_app, settings, database_url), wrap_loader=False)
