"""`python -m returns_portal` is the command line."""

import signal

# Until the command has its own ways of stopping, Ctrl-C simply ends: nothing has begun, and a traceback says nothing.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from returns_portal.cli import main  # noqa: E402 - see above

signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["main"]

if __name__ == "__main__":
    main()
