"""Encryption at rest, and its keys."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr, ValidationError

from services.ingest.settings import Settings
from services.ingest.store.cipher import Cipher

FIRST, SECOND, THIRD = (SecretStr(urlsafe_b64encode(bytes([byte]) * 32).decode()) for byte in (1, 2, 3))


def settings(keys: str) -> Settings:
    required = {"database_url": "postgresql://u@127.0.0.1/d", "internal_token": "t" * 16, "secret_key": FIRST}
    return Settings.model_validate({**required, "further_secret_keys": keys})


def test_the_first_key_encrypts_and_all_keys_decrypt() -> None:
    by_first, by_second = Cipher(FIRST).encrypt(b"content", "row"), Cipher(SECOND).encrypt(b"content", "row")
    both = Cipher(SECOND, [FIRST])
    assert [both.decrypt(one, "row") for one in (by_first, by_second)] == [b"content", b"content"]
    assert Cipher(SECOND).decrypt(both.encrypt(b"content", "row"), "row") == b"content"


@pytest.mark.parametrize("cipher", [Cipher(SECOND), Cipher(SECOND, [THIRD])])
def test_another_key_does_not_decrypt(cipher: Cipher) -> None:
    with pytest.raises(InvalidTag):
        cipher.decrypt(Cipher(FIRST).encrypt(b"content", "row"), "row")


def test_a_ciphertext_of_one_row_is_not_decrypted_as_that_of_another_under_any_key() -> None:
    for key in (FIRST, SECOND):
        with pytest.raises(InvalidTag):
            Cipher(SECOND, [FIRST]).decrypt(Cipher(key).encrypt(b"content", "row"), "other")


def test_renewing_encrypts_under_the_first_key_what_a_further_one_encrypts_and_nothing_else() -> None:
    both = Cipher(SECOND, [FIRST])
    renewed = both.renew(Cipher(FIRST).encrypt(b"content", "row"), "row")
    assert renewed
    assert Cipher(SECOND).decrypt(renewed, "row") == b"content"
    assert both.renew(renewed, "row") is None
    with pytest.raises(InvalidTag):
        both.renew(Cipher(THIRD).encrypt(b"content", "row"), "row")


def test_further_keys_are_a_list() -> None:
    pair = f"{SECOND.get_secret_value()}, {THIRD.get_secret_value()}"
    assert list(settings(pair).decrypting_keys) == [SECOND, THIRD]
    assert list(settings("").decrypting_keys) == []


@pytest.mark.parametrize("wrong", ["c2VjcmV0", f"{SECOND.get_secret_value()},short", "!"])
def test_a_further_key_of_another_length_is_refused_without_its_value(wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(wrong)
    assert wrong not in str(raised.value)


def test_several_contents_are_encrypted_at_once_each_for_its_owner() -> None:
    cipher = Cipher(FIRST)
    contents, owners = [b"same", b"same", b"other"], ["1", "2", "3"]
    encrypted = cipher.encrypt_all(contents, owners)
    assert [cipher.decrypt(one, owner) for one, owner in zip(encrypted, owners, strict=True)] == contents
    assert len({*encrypted}) == 3
    with pytest.raises(InvalidTag):
        cipher.decrypt(encrypted[0], "2")
