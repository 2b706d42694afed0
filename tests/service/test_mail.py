"""Reading e-mails as they come: from every mail program, from machines, and from people who mean harm."""

import quopri
import time
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.service.mail import MAX_TEXT, read
from returns_portal.service.mail_text import folded, text_of_html

PLAIN = b"""\
Return-Path: <ana@example.com>
Delivered-To: help+abc@shop.example
From: =?utf-8?b?0JDQvdC90LA=?= <Ana@example.com>
To: "Nord & Sund" <help+abc@shop.example>
Subject: Re: =?utf-8?q?Our_answer=3A_Stiefel?=
Date: Mon, 23 Nov 2026 10:00:00 +0200
Message-ID: <CAF1@mail.example.com>
In-Reply-To: <0192f0c1-0000-7000-8000-000000000001@shop.example>
References: <first@shop.example>
 <0192f0c1-0000-7000-8000-000000000001@shop.example>
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

\xd0\x94\xd1\x8f\xd0\xba\xd1\x83\xd1\x8e!

On Mon, 23 Nov 2026 at 09:12, Nord & Sund
<help@shop.example> wrote:

> It is waterproof.
> Olga
"""


def test_a_reply_from_a_mail_program() -> None:
    found = read(PLAIN)
    assert (found.sender, found.name) == ("Ana@example.com", "Анна")
    assert found.subject == "Re: Our answer: Stiefel"
    assert found.text == "Дякую!"
    assert found.quoted.startswith("On Mon, 23 Nov")
    assert found.known_as == "<CAF1@mail.example.com>"
    assert found.references == ["<0192f0c1-0000-7000-8000-000000000001@shop.example>", "<first@shop.example>"]
    assert found.recipients == ["help+abc@shop.example"] * 2
    assert found.machine == ""
    assert read(PLAIN).digest == found.digest != read(PLAIN.replace(b"CAF1", b"CAF2")).digest


@pytest.mark.parametrize(
    ("text", "written", "quoted"),
    [
        ("Danke!\n\nAm 23.11.2026 um 09:12 schrieb Nord & Sund:\n> Ja.", "Danke!", "Am 23.11.2026"),
        ("Спасибо\n\n23.11.2026, 09:12, Nord & Sund пишет:\n> Да", "Спасибо", "23.11.2026"),
        ("Благодаря\n\nНа 23.11.2026 г. в 9:12 Nord написа:\n>Да", "Благодаря", "На 23.11"),
        (
            "Дякую\n\nпн, 23 лист. 2026 р. о 09:12 Nord пише:\n> Так",
            "Дякую\n\nпн, 23 лист. 2026 р. о 09:12 Nord пише:",
            ">",
        ),
        ("Ok\n\n-----Original Message-----\nFrom: Nord\nHi", "Ok", "-----Original"),
        ("Ok\n\n________________________________\nVon: Nord <a@b.c>\nGesendet: heute\nHi", "Ok", "____"),
        ("> Is it?\nYes.\n> And this?\nNo.", "> Is it?\nYes.\n> And this?\nNo.", ""),
        ("> only\n> quoted", "> only\n> quoted", ""),
        ("From: the beginning I liked it", "From: the beginning I liked it", ""),
        ("On Monday he wrote: nothing", "On Monday he wrote: nothing", ""),
    ],
)
def test_what_is_repeated_is_folded_and_what_is_said_is_not(text: str, written: str, quoted: str) -> None:
    found = folded(text)
    assert found[0] == written
    assert found[1].startswith(quoted)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello</p><p>there<br>again</p>", "Hello\n\nthere\nagain"),
        ("<style>p{}</style><script>alert(1)</script><p onclick=x>Hi &lt;b&gt;</p>", "Hi <b>"),
        ('<a href="https://evil.example/">https://shop.example</a>', "https://shop.example (https://evil.example/)"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<ul><li>one<li>two</ul>", "– one\n– two"),
        ("Yes<blockquote>It is.<br>Olga</blockquote>", "Yes\n\n> It is.\n> Olga"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<!-- no --><title>t</title><div><div><b>bo</b>ld</div></div>", "bold"),
        ("   ", ""),
    ],
)
def test_html_is_read_as_words(html: str, text: str) -> None:
    assert [line for line in text_of_html(html).split("\n") if line] == [line for line in text.split("\n") if line]


