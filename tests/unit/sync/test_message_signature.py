"""Signed calls: one profile of RFC 9421, each of its members bound (formats/message-signature.md)."""

import base64
import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import message_signature
from deedbox_sync.errors import FormatError, ProofError

KEY_TEXT = "dbx_0011aabbccdd_" + "A" * 43
KEY = message_signature.message_key(KEY_TEXT)
KEY_ID = UUID("0198c0de-0000-7000-8000-000000000001")
NONCE = "AAECAwQFBgcICQoLDA0ODw"
BODY = b'{"items":[]}'
CREATED = 1_763_640_000
HEADERS = message_signature.sign(
    "POST", "/api/v2/chittyid/mint", "a=b", hashlib.sha256(BODY).digest(), KEY_ID, KEY, CREATED, NONCE
)


def parse(headers: dict[str, str]) -> message_signature.Signed:
    return message_signature.parse(*([value] for value in headers.values()))


def verify(
    headers: dict[str, str] = HEADERS,
    *,
    method: str = "POST",
    path: str = "/api/v2/chittyid/mint",
    query: str = "a=b",
    body: bytes = BODY,
    key: bytes = KEY,
) -> None:
    digest = hashlib.sha256(body).digest()
    message_signature.verify(parse(headers), method=method, path=path, query=query, body_digest=digest, key=key)


def test_a_signed_call_verifies() -> None:
    signed = parse(HEADERS)
    assert (signed.key_id, signed.created, signed.nonce) == (KEY_ID, CREATED, NONCE)
    verify()


def test_the_headers_are_those_that_rfc_9421_gives() -> None:
    """Made here by hand from the RFC's rules: 2.2 (components), 2.5 (base), 3.3.3 (HMAC), RFC 9530 (digest), RFC 5869 (key)."""
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(BODY).digest()).decode() + ":"
    parameters = (
        '("@method" "@path" "@query" "content-digest");created=1763640000;nonce="AAECAwQFBgcICQoLDA0ODw";'
        'keyid="0198c0de-0000-7000-8000-000000000001";alg="hmac-sha256"'
    )
    base = (
        '"@method": POST\n"@path": /api/v2/chittyid/mint\n"@query": ?a=b\n'
        f'"content-digest": {digest}\n"@signature-params": {parameters}'
    )
    extracted = hmac.digest(bytes(32), KEY_TEXT.encode(), "sha256")
    key = hmac.digest(extracted, b"deedbox/v1/message\x01", "sha256")
    value = base64.b64encode(hmac.digest(key, base.encode(), "sha256")).decode()
    assert {
        "Content-Digest": digest,
        "Signature-Input": f"deedbox={parameters}",
        "Signature": f"deedbox=:{value}:",
    } == HEADERS


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "GET"},
        {"path": "/api/v2/chittyid/reconcile"},
        {"query": ""},
        {"query": "a=c"},
        {"body": b""},
        {"body": BODY + b" "},
        {"key": bytes(32)},
    ],
    ids=str,
)
def test_any_change_of_the_request_is_seen(changed: dict[str, object]) -> None:
    with pytest.raises(ProofError):
        verify(**changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("created=1763640000", "created=1763640001"),
        (NONCE, NONCE[:-1] + "A"),
        (str(KEY_ID), str(UUID(int=KEY_ID.int + 1))),
    ],
    ids=["created", "nonce", "keyid"],
)
def test_any_change_of_the_parameters_is_seen(old: str, new: str) -> None:
    headers = HEADERS | {"Signature-Input": HEADERS["Signature-Input"].replace(old, new)}
    assert headers != HEADERS
    with pytest.raises(ProofError):
        verify(headers)


def test_another_digest_header_is_seen_with_and_without_its_body() -> None:
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    headers = HEADERS | {"Content-Digest": f"sha-256=:{other}:"}
    with pytest.raises(ProofError):
        verify(headers)
    with pytest.raises(ProofError):
        verify(headers, body=b"other")


def form(header: str, old: str, new: str) -> dict[str, str]:
    changed = HEADERS | {header: HEADERS[header].replace(old, new)}
    assert changed != HEADERS
    return changed


@pytest.mark.parametrize(
    "headers",
    [
        form("Signature-Input", "deedbox=", "sig1="),
        form("Signature-Input", '"@method" ', ""),
        form("Signature-Input", '"@method" "@path"', '"@path" "@method"'),
        form("Signature-Input", ' "content-digest"', ""),
        form("Signature-Input", ';alg="hmac-sha256"', ""),
        form("Signature-Input", "hmac-sha256", "ed25519"),
        form("Signature-Input", "created=1763640000;", ""),
        form("Signature-Input", "created=", "expires=1;created="),
        form("Signature-Input", "created=1763640000", "created=-1"),
        form("Signature-Input", "created=1763640000", "created=01763640000"),
        form("Signature-Input", "created=1763640000", "created=1763640000.0"),
        form("Signature-Input", NONCE, NONCE + "A"),
        form("Signature-Input", NONCE, ""),
        form("Signature-Input", str(KEY_ID), str(KEY_ID).upper()),
        form("Signature-Input", str(KEY_ID), "-" * 36),
        form("Signature-Input", ";created", "; created"),
        form("Signature-Input", '"hmac-sha256"', '"hmac-sha256", other=()'),
        form("Signature", "deedbox=", "sig1="),
        form("Signature", "=:", "=:AA"),
        form("Signature", "deedbox", ", deedbox"),
        form("Content-Digest", "sha-256", "sha-512"),
        form("Content-Digest", "sha-256=", "md5=:AA==:, sha-256="),
    ],
)
def test_any_other_form_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        parse(headers)


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("times", [0, 2])
def test_each_header_is_there_once(at: int, times: int) -> None:
    values = [[value] for value in HEADERS.values()]
    values[at] *= times
    with pytest.raises(FormatError):
        message_signature.parse(*values)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_any_headers_are_read_or_refused(digest: str, parameters: str, signature: str) -> None:
    with pytest.raises(FormatError):
        message_signature.parse([digest], [parameters], [signature])


def test_an_empty_body_has_a_digest_and_no_query_is_a_question_mark() -> None:
    digest = message_signature.body_digest(b"")
    headers = message_signature.sign("GET", "/p", "", digest, KEY_ID, KEY, CREATED, message_signature.new_nonce())
    assert headers["Content-Digest"] == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert b'"@query": ?\n' in message_signature.signature_base(parse(headers), "GET", "/p", "")
    verify(headers, method="GET", path="/p", query="", body=b"")


def test_nonces_differ() -> None:
    assert len({message_signature.new_nonce() for _ in range(100)}) == 100


def test_what_cannot_be_in_a_request_line_is_refused() -> None:
    with pytest.raises(FormatError):
        message_signature.sign("GET", "/ä", "", bytes(32), KEY_ID, KEY, CREATED, NONCE)


def test_no_signature_is_made_that_its_reader_would_refuse() -> None:
    with pytest.raises(FormatError):
        message_signature.sign("GET", "/", "", bytes(32), KEY_ID, KEY, CREATED, "short")
