"""Encrypting the few things that must be read again and must not be read by others: bank account numbers."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from returns_portal.errors import ConflictError


class Vault:
    """Authenticated encryption under a key derived from the portal's secret."""

    def __init__(self, secret: str) -> None:
        """Derive the key (HKDF, RFC 5869), so that the same secret serves other purposes unlinked."""
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"returns-portal vault").derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, text: str) -> str:
        """Encrypt."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt.

        Raises:
            ConflictError: it was sealed under another secret: SECRET_KEY was changed.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConflictError(
                "This account number was stored under another SECRET_KEY and cannot be read. Ask the customer again.",
                code="sealed_elsewhere",
            ) from None
