"""The key or token of a connection: what the connector is handed, and a sentence for each thing wrong."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from ingest.connection_files import ConnectionParameters
from ingest.credentials import for_connector
from ingest.errors import CredentialUnusable
from tests.keys import key_pair

PAIR = key_pair("service")


def parameters(**said: Any) -> ConnectionParameters:
    found = ConnectionParameters({"account": "a", "user": "svc", **said})
    found.name = "prod"
    return found


def with_key(**said: Any) -> ConnectionParameters:
    return parameters(authenticator="SNOWFLAKE_JWT", **said)


def refusal(found: ConnectionParameters) -> str:
    with pytest.raises(CredentialUnusable) as caught:
        for_connector(found)
    assert not caught.value.transient
    message = str(caught.value)
    assert message.startswith("Connection 'prod' cannot log in: ")
    assert "\n" not in message
    return message.removeprefix("Connection 'prod' cannot log in: ")


def same_key(der: bytes) -> bool:
    key = load_der_private_key(der, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.private_numbers() == PAIR.key.private_numbers()


@pytest.mark.parametrize("passphrase", [None, "ouvre-toi"])
def test_key_of_a_file_is_handed_over_opened(tmp_path: Path, passphrase: str | None) -> None:
    file = PAIR.write(tmp_path / "key.p8", passphrase)
    said = {"private_key_passphrase": passphrase} if passphrase else {}
    handed = for_connector(with_key(private_key_file=str(file), **said))
    assert same_key(handed.pop("private_key"))
    assert handed == {"account": "a", "user": "svc", "authenticator": "SNOWFLAKE_JWT"}


def test_key_may_stand_in_the_environment_itself() -> None:
    assert same_key(for_connector(with_key(private_key_raw=PAIR.pem()))["private_key"])


def test_file_of_a_key_counts_before_the_key_itself(tmp_path: Path) -> None:
    file = PAIR.write(tmp_path / "key.p8")
    found = with_key(private_key_file=str(file), private_key_raw=key_pair("other").pem())
    assert same_key(for_connector(found)["private_key"])


def test_passphrase_of_a_key_that_is_not_encrypted_is_left_alone(tmp_path: Path) -> None:
    file = PAIR.write(tmp_path / "key.p8")
    assert same_key(
        for_connector(with_key(private_key_file=str(file), private_key_passphrase="x"))["private_key"]
    )


def test_token_of_a_file_is_handed_over_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("ey.x.y\n")
    handed = for_connector(parameters(authenticator="oauth", token="old", token_file_path=str(file)))
    assert handed == {"account": "a", "user": "svc", "authenticator": "oauth", "token": "ey.x.y"}


def test_password_is_handed_over_as_it_is() -> None:
    assert for_connector(parameters(password="p")) == {"account": "a", "user": "svc", "password": "p"}


def test_key_file_that_is_missing_is_said(tmp_path: Path) -> None:
    assert refusal(with_key(private_key_file=str(tmp_path / "no.p8"))) == (
        f"its private key {tmp_path}/no.p8 cannot be read (No such file or directory). "
        "Mend it, or name another in private_key_file."
    )


def test_key_file_that_is_a_folder_is_said(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refusal(with_key(private_key_file=str(tmp_path)))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("private_key_file", {"authenticator": "SNOWFLAKE_JWT", "private_key_file": PAIR.pem()}),
        ("token_file_path", {"authenticator": "OAUTH", "token_file_path": PAIR.token(sub="svc")}),
        ("token_file_path", {"authenticator": "OAUTH", "token_file_path": "a\0b"}),
    ],
)
def test_secret_in_the_place_of_a_path_is_said_and_not_shown(key: str, said: dict[str, str]) -> None:
    found = parameters(**said)
    assert f"{key} holds no path. It takes the name of a file" in refusal(found)
    with pytest.raises(CredentialUnusable) as caught:
        for_connector(found)
    assert said[key] not in f"{found}{caught.value}{caught.value.__context__}"


def test_key_file_of_another_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PAIR.write(tmp_path / "key.p8")

    def not_yours(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    # chmod 000 would not stop root, who runs tests in containers.
    monkeypatch.setattr(Path, "read_bytes", not_yours)
    assert "cannot be read (Permission denied)" in refusal(with_key(private_key_file=str(file)))


def test_wrong_passphrase_is_said(tmp_path: Path) -> None:
    file = PAIR.write(tmp_path / "key.p8", "ouvre-toi")
    message = refusal(with_key(private_key_file=str(file), private_key_passphrase="ferme-toi"))
    assert (
        message == f"its private key {file} does not open with this passphrase. Check PRIVATE_KEY_PASSPHRASE."
    )


@pytest.mark.parametrize("passphrase", [None, ""])
def test_missing_passphrase_is_said(tmp_path: Path, passphrase: str | None) -> None:
    file = PAIR.write(tmp_path / "key.p8", "ouvre-toi")
    message = refusal(with_key(private_key_file=str(file), private_key_passphrase=passphrase))
    assert (
        message
        == f"its private key {file} is encrypted and there is no passphrase. Set PRIVATE_KEY_PASSPHRASE."
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"ssh-ed25519 AAAA", b"-----BEGIN PUBLIC KEY-----\n"])
def test_what_is_no_private_key_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(content)
    assert "is not in PKCS #8. Make it so: openssl pkcs8" in refusal(with_key(private_key_file=str(file)))


def test_old_format_of_a_key_is_said_as_the_snow_cli_does(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(PAIR.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert "is not in PKCS #8" in refusal(with_key(private_key_file=str(file)))


@pytest.mark.parametrize("passphrase", [None, "ouvre-toi"])
def test_damaged_key_is_said_without_its_content(tmp_path: Path, passphrase: str | None) -> None:
    lines = PAIR.pem(passphrase).splitlines()
    file = tmp_path / "key.p8"
    file.write_text("\n".join([*lines[:3], *lines[5:]]))
    message = refusal(with_key(private_key_file=str(file), private_key_passphrase=passphrase))
    assert "is damaged" in message or "does not open" in message
    assert not any(line in message for line in lines[1:-1])


def test_key_without_its_authenticator_is_said(tmp_path: Path) -> None:
    file = PAIR.write(tmp_path / "key.p8")
    assert 'Set authenticator = "SNOWFLAKE_JWT"' in refusal(parameters(private_key_file=str(file)))


def test_authenticator_without_its_key_is_said() -> None:
    assert "Set private_key_file" in refusal(with_key())


def test_oauth_without_a_token_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "token"
    empty.write_text("\n")
    for said in ({}, {"token": ""}, {"token_file_path": str(empty)}):
        assert "OAUTH needs a token and there is none" in refusal(parameters(authenticator="OAUTH", **said))
    missing = parameters(authenticator="OAUTH", token_file_path="nowhere")
    assert refusal(missing) == (
        "its token nowhere cannot be read (No such file or directory). "
        "Mend it, or name another in token_file_path."
    )
