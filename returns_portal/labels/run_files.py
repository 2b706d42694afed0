"""The files that runs of labels begin with: a return number a line."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import csvfiles
from returns_portal.actor import Actor
from returns_portal.csvfiles import Layout
from returns_portal.db import run
from returns_portal.labels.queries import FLAGS
from returns_portal.labels.runs import MOST_ROWS

LAYOUT: Final = Layout(
    key="rma", required=frozenset({"rma"}), most=1, head="rma", aliases={"RMA": "rma", "return_number": "rma"}
)
MAX_BYTES: Final = 5_000_000
"""Of a file: far more than the numbers of a run take, with some columns beside them."""


def numbers_in(path: Path) -> list[tuple[int, str]]:
    """The return numbers of a CSV file with a column `rma`, each with its line; one more than a run takes, at most.

    Raises:
        InvalidError: it is no such file; says where.
    """
    csvfiles.inspect(path, LAYOUT)
    found: list[tuple[int, str]] = []
    for group in csvfiles.read(path, LAYOUT):
        found.append((group.line, csvfiles.text(group.head, "rma")))
        if len(found) > MOST_ROWS:
            break
    return found


def numbers_of(content: bytes) -> list[tuple[int, str]]:
    """As `numbers_in`, of a file that was sent.

    Raises:
        InvalidError: as `numbers_in`.
    """
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        return numbers_in(Path(file.name))


# Only what can be printed at all is taken from the list: what is under way, given back or cancelled is in it too.
_CHOSEN: Final = """
    SELECT r.rma FROM label b JOIN returns r ON r.id = b.return_id
    WHERE b.status IN ('requested', 'bought', 'sent') AND r.status = 'filed' AND {condition}
    GROUP BY r.rma ORDER BY min(b.id::text) LIMIT :most
"""


async def numbers_shown(db: AsyncConnection, actor: Actor, chosen: str) -> list[tuple[int, str]]:
    """The returns of a choice in the list of labels that still wait for their parcels, the oldest label first.

    Raises:
        ForbiddenError: the actor looks after no labels.
    """
    actor.require("support", "warehouse", "finance")
    condition = FLAGS.get(chosen) or ("b.status = :chosen" if chosen else "true")
    rows = await run(db, _CHOSEN.format(condition=condition), chosen=chosen, most=MOST_ROWS + 1)
    return [(0, row.rma) for row in rows]


def digest(*parts: str | bytes) -> str:
    """What tells one wish from another."""
    found = hashlib.sha256()
    for part in _framed(parts):
        found.update(part)
    return found.hexdigest()


def _framed(parts: tuple[str | bytes, ...]) -> Iterator[bytes]:
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        yield len(data).to_bytes(8, "big")
        yield data
