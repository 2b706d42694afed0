"""Faults that can be ordered: what a gateway and a network do on a bad day. Kept in memory, gone with the process."""

from typing import Literal

import msgspec


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of trouble for the next `times` requests that match.

    `drop` acts and breaks the connection in the middle of the answer. `error` answers 500, which is kept under
    the key: after acting with `acts`, else without. `rate_limit` answers 429 and `conflict` 409; neither acts
    nor is kept. `slow` waits `seconds`, before acting or, with `acts`, between acting and answering.
    """

    kind: Literal["drop", "error", "rate_limit", "conflict", "slow"]
    method: str | None = None
    path: str = ""
    """How the path begins."""
    contains: str = ""
    """What path, query or body contain: an id, say."""
    times: int = 1
    acts: bool = True
    seconds: float = 0.0


class Faults:
    """The faults that wait for their requests, in the order in which they were given."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []

    def order(self, fault: Fault) -> None:
        """Let it happen to the next requests that match."""
        self._waiting.append((fault, fault.times))

    def clear(self) -> int:
        """Forget all that have not happened; returns how many."""
        left = len(self._waiting)
        self._waiting.clear()
        return left

    def take(self, method: str, path: str, text: str) -> Fault | None:
        """Return the first fault that matches this request, and count it as happened."""
        for index, (fault, left) in enumerate(self._waiting):
            if fault.method not in (None, method) or not path.startswith(fault.path):
                continue
            if fault.contains and fault.contains not in path and fault.contains not in text:
                continue
            if left > 1:
                self._waiting[index] = (fault, left - 1)
            else:
                del self._waiting[index]
            return fault
        return None
