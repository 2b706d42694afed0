"""Documents are made in processes of their own: a few, warm, each job with a time limit that really ends it.

Laying a page out is pure processor time, up to seconds for a long one, and its input comes from strangers. On an
event loop it would hold up everybody; in a thread nothing could end it. The processes are spawned, never forked:
a fork of a process with threads may inherit a lock that nobody will release.
"""

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from http import HTTPStatus
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from returns_portal import memory
from returns_portal.errors import DomainError
from returns_portal.i18n import mark

T = TypeVar("T")

_MEMORY = 2 * 1024**3
"""Bytes of address space for one process; a label needs a fifth of it."""
_ATTEMPTS = 2


class DocumentError(DomainError):
    """The document could not be made now; nothing was changed, and trying again may help."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "document_unavailable"


class DocumentBusyError(DocumentError):
    """Too many documents are waiting to be made."""

    code = "document_busy"


class DocumentTimeoutError(DocumentError):
    """Making the document took longer than it may."""

    code = "document_timeout"


class DocumentPool:
    """Runs functions of this package in warm processes.

    Args:
        processes: how many.
        prepare: what each of them runs once, so that the first document is not slow; a function of a module.
        seconds: the time limit of one document, counted from when a process takes it up.
        waiting: how many documents may be under way or waiting; more are refused at once.
    """

    def __init__(self, processes: int, prepare: Callable[[], None], *, seconds: float = 10, waiting: int = 64) -> None:
        self._processes = processes
        self._prepare = prepare
        self._seconds = seconds
        self._waiting = waiting
        self._pending = 0
        self._pool: ProcessPool | None = None
        self._changing = asyncio.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        """Start the processes, without waiting until they are warm."""
        await self._running()

    async def stop(self) -> None:
        """End the processes; what they are at is lost."""
        async with self._changing:
            pool, self._pool = self._pool, None
            folder, self._folder = self._folder, None
            await asyncio.to_thread(_end, pool, folder)

    async def run(self, function: Callable[..., T], *args: object, seconds: float | None = None) -> T:
        """Call a module's function in one of the processes; `seconds` is its own time limit, for what takes longer.

        Raises:
            DocumentBusyError: too many are waiting.
            DocumentTimeoutError: it took too long, and its process was ended.
            DocumentError: its process died.
            Exception: what the function raised.
        """
        if self._pending >= self._waiting:
            raise DocumentBusyError(mark("Many labels are being made just now. Please try again in a minute."))
        self._pending += 1
        job = asyncio.ensure_future(self._attempt(function, args, seconds or self._seconds))
        job.add_done_callback(self._done)
        # A caller who goes away must not end the job: with it, its warm process would be ended.
        return await asyncio.shield(job)

    def _done(self, job: asyncio.Future[T]) -> None:
        self._pending -= 1
        if not job.cancelled():
            job.exception()  # Seen here, so that it is not reported as lost when the caller has gone away.

    async def _attempt(self, function: Callable[..., T], args: tuple[object, ...], seconds: float) -> T:
        """Run it, and once more if its process was killed by something else: a document has no side effects."""
        for _ in range(_ATTEMPTS):
            pool = await self._running()
            try:
                return await asyncio.wrap_future(pool.schedule(function, args=args, timeout=seconds))
            except TimeoutError as error:
                raise DocumentTimeoutError(
                    mark("The document took too long to make. Please try again, or ask us for it.")
                ) from error
            except (ProcessExpired, BrokenProcessPool):
                continue
        raise DocumentError(mark("The document could not be made. Please try again, or ask us for it."))

    async def _running(self) -> ProcessPool:
        """The pool; a new one if there is none yet, or if the one there was is broken."""
        async with self._changing:
            if self._pool is None or not self._pool.active:
                await asyncio.to_thread(_end, self._pool, self._folder)
                self._folder = tempfile.TemporaryDirectory(prefix="returns-portal-")
                self._pool = ProcessPool(
                    self._processes,
                    initializer=_begin,
                    initargs=(self._folder.name, self._prepare),
                    context=multiprocessing.get_context("spawn"),
                )
                # Asking whether it is active starts its processes, which takes a moment.
                await asyncio.to_thread(lambda pool: pool.active, self._pool)
            return self._pool


def _begin(folder: str, prepare: Callable[[], None]) -> None:
    """Set a new process up: temporary files where its parent removes them, a limit of memory, everything loaded."""
    tempfile.tempdir = folder
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - exists on POSIX systems only

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    prepare()
    memory.keep_what_is_loaded()


def _end(pool: ProcessPool | None, folder: tempfile.TemporaryDirectory[str] | None) -> None:
    if pool is not None:
        pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates what returns something only.
        pool.join()
    if folder is not None:
        folder.cleanup()
