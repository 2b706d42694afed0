"""Typed settings from the environment. A wrong one is refused at start, with its name."""

import ipaddress
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


@cache
def _is_loopback(host: str) -> bool:
    """Whether a host is this machine, seen from itself alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


class Settings(BaseSettings):
    """What the portal reads from its environment; each name is the environment variable's, in upper case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: str | None = None
    """Any PostgreSQL from 15 on, as `postgresql://user:password@host/name`; without it the embedded one serves."""
    data_dir: Path | None = None
    """Where the embedded database and its secrets lie; by default a place that follows from the checkout's."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    base_url: str | None = None
    """The address that customers see, for links in e-mails; by default http://HOST:PORT."""
    web_workers: int = Field(default=1, ge=1, le=64)
    worker_concurrency: int = Field(default=8, ge=1, le=64)
    label_processes: int = Field(default=1, ge=1, le=16)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses of the proxies whose X-Forwarded-For is believed, separated by commas; none by default."""
    secret_key: SecretStr | None = None
    """At least 32 characters; signs and encrypts. Made and kept beside the embedded database when not set."""
    former_secret_keys: SecretStr | None = None
    """Keys that SECRET_KEY was before, separated by commas: links that were signed with them open still."""
    shop_login_secrets: SecretStr | None = None
    """With which the shop signs who is signed in there; two, separated by a comma, while one replaces the other."""
    shop_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Where links lead back to the shop, such as `https://shop.example`, separated by commas."""
    demo: bool = True
    """Whether the demo shop may exist; it needs the sandbox, loopback and the embedded database besides."""
    stripe_secret_key: SecretStr | None = None
    """`sk_live_…` or `sk_test_…` of the shop's Stripe account; without it the sandbox serves."""
    stripe_publishable_key: str | None = None
    """`pk_live_…` or `pk_test_…` of the same account, with which a customer's browser gives Stripe a card."""
    stripe_webhook_secret: SecretStr | None = None
    """`whsec_…` of the endpoint that the shop's Stripe account tells of refunds and disputes."""
    stripe_api_base: str | None = None
    sandbox_port: int = Field(default=12110, ge=1, le=65535)
    refund_delay: int | None = Field(default=None, ge=0, le=86400)
    """Seconds between check-in and refund, in which it can be undone: 60, and 0 in the demo."""
    easypost_api_key: SecretStr | None = None
    """`EZ…` of the shop's EasyPost account; rules can then choose it for labels."""
    easypost_webhook_secret: SecretStr | None = None
    """With which EasyPost signs what it tells at BASE_URL/webhooks/easypost; without it trackers are asked."""
    easypost_api_base: str = "https://api.easypost.com/v2"
    nova_poshta_api_key: SecretStr | None = None
    """Of the shop's account at Nova Poshta; rules can then choose it for returns of what it brought."""
    nova_poshta_api_base: str = "https://api.novaposhta.ua/v2.0/json/"
    sms_url: SecretStr | None = None
    """`twilio://ACCOUNT:TOKEN@api.twilio.com/+35970012345`, the sender's number last; without it nobody gets an SMS."""
    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`."""
    mail_from: str | None = None
    imap_url: SecretStr | None = None
    """`imaps://user:password@host:993/INBOX`: where e-mails to the shop are read; without it none are."""
    imap_address: str | None = None
    """The address that reaches this mailbox, also with `+…` before its @; answers go there."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_addresses(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(str(ipaddress.ip_address(part)) for part in _parts(value))
        except ValueError:
            raise ValueError("must be IP addresses, separated by commas") from None

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                url = make_url(value)
            except ArgumentError:
                url = None
            if url is None or url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
                raise ValueError("must be like postgresql://user:password@host:5432/name")
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:  # noqa: PLR2004 - 256 bits of hex are twice that
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("former_secret_keys", "shop_login_secrets")
    @classmethod
    def _are_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(part) < 32 for part in _parts(value.get_secret_value())):  # noqa: PLR2004 - as above
            raise ValueError("must have at least 32 characters each, separated by commas")
        return value

    @field_validator("shop_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(part.rstrip("/").lower() for part in _parts(value))
        for parts in map(urlsplit, origins):
            secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
            if not secure or not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
                raise ValueError("must be like https://shop.example, separated by commas")
        return origins

    @field_validator("stripe_secret_key")
    @classmethod
    def _is_stripe_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(
            ("sk_live_", "sk_test_", "rk_live_", "rk_test_")
        ):
            raise ValueError("must begin with sk_live_, sk_test_, rk_live_ or rk_test_")
        return value

    @field_validator("stripe_publishable_key")
    @classmethod
    def _is_publishable_key(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("pk_live_", "pk_test_")):
            raise ValueError("must begin with pk_live_ or pk_test_")
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _is_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("whsec_"):
            raise ValueError("must begin with whsec_")
        return value

    @field_validator("sms_url")
    @classmethod
    def _is_sms_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            sender = parts.path.removeprefix("/")
            whole = parts.username and parts.password and parts.hostname and re.fullmatch(r"\+[0-9]{8,15}", sender)
            if parts.scheme not in {"twilio", "twilio+http"} or not whole:
                raise ValueError("must be like twilio://ACCOUNT:TOKEN@api.twilio.com/+35970012345")
        return value

    @field_validator("imap_url")
    @classmethod
    def _is_mailbox(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            safe = parts.scheme == "imaps" or (parts.scheme == "imap" and _is_loopback(parts.hostname or ""))
            if not safe or not parts.hostname or not parts.username or parts.password is None:
                raise ValueError("must be like imaps://user:password@host:993/INBOX")
        return value

    @field_validator("imap_address")
    @classmethod
    def _is_plain_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.-]{1,20}@[\w.-]+\.\w+", value, re.ASCII):
            raise ValueError("must be like help@shop.example, with at most 20 characters before the @, and no +")
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TLS_CERTIFICATE and TLS_KEY go together")
        if not (self.loopback and self._seen_here) and urlsplit(self.public_url).scheme != "https":
            raise ValueError("BASE_URL must be https:// where it, or HOST, is not a loopback address")
        if self.database_url is not None and self.secret_key is None:
            raise ValueError("SECRET_KEY is required with DATABASE_URL")
        if not self.is_demo and self.smtp_url is None:
            raise ValueError(
                "SMTP_URL is required: only the demo (sandbox, loopback and embedded database together) keeps mail"
            )
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("MAIL_FROM is required with SMTP_URL")
        if (self.imap_url is None) != (self.imap_address is None):
            raise ValueError("IMAP_URL and IMAP_ADDRESS go together")
        return self

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """What links are signed with, the newest first; none where there is no secret at all."""
        newest = [self.secret_key.get_secret_value()] if self.secret_key else []
        former = _parts(self.former_secret_keys.get_secret_value()) if self.former_secret_keys else []
        return tuple(key.encode() for key in newest + former)

    @property
    def login_secrets(self) -> tuple[bytes, ...]:
        """With which the shop may have signed who is signed in there."""
        given = _parts(self.shop_login_secrets.get_secret_value()) if self.shop_login_secrets else []
        return tuple(secret.encode() for secret in given)

    @property
    def public_url(self) -> str:
        """The address that customers see, without a slash at its end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    @cached_property
    def loopback(self) -> bool:
        """Whether only this machine can reach the portal."""
        return _is_loopback(self.host)

    @property
    def _seen_here(self) -> bool:
        """Whether customers see it on this machine alone: behind a proxy, loopback says nothing of who can reach it."""
        return _is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def embedded(self) -> bool:
        """Whether the portal brings its own database."""
        return self.database_url is None

    @property
    def sandbox(self) -> bool:
        """Whether payments go to the Stripe sandbox of this portal, where no money moves."""
        return self.stripe_secret_key is None

    @property
    def livemode(self) -> bool:
        """Whether money moves."""
        return self.stripe_secret_key is not None and "_live_" in self.stripe_secret_key.get_secret_value()

    @property
    def is_demo(self) -> bool:
        """Whether the demo shop, its printed passwords and `/outbox` exist."""
        return self.demo and self.sandbox and self.loopback and self.embedded and self._seen_here

    @property
    def undo_seconds(self) -> int:
        """Seconds between check-in and refund, in which the check-in can be undone."""
        if self.refund_delay is not None:
            return self.refund_delay
        return 0 if self.is_demo else 60

    @property
    def stripe_base(self) -> str:
        """Where the Stripe API is spoken to."""
        if self.stripe_api_base:
            return self.stripe_api_base.rstrip("/")
        return f"http://127.0.0.1:{self.sandbox_port}" if self.sandbox else "https://api.stripe.com"

    @property
    def stripe_key(self) -> str:
        """The key for the Stripe API; the sandbox takes any test key."""
        return self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else "sk_test_sandbox"


def load_settings(**overrides: object) -> Settings:
    """Read the environment.

    Raises:
        SettingsError: a value is missing or wrong; one line for each, with the variable's name.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks what it is given
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"][:1]).upper()
            reason = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {reason}" if name else reason)
        raise SettingsError("\n".join(lines)) from None
