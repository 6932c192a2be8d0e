"""JSON web tokens: what one claims, and whether a key has signed it. The claims are judged elsewhere."""

from __future__ import annotations

from typing import Any, Final

import jwt

from snowcellar.users import public_keys

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""Those of a key pair: with a shared secret, whoever reads the public key could sign."""


def algorithm(token: str) -> str:
    """The algorithm that a token names; jwt.PyJWTError when it is no token."""
    return str(jwt.get_unverified_header(token).get("alg"))


def claims(token: str) -> dict[str, Any]:
    """What a token says, signed or not; jwt.PyJWTError when it is no token."""
    said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return said


def is_signed(token: str, key: str) -> bool:
    """Whether the private half of a public key has signed a token."""
    try:
        jwt.PyJWS().decode(token, public_keys.read(key), list(ALGORITHMS))
    except (jwt.PyJWTError, TypeError):
        # A TypeError when the key is of another kind than the algorithm.
        return False
    return True
