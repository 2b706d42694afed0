"""A portal that really serves: an imported file, staff, returns in every state, a web process and a worker."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.ids import new_id
from returns_portal.settings import Settings
from returns_portal.web.links import unsubscribe_link, view_link
from tests.accounts.shop_tokens import signed as shop_token
from tests.browser.stage import Stage, set_up
from tests.environment import environment
from tests.processes import await_answer, environment_with, free_ports, running

FILE = Path(__file__).parents[1] / "fixtures" / "shopify_orders_export.csv"
_SECRET = "browser-secret-" * 4
_ROLES = "tests.browser.roles"


class Live(msgspec.Struct, frozen=True):
    """Where the portal answers, what the import said, and what there is to see."""

    base: str
    imported: str
    stage: Stage


def signed(path: str, *, email: str = "ana@example.com") -> str:
    """The path of a link that an e-mail would have to a page; of the shop's and the choices' it makes those."""
    settings = Settings(secret_key=SecretStr(_SECRET))
    match path:
        case "shop":
            soon = int(clock.now().timestamp()) + 500
            told = {"email": email, "exp": soon, "jti": new_id().hex, "return_url": ""}
            return f"/in?token={shop_token(told, secret=_SECRET)}"
        case "choices":
            return unsubscribe_link(settings, email, "parcel").removeprefix(settings.public_url)
    return view_link(settings, path).removeprefix(settings.public_url)


@contextmanager
def live_portal(database_url: str, sandbox_port: int, home: Path) -> Iterator[Live]:
    """The portal, from when it answers until its processes have ended."""
    (port,) = free_ports(1)
    settings = Settings(
        data_dir=home,
        secret_key=SecretStr(_SECRET),
        refund_delay=0,
        port=port,
        sandbox_port=sandbox_port,
        log_level="warning",
    )
    variables = {name.upper(): str(value) for name, value in settings.model_dump(exclude_unset=True).items()}
    variables["SECRET_KEY"] = variables["SHOP_LOGIN_SECRETS"] = _SECRET
    log = home / "web.log"
    with ExitStack() as started:
        web = started.enter_context(running((_ROLES, "web", database_url), variables, log))
        imported = _import(database_url, sandbox_port)
        stage = asyncio.run(set_up(database_url, settings))
        # Only now: some refunds are made to stand still, which a worker would not let them.
        started.enter_context(running((_ROLES, "worker", database_url), variables, home / "worker.log"))
        await_answer(web, port, "/readyz", log)
        yield Live(settings.public_url, imported, stage)


def _import(database_url: str, sandbox_port: int) -> str:
    """What a shop does first, as it does it."""
    done = subprocess.run(
        [sys.executable, "-m", "returns_portal", "import-orders", str(FILE), "--sandbox-payments"],
        env=environment_with(environment(database_url) | {"SANDBOX_PORT": str(sandbox_port)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
