# ruff: noqa: INP001 - a script beside the project, not a package of it
"""Set up this checkout: `.venv`, the locked packages, the portal itself, and the system's libraries and fonts.

It runs before anything is installed, so it uses the standard library alone. It can be ended at any moment and
run again: what was left half-way is made anew. Run when all is there, it only looks.
"""

import argparse
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"

INSTALLED = VENV / ".installed"
"""Says what was installed, and where, once all of it was."""
INSTALLING = VENV / ".installing"
"""Is there while packages are installed; found later, it means that some may be there in part."""
APT_TRIED = VENV / ".apt-tried"
"""Names the packages that apt could not install, so that it is not asked again on each start."""
APT_AGAIN_SECONDS = 86400


@dataclass(frozen=True)
class SystemPackage:
    """A Debian package: how to see that what it gives is there, and what happens without it."""

    name: str
    is_there: Callable[[], bool]
    without: str
    required: bool = False


def _has_library(name: str) -> Callable[[], bool]:
    def is_there() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return is_there


def _has_noto() -> bool:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    return any(next(folder.rglob("NotoSansArabic*"), None) for folder in folders if folder.is_dir())


def _has_chromium() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


FOR_ALL = [
    *(
        SystemPackage(name, _has_library(library), "documents cannot be made", required=True)
        for name, library in [
            ("libpango-1.0-0", "libpango-1.0.so.0"),
            ("libpangoft2-1.0-0", "libpangoft2-1.0.so.0"),
        ]
    ),
    SystemPackage("libharfbuzz-subset0", _has_library("libharfbuzz-subset.so.0"), "labels take many times as long"),
    SystemPackage("fonts-noto-core", _has_noto, "names in scripts other than Latin and Cyrillic are transliterated"),
]
FOR_TESTS = [
    SystemPackage("chromium", _has_chromium, "the browser tests are skipped"),
    SystemPackage("libzbar0", _has_library("libzbar.so.0"), "labels are read by one reader instead of two"),
]


def main() -> None:
    """Set up what is missing."""
    parser = argparse.ArgumentParser(description="Set up this checkout.")
    parser.add_argument("--browser", action="store_true", help="and the browser for its tests")
    browser = parser.parse_args().browser
    with PROJECT.open() as project:
        fcntl.flock(project, fcntl.LOCK_EX)  # Of two commands given at once, the second finds everything done.
        _set_up_python()
        _set_up_system([*FOR_ALL, *(FOR_TESTS if browser else [])])


def _set_up_python() -> None:
    digest = hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()
    wanted = f"{digest} {ROOT}\n"
    installed = INSTALLED.read_text() if INSTALLED.exists() else None
    if installed == wanted and PYTHON.exists():
        return
    moved = installed is not None and not installed.endswith(f" {ROOT}\n")
    if moved or INSTALLING.exists() or not _has_pip():
        _make_venv()
    _say("Installing the Python packages (once; a minute or two) …")
    INSTALLING.touch()
    _pip("--no-deps", "--require-hashes", "--requirement", str(LOCK))
    _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    draft = INSTALLED.with_suffix(".new")
    draft.write_text(wanted)
    draft.replace(INSTALLED)
    INSTALLING.unlink()


def _has_pip() -> bool:
    return PYTHON.exists() and _run(PYTHON, "-m", "pip", "--version").returncode == 0


def _make_venv() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None and not _apt_install(f"python{version}-venv"):
        _fail(f"Python's venv is missing: install it with `apt-get install python{version}-venv`.")
    outcome = _run(sys.executable, "-m", "venv", "--clear", VENV)
    if outcome.returncode != 0:
        _fail(f"{VENV} could not be made.\n{outcome.stdout}")


def _pip(*arguments: str) -> None:
    outcome = _run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-qq", *arguments)
    if outcome.returncode != 0:
        _fail(f"The Python packages could not be installed.\n{outcome.stdout}")


def _set_up_system(packages: list[SystemPackage]) -> None:
    missing = [package for package in packages if not package.is_there()]
    names = " ".join(package.name for package in missing)
    if missing and not _tried_lately(names):
        if not _apt_install(*names.split()):
            APT_TRIED.write_text(names)
        missing = [package for package in missing if not package.is_there()]
    for package in missing:
        _say(f"Without {package.name}, {package.without}. Install it: apt-get install {package.name}")
    if any(package.required for package in missing):
        sys.exit(1)


def _tried_lately(names: str) -> bool:
    return (
        APT_TRIED.exists()
        and APT_TRIED.read_text() == names
        and time.time() - APT_TRIED.stat().st_mtime < APT_AGAIN_SECONDS
    )


def _apt_install(*names: str) -> bool:
    """Install Debian packages, where that can be done: as root, with apt."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    _say(f"Installing {' '.join(names)} …")
    patience = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=120"]
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
        outcome = _run("apt-get", "-qq", *patience, *command)
        if outcome.returncode != 0:
            _say("\n".join(outcome.stdout.splitlines()[-3:]))
    return outcome.returncode == 0


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command without input, and keep what it writes."""
    return subprocess.run(  # noqa: S603 - the commands stand in this file
        command,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(text: str) -> NoReturn:
    _say(text)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
