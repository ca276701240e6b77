"""Canonical JSON and signatures: what is signed, and every change of it that must show."""

import base64
import json

import pytest

from memferry.errors import Invalid, WrongManifest
from memferry.files.canonical_json import decode_strict, encode_canonical
from memferry.files.manifest import open_manifest, seal_manifest
from memferry.files.signature import PublicKey, SigningKey

KEY = SigningKey(bytes(range(32)))
DOCUMENT = {"memferry": {"export": "01H", "rows": 3}, "name": "é \u2028 \x7f \x01 \U0001f642"}


def test_the_canonical_form_is_that_of_sorted_keys_without_white_space() -> None:
    value = {"b": [1, True, None, '\n\x1f"\\/'], "B": {"$z": -1, "a": "é"}, "a": {}}
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert encode_canonical(value) == expected.encode()


@pytest.mark.parametrize(
    "value", [1.5, 2**53, -(2**53), float("nan"), {"é": 1}, "\ud800", b"x", object()]
)
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode_canonical({"value": [value]})


@pytest.mark.parametrize(
    "text", [b'{"a":1,"a":2}', b"[" * 100_000, b'{"a":1.0}', b'{"a":NaN}', b"\xff", b"", b"{"]
)
def test_json_that_two_readers_could_see_differently_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_strict(text)


def test_a_sealed_manifest_opens_with_its_key() -> None:
    opened = open_manifest(seal_manifest(DOCUMENT, KEY))

    assert opened.key == KEY.public


def test_white_space_and_the_order_of_keys_change_neither_signature_nor_digest() -> None:
    text = seal_manifest(DOCUMENT, KEY)
    shuffled = json.dumps(dict(reversed(json.loads(text).items())), indent=2).encode()

    assert open_manifest(shuffled) == open_manifest(text)


def test_a_manifest_with_any_byte_changed_does_not_open() -> None:
    text = seal_manifest(DOCUMENT, KEY)

    for place in range(len(text)):
        changed = bytearray(text)
        changed[place] ^= 1
        with pytest.raises(WrongManifest):
            open_manifest(bytes(changed))


def test_a_manifest_signed_by_somebody_else_names_somebody_elses_key() -> None:
    forged = seal_manifest(DOCUMENT, SigningKey(b"x" * 32))

    assert open_manifest(forged).key != KEY.public


@pytest.mark.parametrize("text", [b"null", b"[]", b"{}", b'{"signature":{}}', b'{"signature":1}'])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(WrongManifest, match="no manifest"):
        open_manifest(text)


def test_a_public_key_is_read_as_pem_and_as_base64() -> None:
    assert PublicKey.read("key", f"a comment\n{KEY.public.pem}") == KEY.public
    assert PublicKey.read("key", f" {KEY.public.text}\n") == KEY.public


@pytest.mark.parametrize(
    "text", ["", "x", base64.b64encode(b"short").decode(), KEY.public.pem.replace("MC", "MD")]
)
def test_what_is_no_public_key_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(Invalid, match=r"^key: "):
        PublicKey.read("key", text)


def test_no_repr_of_a_signing_key_shows_it() -> None:
    assert bytes(range(32)).hex() not in repr(vars(KEY)) + repr(KEY)
