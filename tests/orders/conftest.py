"""What the tests of orders share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection


@pytest.fixture
def statements(db: AsyncConnection) -> Iterator[list[str]]:
    """What the portal sends to the database on `db`, statement by statement, without the queue's own."""
    sent: list[str] = []

    def note(*call: object) -> None:
        sent.append(str(call[2]))

    connection = db.sync_connection
    event.listen(connection, "before_cursor_execute", note)
    yield sent
    event.remove(connection, "before_cursor_execute", note)
