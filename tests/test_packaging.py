"""The wheel is complete: installed elsewhere, the portal finds its templates and migrations from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from returns_portal import resources

ROOT = Path(__file__).resolve().parent.parent

_FIND = """
from returns_portal import resources
from returns_portal.embedded import home_for
from returns_portal.settings import Settings
print(resources.checkout_root())
print(resources.templates_dir())
print(resources.migrations_dir())
print(home_for(Settings()))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel of this checkout was installed to, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    wheel: list[str | Path] = [
        *pip,
        "wheel",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        ROOT,
    ]
    subprocess.run(wheel, check=True, cwd=folder)
    target = folder / "installed"
    install: list[str | Path] = [*pip, "install", "--no-index", "--no-deps", "--target", target, *folder.glob("*.whl")]
    subprocess.run(install, check=True, cwd=folder)
    return target


def _files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


def test_an_installed_portal_finds_its_folders(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment.pop("DATA_DIR", None)
    outcome = subprocess.run(
        [sys.executable, "-c", _FIND], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )

    checkout, templates, migrations, home = outcome.stdout.splitlines()
    assert checkout == "None"
    assert Path(templates) == installed / "returns_portal" / "templates"
    assert Path(migrations) == installed / "returns_portal" / "migrations"
    assert Path(home).name == "installed"


@pytest.mark.parametrize("name", ["templates", "migrations"])
def test_the_wheel_holds_every_file(installed: Path, name: str) -> None:
    assert _files(installed / "returns_portal" / name) == _files(ROOT / name)


def test_the_wheel_holds_the_whole_package(installed: Path) -> None:
    package = installed / "returns_portal"
    added = ("templates/", "migrations/")
    assert {file for file in _files(package) if not file.startswith(added)} == _files(ROOT / "returns_portal")


def test_a_checkout_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert resources.checkout_root() == ROOT
    assert resources.templates_dir() == ROOT / "templates"
    assert resources.migrations_dir() == ROOT / "migrations"


def test_an_incomplete_installation_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "returns_portal")

    with pytest.raises(FileNotFoundError, match="templates is missing"):
        resources.templates_dir()


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    text = (ROOT / "requirements.lock").read_text()
    requirements = [line for line in text.splitlines() if line and line[0] not in " #"]

    assert "://" not in text
    assert "--index-url" not in text
    assert all("==" in line and line.endswith("\\") for line in requirements)
