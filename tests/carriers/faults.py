"""Faults of a carrier's server, for the next call of a kind: what happens before and after the effect."""

from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

Fault = Literal["lost after", "lost before", "broken", "refused", "nonsense", "busy"]
BodyFault = Literal["cut", "stalled", "cut without a length", "too large"]
"""What may go wrong with a file after its answer has begun."""


class Faults:
    """At most one fault for each kind of call, used up by it unless it is to last."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Fault, bool]] = {}

    def set(self, call: str, fault: Fault, *, lasting: bool = False) -> None:
        self._waiting[call] = (fault, lasting)

    def clear(self) -> None:
        self._waiting.clear()

    async def around(
        self,
        request: web.Request,
        call: str,
        answer: Callable[[], Awaitable[web.StreamResponse]],
        *,
        refusal: web.Response,
    ) -> web.StreamResponse:
        fault, lasting = self._waiting.get(call, (None, False))
        if fault is not None and not lasting:
            del self._waiting[call]
        match fault:
            case "lost before":
                cut(request)
            case "broken":
                return web.Response(status=500, text="<html>Internal Server Error</html>")
            case "busy":
                return web.json_response({"error": {"code": "RATE_LIMITED", "message": "slow down"}}, status=429)
            case "nonsense":
                return web.Response(text='{"success": tru')
            case "refused":
                return refusal
            case _:
                pass
        done = await answer()
        if fault == "lost after":
            cut(request)
        return done


def cut(request: web.Request) -> None:
    """The line is cut: the client never sees an answer."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError
