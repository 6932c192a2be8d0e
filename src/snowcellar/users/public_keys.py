"""The public keys of a user: read from what RSA_PUBLIC_KEY holds, and told apart by their fingerprint.

Source: https://docs.snowflake.com/en/user-guide/key-pair-auth
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from snowcellar.errors import WarehouseError

PublicKey = RSAPublicKey | EllipticCurvePublicKey

SMALLEST_RSA_BITS: Final = 2048
_FRAME: Final = re.compile(r"-----(?:BEGIN|END) [A-Z ]+-----|\s+")


class KeyRejected(WarehouseError):
    """A text that is no public key which a user may have."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"SQL execution error:\nNew public key rejected by current policy. Reason: '{reason}'",
            3688,
            "22023",
        )


def read(text: str) -> PublicKey:
    """The key in a PEM, or in its base64 alone, as openssl writes it between BEGIN and END PUBLIC KEY."""
    try:
        key = load_der_public_key(base64.b64decode(_FRAME.sub("", text), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise KeyRejected("Invalid Public key") from error
    if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS:
        raise KeyRejected(
            f"Key length {key.key_size} is smaller than minimal requirement of {SMALLEST_RSA_BITS}."
        )
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise WarehouseError(
            "SQL execution error: The provided public key uses an unsupported key algorithm.", 3688, "22023"
        )
    return key


def fingerprint(text: str) -> str:
    """SHA256: and the base64 of the digest of the key's DER, as openssl and the clients compute it."""
    der = read(text).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode("ascii")
