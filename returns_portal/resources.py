"""Finds the folders that are no Python code: beside the package in a checkout, inside it when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def checkout_root() -> Path | None:
    """Return the checkout that this package runs from, or None when it was installed from a wheel."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "migrations").is_dir() else None


def templates_dir() -> Path:
    """Return the folder of the page, e-mail and document templates.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _folder("templates")


def migrations_dir() -> Path:
    """Return the folder of Alembic's environment and revisions.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _folder("migrations")


def _folder(name: str) -> Path:
    folder = (checkout_root() or _PACKAGE) / name
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: this installation of the portal is incomplete")
    return folder
