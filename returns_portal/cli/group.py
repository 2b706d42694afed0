"""A command group that imports a command's module only when that command runs."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from returns_portal.errors import DomainError

WRONG_SETTINGS = 2
"""The exit code for what is wrong before anything begins: settings, as for arguments."""


class Lazy(click.Group):
    """Commands by name, each as (module of this package and attribute, what it does in one line).

    The whole portal takes seconds to import and `--help` should not; so the lines of the help stand here.
    """

    def __init__(self, *, commands: Mapping[str, tuple[str, str]], **options: Any) -> None:  # noqa: ANN401 - click's own
        """Keep the table."""
        super().__init__(**options)
        self._table = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        del ctx
        if cmd_name not in self._table:
            return None
        module, attribute = self._table[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"returns_portal.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's lines, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_place, line) in self._table.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        """Run the command; what people can mend is said in a line on standard error, without a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (known := _explain(error)) is None:
                raise
            text, code = known
            click.echo(text, err=True)
            ctx.exit(code)


def _explain(error: Exception) -> tuple[str, int] | None:
    """What to say of an error, and the exit code; None where it is a fault of the portal's own."""
    cause = getattr(error, "orig", None) or error
    if isinstance(error, DomainError):
        return (f"{error.field}: {error}" if error.field else str(error)), 1
    if _is(cause, "returns_portal.settings", "SettingsError"):
        return str(cause), WRONG_SETTINGS
    if _is(cause, "returns_portal.embedded", "EmbeddedError") or _is(cause, "psycopg", "OperationalError"):
        return f"The database cannot be used: {cause}", 1
    return None


def _is(error: BaseException, module: str, name: str) -> bool:
    """Whether an error is of a class whose module the command has imported by now.

    Importing it here would make every command wait for it, `--help` too.
    """
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(error, kind)
