"""Twenty stations at two hundred scans a minute in all, with a hundred thousand returns on their way."""

import asyncio
import hashlib
import http.client
import secrets
import subprocess
import sys
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import create_engine
from returns_portal.ids import new_rma
from tests.bench.scanning import Scanned, ScanningJob
from tests.bench.servers import BenchError, Portal, Server
from tests.bench.table import Row

STATIONS: Final = 20
A_MINUTE: Final = 200
RETURNS: Final = 100_000
_SECONDS: Final = 120
_AT_MOST_MS: Final = 100.0
_BATCH: Final = 10_000
_PATIENCE_SECONDS: Final = 300

# Each copy has rows of its own, made from those of one return that was filed in the ordinary way.
_COPIES: Final = """
    CREATE TEMP TABLE copy ON COMMIT DROP AS
    SELECT rma, gen_random_uuid() AS placed, gen_random_uuid() AS line, gen_random_uuid() AS filed
    FROM unnest(CAST(:rmas AS text[])) AS rma
"""
_CLONES: Final = (
    """INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', c.placed, 'number', 'D' || c.rma,
           'email', c.rma || '@example.com', 'email_key', lower(c.rma) || '@example.com'))).*
       FROM copy c, orders o WHERE o.number = :number""",
    """INSERT INTO order_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', c.line,
           'order_id', c.placed))).*
       FROM copy c, order_line l JOIN orders o ON o.id = l.order_id WHERE o.number = :number""",
    """INSERT INTO payment SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(),
           'order_id', c.placed, 'imported_reference', c.rma))).*
       FROM copy c, payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :number""",
    """INSERT INTO returns SELECT (jsonb_populate_record(r, jsonb_build_object('id', c.filed, 'order_id', c.placed,
           'rma', c.rma))).* FROM copy c, returns r WHERE r.rma = :rma""",
    """INSERT INTO return_line SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(),
           'return_id', c.filed, 'order_line_id', c.line))).*
       FROM copy c, return_line a JOIN returns r ON r.id = a.return_id WHERE r.rma = :rma""",
    """INSERT INTO label SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid(),
           'return_id', c.filed, 'code', c.rma))).*
       FROM copy c, label b JOIN returns r ON r.id = b.return_id WHERE r.rma = :rma""",
)
_HIRE: Final = """
    INSERT INTO staff (id, email, name, password_hash, roles, created_at)
    VALUES (gen_random_uuid(), :email, 'Bench', '', ARRAY['warehouse'], now()) RETURNING id
"""
_SESSION: Final = """
    INSERT INTO web_session (digest, staff_id, created_at, expires_at)
    VALUES (:digest, :staff, now(), now() + interval '1 hour')
"""
_DUE: Final = """
    SELECT count(*) FROM procrastinate_jobs
    WHERE status = 'doing' OR status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
"""
_COUNTED: Final = """
    SELECT count(*) FROM parcel p JOIN returns r ON r.id = p.return_id WHERE r.rma = ANY(:rmas) AND p.undone_at IS NULL
"""


def run(server: Server, here: Portal) -> list[Row]:
    """Measure."""
    number, rma = _prototype(here)
    # Numbers are random: among so many, two may be alike.
    rmas = list({new_rma() for _ in range(RETURNS + 100)} - {rma})[:RETURNS]
    url = server.superuser_url("returns_portal")
    tokens = asyncio.run(_furnish(url, number, rma, rmas))
    job = ScanningJob(here.port, tokens, rmas[:: RETURNS // (_SECONDS * A_MINUTE // 60)], A_MINUTE, _SECONDS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.scanning"],
        input=msgspec.json.encode(job),
        stdout=subprocess.PIPE,
        check=True,
    )
    scanned = msgspec.json.decode(done.stdout, type=Scanned)
    asyncio.run(_check(url, scanned))
    waits = sorted([*scanned.scans, *scanned.counts])
    return [
        Row(f"p99 of a scan at {STATIONS} stations, ms", _share(waits, 0.99), at_most=_AT_MOST_MS),
        Row("  half of all, ms", _share(waits, 0.5)),
        Row("  p99 of opening a parcel, ms", _share(sorted(scanned.scans), 0.99)),
        Row("  p99 of closing one, ms", _share(sorted(scanned.counts), 0.99)),
        Row("  scans a minute", len(waits) * 60 / scanned.seconds, A_MINUTE, "asked for"),
    ]


def _share(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))]


