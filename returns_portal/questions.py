"""Questions to the database that are asked alone or, by a page that needs several answers, in one statement.

Each way to the database and back costs a page as much as most of its statements do themselves.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class Question(msgspec.Struct, Generic[T], frozen=True):
    """A constant SELECT with `:named` values, each of whose rows is a `shape`: its columns are the shape's fields."""

    query: str
    values: Mapping[str, Any]
    shape: type[T]


async def ask(db: AsyncConnection, question: Question[T]) -> list[T]:
    """Ask one question; its rows, in its order."""
    rows = await run(db, question.query, **question.values)
    return _shaped([row._asdict() for row in rows], question)


async def ask_together(
    db: AsyncConnection, first: Question[A], second: Question[B], third: Question[C], fourth: Question[D]
) -> tuple[list[A], list[B], list[C], list[D]]:
    """Ask four questions at once; the rows of each, in its order."""
    asked: tuple[Question[Any], ...] = (first, second, third, fourth)
    values = {f"q{place}_{name}": value for place, one in enumerate(asked) for name, value in one.values.items()}
    [row] = await run(db, _together(tuple(one.query for one in asked)), **values)
    one, two, three, four = row
    return _shaped(one, first), _shaped(two, second), _shaped(three, third), _shaped(four, fourth)


def _shaped(rows: Any, question: Question[T]) -> list[T]:  # noqa: ANN401 - as the driver gives them
    found: list[T] = msgspec.convert(rows, _list_of(question.shape))  # type: ignore[arg-type]  # types are hashable
    return found


@cache
def _list_of(shape: type[Any]) -> Any:  # noqa: ANN401 - a type that is made of a value
    return list[shape]  # type: ignore[valid-type]  # a variable is no type for the checker


@cache
def _together(queries: tuple[str, ...]) -> str:
    parts = [
        f"(SELECT coalesce(json_agg(a), '[]'::json) FROM ({_apart(query, place)}) AS a) AS q{place}"  # noqa: S608 - constant statements of ours
        for place, query in enumerate(queries)
    ]
    return f"SELECT {', '.join(parts)}"


def _apart(query: str, place: int) -> str:
    """The statement with names for its values that no other one has."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", rf":q{place}_\1", query)
