"""The mailbox itself: a real IMAP server, Debian's dovecot, where it is installed and we may start it."""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.errors import ConflictError
from returns_portal.jobs import JobContext
from returns_portal.service import receiving
from returns_portal.service.jobs import read_mail
from returns_portal.service.mail import Incoming
from returns_portal.service.mailbox import Mailbox, MailboxError, Raw, opened
from returns_portal.service.receiving import receive
from returns_portal.settings import Settings
from tests.portal import Portal, at_once
from tests.service.things import letters, open_shop

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        shutil.which("dovecot") is None or os.geteuid() != 0,
        reason="no IMAP server: as root on Debian, `apt-get install dovecot-imapd`",
    ),
]

_CONFIG = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """A server of our own, by its port.

    Its folder is beside those of the test runs: they are for one user alone, and each run that begins sees to that.
    """
    user = pwd.getpwnam("dovecot")
    with tempfile.TemporaryDirectory(prefix="imap-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "mail").mkdir()
        os.chown(folder / "mail", user.pw_uid, user.pw_gid)
        port = _free_port()
        config = folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=folder, uid=user.pw_uid, gid=user.pw_gid, port=port))
        process = subprocess.Popen(["dovecot", "-F", "-c", str(config)])
        try:
            _wait_for(port, folder / "log")
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, log: Path) -> None:
    for _try in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text() if log.exists() else "no IMAP server came up")


@pytest.fixture
def post_office(server: int, settings: Settings) -> Settings:
    with _client(server) as client:
        if client.select("INBOX")[1] != [b"0"]:
            client.store("1:*", "+FLAGS", r"(\Deleted)")
            client.expunge()
    url = SecretStr(f"imap://help%40shop.example:secret@127.0.0.1:{server}/INBOX")
    return settings.model_copy(update={"imap_url": url, "imap_address": "help@shop.example"})


def _client(port: int) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=10)
    client.login("help@shop.example", "secret")
    return client


def deliver(port: int, number: int, body: str = "Is it?") -> None:
    message = EmailMessage()
    message["From"], message["To"] = f"a{number}@example.com", "help@shop.example"
    message["Subject"], message["Message-ID"] = f"Number {number}", f"<{number}@example.com>"
    message.set_content(body)
    with _client(port) as client:
        client.append("INBOX", "", "", message.as_bytes())


def unseen(port: int) -> int:
    with _client(port) as client:
        client.select("INBOX", readonly=True)
        return len(client.search(None, "UNSEEN")[1][0].split())


async def test_what_lies_there_is_read_once_and_marked(portal: Portal, post_office: Settings, server: int) -> None:
    await open_shop(portal)
    for number in range(3):
        deliver(server, number, "Грüße " * 10)
    # Without a mailbox in the settings, the job does nothing.
    await read_mail(JobContext(portal.begin, portal.settings))
    assert unseen(server) == 3
    await read_mail(JobContext(portal.begin, post_office))
    assert unseen(server) == 0
    assert await receive(portal.begin, post_office) == 0
    rows = await portal.rows("SELECT subject, email FROM question ORDER BY id")
    assert [row.subject for row in rows] == ["Number 0", "Number 1", "Number 2"]
    assert len(await letters(portal)) == 3


async def test_who_dies_between_commit_and_mark_loses_and_doubles_nothing(
    portal: Portal, post_office: Settings, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(server, 1)

    async def die(_mailbox: Mailbox, _uid: int) -> None:
        raise MailboxError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Mailbox, "mark_seen", die)
        await receive(portal.begin, post_office)
    assert unseen(server) == 1
    assert await receive(portal.begin, post_office) == 0
    assert unseen(server) == 0
    assert len(await portal.rows("SELECT id FROM question")) == 1
    assert len(await letters(portal)) == 1


async def test_who_dies_before_the_commit_finds_it_again(
    portal: Portal, post_office: Settings, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(server, 1)

    async def die(*_all: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "_keep", die)
        with pytest.raises(RuntimeError):
            await receive(portal.begin, post_office)
    assert unseen(server) == 1
    assert await portal.rows("SELECT id FROM inbound_mail") == []
    assert await receive(portal.begin, post_office) == 1


async def test_one_that_cannot_be_taken_holds_no_other_up(
    portal: Portal, post_office: Settings, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        deliver(server, number)
    really = receiving.take

    async def refuse(db: AsyncConnection, settings: Settings, raw: Raw, incoming: Incoming, files: Any) -> Any:  # noqa: ANN401 - as it is
        if incoming.subject == "Number 0":
            raise ConflictError("cannot be")
        return await really(db, settings, raw, incoming, files)

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "take", refuse)
        with pytest.raises(ConflictError):
            await receive(portal.begin, post_office)
    assert (unseen(server), len(await letters(portal))) == (1, 2)
    assert await receive(portal.begin, post_office) == 1


async def test_two_who_read_at_once_take_each_email_once(portal: Portal, post_office: Settings, server: int) -> None:
    for number in range(5):
        deliver(server, number)
    taken = await at_once(*(receive(portal.begin, post_office) for _each in range(2)))
    assert sum(taken) == 5
    assert len(await letters(portal)) == 5


async def test_a_mailbox_that_does_not_open_is_said_without_names(
    portal: Portal, post_office: Settings, server: int
) -> None:
    for url in (
        f"imap://help:wrong@127.0.0.1:{server}",
        "imap://help:secret@127.0.0.1:1",
        f"imap://help:secret@127.0.0.1:{server}/Nowhere",
    ):
        locked = post_office.model_copy(update={"imap_url": SecretStr(url)})
        with pytest.raises(MailboxError) as refusal:
            async with opened(locked):
                pass
        assert "help" not in str(refusal.value)
        assert await receive(portal.begin, locked) == 0
