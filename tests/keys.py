"""Key pairs as a person makes them with openssl, and tokens signed with them."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True)
class KeyPair:
    """A private key, and its public half as CREATE USER takes it."""

    key: RSAPrivateKey

    @property
    def public(self) -> str:
        """What stands between BEGIN and END PUBLIC KEY."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def pem(self, passphrase: str | None = None) -> str:
        """The private key as PKCS #8, encrypted where there is a passphrase."""
        how: KeySerializationEncryption = (
            BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        )
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()

    def write(self, path: Path, passphrase: str | None = None) -> Path:
        """The private key in a file that only its owner reads."""
        path.write_text(self.pem(passphrase), encoding="ascii")
        path.chmod(0o600)
        return path

    def token(self, **claims: Any) -> str:
        """An access token of an OAuth server that signs with this key; good for ten minutes."""
        now = int(time.time())
        return jwt.encode({"iat": now, "exp": now + 600, **claims}, self.key, algorithm="RS256")


@cache
def key_pair(name: str) -> KeyPair:
    """One pair a name and run: making one takes a while. The name only tells them apart."""
    return KeyPair(rsa.generate_private_key(public_exponent=65537, key_size=2048))
