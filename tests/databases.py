"""Databases of a test server: made, copied, and dropped again."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url


@contextmanager
def database(server_url: str, kind: str, *, template: str | None = None) -> Iterator[str]:
    """The address of a database that lasts as long as this: an empty one, or a copy of another."""
    name = f"{kind}_{os.getpid()}_{secrets.token_hex(6)}"
    if template is None:
        create(server_url, name)
    else:
        _execute(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield _named(server_url, name)
    finally:
        _drop(server_url, name)


def create(server_url: str, name: str) -> str:
    """Make an empty database; its address."""
    _execute(server_url, "CREATE DATABASE {}", name)
    return _named(server_url, name)


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _drop(url: str, name: str) -> None:
    """Drop a database, also where something is still connected.

    PostgreSQL ends its own autovacuum there by itself; force is for what a killed process left, and would be refused to
    whoever is not a superuser while autovacuum runs.
    """
    try:
        _execute(url, "DROP DATABASE IF EXISTS {}", name)
    except psycopg.errors.ObjectInUse:
        _execute(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
