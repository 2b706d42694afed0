"""The commands that run the portal's processes."""

import os
import sys
from importlib import import_module
from typing import Any

import click
from pydantic import SecretStr

from returns_portal import logs
from returns_portal.settings import Settings, load_settings


def _load(module: str) -> Any:  # noqa: ANN401 - a module
    """Import one process's module: none of them should carry the libraries of the others."""
    return import_module(f"returns_portal.{module}")


def with_secret(settings: Settings) -> Settings:
    """The settings with the secret that is kept beside the embedded database, where none was set."""
    if settings.secret_key is not None:
        return settings
    embedded = _load("embedded")
    kept = SecretStr(embedded.secret_key(embedded.home_for(settings)))
    return settings.model_copy(update={"secret_key": kept})


@click.command()
def serve() -> None:
    """Run everything on this machine until it is stopped: database, web, worker, and the sandbox if used."""
    settings = load_settings()
    sys.exit(_load("supervisor").serve(settings))


@click.command()
def web() -> None:
    """Run the web process. The database has to be there."""
    settings = with_secret(load_settings())
    _load("serving").run_web(settings, database_url=_load("embedded").database_url(settings))


@click.command()
def worker() -> None:
    """Run the process of the jobs. It waits for the database where that is away."""
    settings = with_secret(load_settings())
    _load("worker").run_worker(settings)


@click.command("stripe-sandbox")
@click.option("--port", type=click.IntRange(1, 65535), help="Serve on its own there, with a store that is thrown away.")
def stripe_sandbox(port: int | None) -> None:
    """Run the Stripe sandbox on 127.0.0.1, where no money moves.

    Without --port it is the portal's: on SANDBOX_PORT, with a schema of its own in the portal's database, where it
    keeps what it knows. With --port it is on its own, for any of Stripe's SDKs: it starts a database for itself, or
    makes a schema in DATABASE_URL, and removes it at the end.
    """
    if port is not None:
        _run_alone(port)
        return
    settings = load_settings()
    if not settings.sandbox:
        raise click.ClickException("STRIPE_SECRET_KEY is set: payments go to Stripe, and the sandbox is not used.")
    logs.configure(settings.log_level)
    url = _load("embedded").database_url(settings)
    _load("payments.sandbox").run(database_url=url, port=settings.sandbox_port)


def _run_alone(port: int) -> None:
    """Serve the sandbox without the portal: none of its settings counts but the database's."""
    logs.configure("warning")
    alone = _load("payments.sandbox.alone")
    try:
        alone.run_alone(port=port, database_url=os.environ.get("DATABASE_URL") or None)
    except alone.PortError as error:
        raise click.ClickException(str(error)) from error