def test_html_alone_is_taken_and_plain_text_comes_before_it() -> None:
    message = EmailMessage()
    message["From"] = "a@example.com"
    message.set_content("plain words")
    message.add_alternative("<p>html words</p>", subtype="html")
    assert read(message.as_bytes()).text == "plain words"
    alone = EmailMessage()
    alone.set_content("<p>html words</p><blockquote>old</blockquote>", subtype="html")
    assert (read(alone.as_bytes()).text, read(alone.as_bytes()).quoted) == ("html words", "> old")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: auto-generated; x=y", "auto-submitted"),
        ("Auto-Submitted: no", ""),
        ("Precedence: bulk", "precedence"),
        ("X-Autoreply: yes", "x-autoreply"),
        ("X-Auto-Response-Suppress: All", "x-auto-response-suppress"),
        ("List-Id: <news.example>", "list-id"),
        ("Return-Path: <>", "return-path"),
        ("From: MAILER-DAEMON@mx.example.com", "sender"),
        ("Content-Type: multipart/report; boundary=x", "report"),
        ("X-Mailer: Thunderbird", ""),
    ],
)
def test_machines_are_recognised(header: str, why: str) -> None:
    start = "" if header.startswith("From") else "From: a@example.com\n"
    assert read(f"{start}{header}\n\nHi".encode()).machine == why


def test_files_come_along_with_their_names() -> None:
    message = EmailMessage()
    message["From"] = "a@example.com"
    message.set_content("See the picture")
    message.add_attachment(b"JPEG", "image", "jpeg", filename="tear \x07.jpg")
    inner = EmailMessage()
    inner.set_content("text of another e-mail")
    message.add_attachment(inner)
    found = read(message.as_bytes())
    assert [one.data for one in found.attachments] == [b"JPEG"]
    assert found.attachments[0].name == "tear .jpg"
    assert found.text == "See the picture"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"From: a@b.c\nContent-Type: text/plain; charset=klingon\n\nHi \xff",
        b"From: a@b.c\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n!!!!",
        b"From: =?utf-8?q?=FF=FE?= <a@b.c>, ,, <x\nSubject: =?x?q?=41?=\n\nHi",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nHi",
        b"References: " + b"<a@b> " * 5000 + b"\n\nHi",
        b"From: a@b.c\n\n" + b"x" * 100_000,
        b"From: a@b.c\nContent-Type: text/html\n\n" + b"<div>" * 50_000 + b"deep",
        b"Message-ID: <" + b"x" * 5000 + b'>\nFrom: "\x00" <a@b.c>\n\nA\x00B',
        b"From: a@b.c\nContent-Type: text/html\n\n" + b"<!--<a " * 9_000,
        quopri.encodestring(PLAIN),
    ],
)  # fmt: skip
def test_whatever_comes_is_read(raw: bytes) -> None:
    found = read(raw)
    assert len(found.text) <= MAX_TEXT
    assert "\x00" not in f"{found.text}{found.quoted}{found.subject}{found.name}{found.sender}"
    assert len(found.digest) == 32


@given(st.binary(max_size=2000))
def test_no_bytes_bring_it_down(raw: bytes) -> None:
    read(raw)
    read(b"From: a@b.c\nContent-Type: text/html; charset=utf-8\n\n" + raw)
    read(b"From: " + raw.replace(b"\n", b"") + b"\nTo: " + raw + b"\n\nHi")


def _nested(kind: bytes, depth: int) -> bytes:
    parts = (b"Content-Type: " + kind.replace(b"N", b"%d" % place) for place in range(depth))
    return b"".join(parts) + b"Content-Type: text/plain\r\n\r\nIs it?"


_HEAD = b"From: Ana <ana@example.com>\r\nSubject: Deep\r\nMessage-ID: <1@example.com>\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        _HEAD + _nested(b"multipart/mixed; boundary=bN\r\n\r\n--bN\r\n", 3000),
        _HEAD + _nested(b"message/rfc822\r\n\r\n", 3000),
        _HEAD + b"To: " + b"(" * 20_000 + b"\r\n\r\nIs it?",
        _HEAD + b"Content-Type: " + b"(" * 20_000 + b"\r\n\r\nIs it?",
        _HEAD + b"Content-Type: text/plain; " + b'a="\\' * 50_000 + b"\r\n\r\nIs it?",
        _HEAD + b"X-A: b\r\nTo: " + b"=?utf-8?q?x?= " * 50_000 + b"\r\n\r\nIs it?",
        b"From: ana@example.com " + b"(" * 20_000 + b"\r\nSubject: Deep\r\n\r\nIs it?",
    ],
)
def test_what_was_made_to_break_the_reader_is_read_soon(raw: bytes) -> None:
    began = time.monotonic()
    found = read(raw)
    assert time.monotonic() - began < 10
    assert (found.sender, found.subject, found.machine) == ("ana@example.com", "Deep", "")
    assert "Is it?" in found.text + found.quoted


def test_what_cannot_be_read_at_all_is_a_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise RecursionError

    monkeypatch.setattr("returns_portal.service.mail.machine_of", fail)
    told: list[dict[str, object]] = []
    log = SimpleNamespace(warning=lambda _event, **more: told.append(more))
    monkeypatch.setattr("returns_portal.service.mail.log", log)
    found = read(b"From: ana@example.com\r\n\r\nIs it?")
    assert (found.sender, found.machine, len(found.digest)) == ("", "unreadable", 32)
    # A person may have written it: it is not put aside in silence.
    assert told == [{"flat": False, "error": "RecursionError"}, {"flat": True, "error": "RecursionError"}]