def _prototype(here: Portal) -> tuple[str, str]:
    """File one return through the API, paid outside, so that no gateway has a part in its check-in."""
    number = f"DOCK{secrets.token_hex(3)}".upper()
    item = {"sku": "A", "title": "Derby", "size": "42", "color": "Black", "quantity": 2, "unit_price": 4990}
    order = {
        "email": "dock@example.com",
        "name": "Ana Petrova",
        "phone": "",
        "locale": "en",
        "currency": "EUR",
        "placed_at": "2026-11-01T09:00:00Z",
        "delivered_at": "2026-11-05T09:00:00Z",
        "shipping_address": {"name": "Ana", "line1": "1 Vitosha", "city": "Sofia", "postal_code": "1", "country": "BG"},
        "lines": [{**item, "discount": 0, "tax": 0}],
        "order_discount": 0,
        "shipping": {"price": 0, "discount": 0, "tax": 0},
        "tax_included": True,
        "payments": [{"tender": "external", "amount": 9980}],
        "number": number,
    }
    _call(here, "PUT", f"/api/v1/orders/{number}", order)
    line = _call(here, "GET", f"/api/v1/orders/{number}")["lines"][0]["line_id"]
    wanted = {"order_number": number, "refund_to": "original", "lines": [{"line_id": line, "quantity": 1}]}
    return number, _call(here, "POST", "/api/v1/returns", wanted)["rma"]


def _call(here: Portal, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=30)
    headers = {"Authorization": f"Bearer {here.key}", "Content-Type": "application/json"}
    connection.request(method, path, msgspec.json.encode(body) if body is not None else None, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
        raise BenchError(f"{method} {path}: {answer.status} {content[:300]!r}")
    return msgspec.json.decode(content)


async def _furnish(url: str, number: str, rma: str, rmas: list[str]) -> list[str]:
    """Write the returns, and let one person work at each station; the tokens of their sessions."""
    engine = create_engine(url, size=1)
    try:
        for first in range(0, len(rmas), _BATCH):
            async with engine.begin() as db:
                # What is written is whole by construction: proving it row by row would take longer than the bench.
                await db.execute(text("SET LOCAL session_replication_role = replica"))
                await db.execute(text("SET LOCAL statement_timeout = 0"))
                await db.execute(text(_COPIES), {"rmas": rmas[first : first + _BATCH]})
                for clone in _CLONES:
                    await db.execute(text(clone), {"number": number} if ":number" in clone else {"rma": rma})
        async with engine.begin() as db:
            tokens = [await _hire(db, place) for place in range(STATIONS)]
        async with engine.connect() as db:
            plain = await db.execution_options(isolation_level="AUTOCOMMIT")
            # A shop's returns come over months: these have been tidied up after, and lie on the disk.
            for tidy in ("VACUUM (ANALYZE)", "CHECKPOINT"):
                await plain.execute(text(tidy))
            await _rest(plain)
        return tokens
    finally:
        await engine.dispose()


async def _rest(db: AsyncConnection) -> None:
    """Wait until the worker has done what earlier benches left it: theirs is not the day of a dock.

    Raises:
        BenchError: it does not come to an end.
    """
    for _ in range(_PATIENCE_SECONDS):
        if not (await db.execute(text(_DUE))).scalar_one():
            return
        await asyncio.sleep(1)
    raise BenchError("The worker does not come to rest.")


async def _hire(db: AsyncConnection, place: int) -> str:
    token = secrets.token_urlsafe(32)
    email = f"station{place}-{secrets.token_hex(4)}@example.com"
    staff = (await db.execute(text(_HIRE), {"email": email})).scalar_one()
    await db.execute(text(_SESSION), {"digest": hashlib.sha256(token.encode()).digest(), "staff": staff})
    return token


async def _check(url: str, scanned: Scanned) -> None:
    """Whether everything that the stations closed was counted, once."""
    engine = create_engine(url, size=1)
    async with engine.connect() as db:
        counted = (await db.execute(text(_COUNTED), {"rmas": scanned.closed})).scalar_one()
    await engine.dispose()
    if counted != len(scanned.closed) or not scanned.closed:
        raise BenchError(f"Of {len(scanned.closed)} parcels that were closed, {counted} are counted.")
