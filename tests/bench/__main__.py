"""`make bench`: each figure beside the floor of the stack, measured in the same run on the same machine.

`python -m tests.bench` measures everything, `python -m tests.bench cycles reads` only these. Slow is not wrong: the
exit code tells only whether everything worked. `python -m tests.bench statements` lists what a cycle asks of the
database.
"""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn

from tests.bench import cycles, exports, imports, labels, reach, reads, reconciliation, settlement, stations
from tests.bench.servers import Portal, Server, database_server, portal
from tests.bench.table import Row, render

_ON_THE_PORTAL: Final[dict[str, Callable[[Server, Portal], list[Row]]]] = {
    "cycles": cycles.run,
    "reads": reads.run,
    "reach": reach.run,
    "settlement": settlement.measure,
    "stations": stations.run,
}
"""These speak to the running portal, which is started once for them and stopped before the others."""
_ALONE: Final[dict[str, Callable[[Server], list[Row]]]] = {
    "labels": labels.run,
    "import": imports.run,
    "export": exports.run,
    "reconcile": reconciliation.run,
}
_LISTING: Final = "statements"


def main() -> int:
    """Run the chosen benches and write the table; 1 where something did not work."""
    every = [*_ON_THE_PORTAL, *_ALONE]
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(every)}; or {_LISTING}")
    names: list[str] = parser.parse_args().names
    if unknown := set(names) - {*every, _LISTING}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _leave)
    with database_server() as server:
        if _LISTING in names:
            with portal(server) as here:
                cycles.list_statements(server, here)
            return 0
        return _measure(server, names or every)


def _measure(server: Server, names: list[str]) -> int:
    run = _Run()
    if speaking := [name for name in _ON_THE_PORTAL if name in names]:
        with portal(server) as here:
            for name in speaking:
                run.measure(name, partial(_ON_THE_PORTAL[name], server, here))
    for name in _ALONE:
        if name in names:
            run.measure(name, partial(_ALONE[name], server))
    sys.stdout.write(f"{render(run.rows)}\n")
    if run.failed:
        sys.stdout.write(f"did not work: {', '.join(run.failed)}\n")
    return 1 if run.failed else 0


class _Run:
    """What was measured so far, and what did not work."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failed: list[str] = []

    def measure(self, name: str, bench: Callable[[], list[Row]]) -> None:
        """Run one bench. When it breaks, the others are measured all the same."""
        began = time.monotonic()
        try:
            self.rows += bench()
        except Exception:  # noqa: BLE001 - the exit code tells, and the traceback says what it was
            traceback.print_exc()
            self.failed.append(name)
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")


def _leave(_number: int, _frame: object) -> NoReturn:
    """End like an error does, so that everything that was started is stopped."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
