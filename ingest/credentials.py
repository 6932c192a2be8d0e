"""What a connection logs in with: its private key or its token, read, decrypted and handed to the connector.

The connector would raise its own errors, and Python's, for a key that is not there or does not open; here
each is one sentence that names the connection, what is wrong and the way out. As in the `snow` CLI a private
key needs authenticator = "SNOWFLAKE_JWT" and PKCS #8.
"""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ingest.connection_files import ConnectionParameters, is_path
from ingest.errors import CredentialUnusable

JWT: Final = "SNOWFLAKE_JWT"
_KEYS: Final = ("private_key_file", "private_key_raw")
_OF_A_KEY: Final = (*_KEYS, "private_key_passphrase")
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_PLAIN: Final = b"-----BEGIN PRIVATE KEY-----"


def for_connector(parameters: ConnectionParameters) -> ConnectionParameters:
    """What the connector takes: the parameters, with the key itself or the token in place of where it is."""
    arguments = ConnectionParameters(
        {key: value for key, value in parameters.items() if key not in _OF_A_KEY}
    )
    authenticator = str(parameters.get("authenticator", "")).upper()
    if any(key in parameters for key in _KEYS):
        if authenticator != JWT:
            raise CredentialUnusable(
                parameters.name,
                "it has a private key, and its authenticator is "
                f"{parameters.get('authenticator', 'a password (snowflake)')!r}",
                f'Set authenticator = "{JWT}", or take the key out.',
            )
        arguments["private_key"] = _private_key(parameters)
    elif authenticator == JWT and "private_key" not in parameters:
        raise CredentialUnusable(
            parameters.name, f"{JWT} needs a private key and it names none", "Set private_key_file."
        )
    if path := arguments.pop("token_file_path", None):
        arguments["token"] = _read(parameters, Path(path), "token", "token_file_path").decode().strip()
    if authenticator == "OAUTH" and not arguments.get("token"):
        raise CredentialUnusable(
            parameters.name, "OAUTH needs a token and there is none", "Set token_file_path, or token."
        )
    return arguments


def _private_key(parameters: ConnectionParameters) -> bytes:
    """The key as the connector takes it, DER without a passphrase: it stays in this process."""
    if path := parameters.get("private_key_file"):
        pem, what = (
            _read(parameters, Path(path), "private key", "private_key_file"),
            f"its private key {path}",
        )
    else:
        pem, what = str(parameters["private_key_raw"]).encode(), "its private_key_raw"
    begins = pem.lstrip()
    if not begins.startswith((_ENCRYPTED, _PLAIN)):
        raise CredentialUnusable(
            parameters.name,
            f"{what} is not in PKCS #8",
            "Make it so: openssl pkcs8 -topk8 -in OLD -out NEW",
        )
    passphrase = _passphrase(parameters, what) if begins.startswith(_ENCRYPTED) else None
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: what the libraries say may hold a part of the key, and never helps.
        raise CredentialUnusable(parameters.name, *_unopened(what, passphrase)) from None
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _unopened(what: str, passphrase: bytes | None) -> tuple[str, str]:
    if passphrase is not None:
        return f"{what} does not open with this passphrase", "Check PRIVATE_KEY_PASSPHRASE."
    return f"{what} is damaged", "Copy it again, or make a new pair."


def _passphrase(parameters: ConnectionParameters, what: str) -> bytes:
    passphrase = str(parameters.get("private_key_passphrase") or "")
    if not passphrase:
        raise CredentialUnusable(
            parameters.name,
            f"{what} is encrypted and there is no passphrase",
            "Set PRIVATE_KEY_PASSPHRASE.",
        )
    return passphrase.encode()


def _read(parameters: ConnectionParameters, path: Path, what: str, key: str) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
    # Not chained: what was taken for a path may be the key itself, and the error would show it.
    if not is_path(path):
        raise CredentialUnusable(
            parameters.name, f"{key} holds no path", f"It takes the name of a file, not the {what} itself."
        )
    raise CredentialUnusable(
        parameters.name,
        f"its {what} {path} cannot be read ({reason})",
        f"Mend it, or name another in {key}.",
    )
