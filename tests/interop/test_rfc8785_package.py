"""Canonical JSON against the rfc8785 package: two writers, one byte string."""

import json

import rfc8785
from hypothesis import given

from deedbox_sync import canonical_json, statement
from deedbox_sync.canonical_json import Json
from deedbox_sync.statement import MAX_ENVELOPE, CaptureStatement
from sync_samples import capture_statements, json_values


@given(json_values)
def test_both_write_the_same_bytes(value: Json) -> None:
    assert canonical_json.encode(value) == rfc8785.dumps(value)


@given(json_values)
def test_we_read_what_it_writes(value: Json) -> None:
    assert canonical_json.parse(rfc8785.dumps(value), limit=1 << 20) == value


@given(capture_statements())
def test_a_statement_is_what_it_would_write(made: CaptureStatement) -> None:
    payload = statement.encode_payload(made)
    assert len(payload) <= MAX_ENVELOPE
    assert rfc8785.dumps(json.loads(payload)) == payload
