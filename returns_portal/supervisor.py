"""`returns-portal serve`: the database, the web, the worker and the sandbox, started and stopped together."""

import errno
import http.client
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from sqlalchemy.exc import OperationalError

from returns_portal.children import Child, CrashLoopError, Output, Role
from returns_portal.embedded import EmbeddedError, EmbeddedPostgres, database_url, home_for
from returns_portal.settings import Settings

_TICK = 0.1
_READY_SECONDS = 120
_PORT_SECONDS = 3
"""How long a port may be in use by a portal that was killed just now and is still being cleared away."""


class StartError(Exception):
    """The portal cannot be started; the message says what can be done."""


class _Stopped(KeyboardInterrupt):
    """A signal asked to stop during something long. asyncio passes on interrupts without logging them."""


class _Stop:
    """Remembers that SIGINT, SIGTERM or SIGHUP asked to stop; further ones change nothing.

    The handlers stay until the process ends: Ctrl-C often arrives twice, directly and by way of make.
    """

    def __init__(self) -> None:
        self.requested = False
        self._interruptible = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup sets it so
                signal.signal(number, self._handle)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Let a signal break off what is done inside. Elsewhere it is seen when the next step ends."""
        self._interruptible = True
        try:
            if self.requested:
                raise _Stopped
            yield
        finally:
            self._interruptible = False

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._interruptible:
            self._interruptible = False
            raise _Stopped


def _portal(role: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "returns_portal", role)


def serve(settings: Settings, command: Callable[[str], tuple[str, ...]] = _portal) -> int:
    """Start everything, say where to click, keep it running until a signal asks to stop, and stop everything.

    Args:
        settings: of the portal; the children read them anew from the environment.
        command: what runs the role `web`, `worker` or `stripe-sandbox`.

    Returns:
        The exit code: 0 after a signal, 1 when something cannot be started or does not keep running.
    """
    stop = _Stop()
    output = Output()
    try:
        with ExitStack() as stack:
            _check_ports(settings)
            server = _start_database(settings, stack, output)
            children = _Children(command, stop, output, stack)
            with stop.interrupting():
                welcome = _prepare(settings, children)
            children.start("worker")
            children.start("web")  # Stopped first: they end in the opposite order.
            children.wait(lambda: _is_ready(settings), "/readyz")
            output.say(welcome)
            while not stop.requested:
                children.tend()
                if server and not server.is_alive():
                    output.say("The database ended and is started again.")
                    server.start()
    except _Stopped:
        return 0
    except (StartError, EmbeddedError, CrashLoopError) as error:
        if stop.requested:  # What was under way was signalled too, and failed for that.
            return 0
        output.flush()
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        output.flush()
    return 0


def _start_database(settings: Settings, stack: ExitStack, output: Output) -> EmbeddedPostgres | None:
    if not settings.embedded:
        return None
    output.say("Starting the database …")
    server = EmbeddedPostgres(home_for(settings))
    server.start()
    stack.callback(server.stop)
    return server


def _prepare(settings: Settings, children: "_Children") -> str:
    """Start the sandbox, bring the database up to date, load the demo; return what to say in the end."""
    if settings.sandbox and settings.embedded:
        children.start("stripe-sandbox")
    # These imports take seconds, in which the sandbox starts.
    from returns_portal import demo  # noqa: PLC0415 - as said above
    from returns_portal.payments.inbox_endpoint import register  # noqa: PLC0415 - as said above
    from returns_portal.prepare import prepare  # noqa: PLC0415 - as said above

    try:
        prepare(database_url(settings))
    except OperationalError as error:
        raise StartError(f"The database does not answer: {error.orig}") from error
    if settings.sandbox:
        if not settings.embedded:
            children.start("stripe-sandbox")  # Not earlier, for that database might have refused.
        children.wait(lambda: _listens("127.0.0.1", settings.sandbox_port), "SANDBOX_PORT")
        register(settings)
    if not settings.is_demo:
        return f"The portal is at {settings.public_url}"
    demo.load(settings)  # Its payments are made in the sandbox.
    return demo.welcome(settings)


class _Children:
    """The processes that run, and stop when the stack unwinds."""

    def __init__(
        self, command: Callable[[str], tuple[str, ...]], stop: _Stop, output: Output, stack: ExitStack
    ) -> None:
        self._command = command
        self._stop = stop
        self._output = output
        self._stack = stack
        self._all: list[Child] = []

    def start(self, role: str) -> None:
        child = Child(Role(role, self._command(role)), self._output)
        self._stack.callback(child.stop)
        self._all.append(child)
        child.tend()

    def tend(self) -> None:
        for child in self._all:
            child.tend()
        time.sleep(_TICK)

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Keep them running until something is done.

        Raises:
            StartError: it takes too long.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not done():
            if self._stop.requested:
                raise _Stopped
            if time.monotonic() > deadline:
                raise StartError(f"Nothing answered on {what} within {_READY_SECONDS} seconds.")
            self.tend()


def _check_ports(settings: Settings) -> None:
    """See that the ports are free, before anything is started.

    Raises:
        StartError: one is not; the message names the setting.
    """
    wanted = [("PORT", settings.host, settings.port)]
    if settings.sandbox:
        wanted.append(("SANDBOX_PORT", "127.0.0.1", settings.sandbox_port))
    if len({port for _, _, port in wanted}) < len(wanted):
        raise StartError(f"SANDBOX_PORT: must differ from PORT, which is {settings.port}")
    deadline = time.monotonic() + _PORT_SECONDS
    for name, host, port in wanted:
        while (problem := _port_problem(host, port)) == errno.EADDRINUSE and time.monotonic() < deadline:
            time.sleep(_TICK)
        if problem == errno.EADDRINUSE:
            raise StartError(
                f"{name}: port {port} of {host} is in use. Stop what listens there, or choose another one: "
                f"{name}={port + 1} make run"
            )
        if problem:
            raise StartError(f"{name}: cannot listen on port {port} of {host}: {errno.errorcode[problem]}")


def _port_problem(host: str, port: int) -> int | None:
    """Return the number of the error with which a port refuses a listener, or None."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except socket.gaierror as error:
        raise StartError(f"HOST: {host} is no address of this machine: {error.strerror}") from error
    except OSError as error:
        return error.errno
    return None


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_ready(settings: Settings) -> bool:
    """Whether the web answers, itself and its database."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    if settings.tls_certificate:
        # The certificate is for the name that customers see, not for this address.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, settings.port, timeout=5, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
