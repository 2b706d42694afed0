"""One return as JSON and as a page, beside a handler without a database and one with the same rows and no more."""

import hashlib
import http.client
import secrets
from typing import Final

import psycopg

from returns_portal.web.signing import CSRF_COOKIE, SESSION_COOKIE
from tests.bench.client import CyclesDone, CyclesJob, ReadsDone, ReadsJob, ask
from tests.bench.servers import BenchError, Portal, Server, bare
from tests.bench.table import Row
from tests.processes import wait_until

_CONNECTIONS: Final = 4
_ROUNDS: Final = 3
_SECONDS: Final = 2.0
_READY: Final = (
    "SELECT r.order_id FROM returns r JOIN refund f ON f.return_id = r.id WHERE r.rma = %s AND f.status = 'succeeded'"
)
_SESSION: Final = """
    INSERT INTO web_session (digest, order_id, created_at, expires_at)
    VALUES (%s, %s, now(), now() + interval '1 hour')
"""

Target = tuple[int, str, dict[str, str]]
"""Port, path and headers."""


def run(server: Server, here: Portal) -> list[Row]:
    """Measure."""
    with bare(server.url) as port:
        rma = _settled_return(here, server)
        json = {"Authorization": f"Bearer {here.key}"}
        page = {"Cookie": f"{SESSION_COOKIE}={_session(server, rma)}; {_form_cookie(here)}"}
        prefix = here.key.split("_")[1]
        rates = _rates(
            {
                "json": (here.port, f"/api/v1/returns/{rma}", json),
                "json rows": (port, f"/raw/{rma}?prefix={prefix}", {}),
                "page": (here.port, f"/returns/{rma}", page),
                "page rows": (port, f"/raw/{rma}", {}),
                "nothing": (port, "/bare", {}),
            }
        )
    return [
        Row("GET of a return as JSON, /s", rates["json"], rates["json rows"], "raw driver", least=0.5),
        Row("", rates["json"], rates["nothing"], "bare handler"),
        Row("GET of a return as HTML, /s", rates["page"], rates["page rows"], "raw driver", least=0.5),
        Row("", rates["page"], rates["nothing"], "bare handler"),
    ]


def _rates(targets: dict[str, Target]) -> dict[str, float]:
    """Answers a second of each, measured in turns so that all see the same machine."""
    for target in targets.values():
        _rate(target, _SECONDS / 4)
    rounds = [{name: _rate(target, _SECONDS) for name, target in targets.items()} for _ in range(_ROUNDS)]
    return {name: sum(each[name] for each in rounds) / _ROUNDS for name in targets}


def _rate(target: Target, seconds: float) -> float:
    port, path, headers = target
    return ask(ReadsJob(port, path, headers, _CONNECTIONS, seconds), ReadsDone).rate


def _settled_return(here: Portal, server: Server) -> str:
    """A return that has everything: a label, a check-in and a refund that succeeded."""
    (rma,) = ask(CyclesJob(here.port, here.key, f"READ{secrets.token_hex(3)}", 1, 1), CyclesDone).rmas
    with psycopg.connect(server.url, autocommit=True) as connection:
        wait_until(lambda: bool(connection.execute(_READY, (rma,)).rowcount), 60, "a refund to settle")
    return rma


def _form_cookie(here: Portal) -> str:
    """What the first page of a visit makes a browser keep and send with every request."""
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=60)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    kept = answer.headers.get_all("set-cookie") or []
    return next(cookie.partition(";")[0] for cookie in kept if cookie.startswith(CSRF_COOKIE))


def _session(server: Server, rma: str) -> str:
    """Sign the customer of a return in; the token of their cookie."""
    token = secrets.token_urlsafe(32)
    with psycopg.connect(server.url) as connection:
        found = connection.execute(_READY, (rma,)).fetchone()
        if found is None:
            raise BenchError("The return is gone.")
        connection.execute(_SESSION, (hashlib.sha256(token.encode()).digest(), found[0]))
    return token
