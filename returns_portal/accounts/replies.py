"""Answering calls of the API that may be repeated under an Idempotency-Key."""

import hashlib
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import Work, once
from returns_portal.actor import Actor


async def answer_once(
    request: Request[Any, Any, State], db: AsyncConnection, actor: Actor, work: Work
) -> Response[Any]:
    """Do what the call asks, or repeat the answer that it had before under the same Idempotency-Key.

    Raises:
        ConflictError: the key was used with another body, method or path.
    """
    key = request.headers.get("idempotency-key")
    fingerprint = b""
    if key is not None:
        said = b"\n".join((request.method.encode(), request.url.path.encode(), await request.body()))
        fingerprint = hashlib.sha256(said).digest()
    status, body, repeated = await once(db, actor, key, fingerprint, work)
    return Response(body, status_code=status, headers={"Idempotent-Replayed": "true"} if repeated else None)
