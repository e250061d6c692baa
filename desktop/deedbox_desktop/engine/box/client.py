"""The box over HTTPS: each request of formats/transfer.md as one method."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from deedbox_desktop.engine.box.https import Body, HttpsPeer
from deedbox_desktop.engine.errors import BoxUnintelligible
from deedbox_desktop.engine.model import Reconciled
from deedbox_sync import canonical_json, hello, identifier, timestamp, transfer
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.device_certificate import parse_certificate, verify_authority, verify_listener_certificate
from deedbox_sync.errors import FormatError, SyncError
from deedbox_sync.hello import Hello, LogAnswer
from deedbox_sync.identifier import MintRecord
from deedbox_sync.transfer import BatchItem, Closing, PossessionProof, Result

_API = "/device/v1"
_MOST_OFFSET = 256
_MOST_RECONCILED = 1024  # two identifiers, a word, and a sentence where there is a problem
_MOST_PROBLEM = 500  # characters that are kept of that sentence
_MOST_RESULT = 131_072 + 4096  # a receipt and what is around it


class HttpsBox:
    """Implements `Box`. What does not parse, or answers another question, is BoxUnintelligible. `ca`: PEM, as pinned."""

    def __init__(self, peer: HttpsPeer, ca: str) -> None:
        self._peer = peer
        self._ca = ca

    def hello(self) -> Hello:
        data = self._peer.request("GET", f"{_API}/hello", limit=transfer.MAX_MESSAGE)
        try:
            said = hello.parse_hello(data)
            box_time = timestamp.parse(said.box_time, where="hello.box.time")
        except FormatError as error:
            raise _unintelligible(error) from error
        verify_dates(self._peer, self._ca, box_time)
        return said

    def log(self, checkpoint: str | None) -> LogAnswer:
        data = self._peer.request("POST", f"{_API}/log", hello.encode_log_request(checkpoint), limit=hello.MAX_LOG)
        try:
            return hello.parse_log_answer(data)
        except FormatError as error:
            raise _unintelligible(error) from error

    def offers(self, envelopes: Sequence[bytes]) -> list[Result]:
        return self._results("offers", transfer.encode_offers(envelopes), len(envelopes))

    def statements(self, closings: Sequence[Closing]) -> list[Result]:
        return self._results("statements", transfer.encode_closings(closings), len(closings))

    def batch(self, items: Sequence[BatchItem]) -> list[Result]:
        return self._results("batch", transfer.encode_batch(items), len(items), kind=transfer.BATCH_TYPE)

    def possession(self, proofs: Sequence[PossessionProof]) -> list[Result]:
        return self._results("possession", transfer.encode_proofs(proofs), len(proofs))

    def receipts(self, digests: Sequence[bytes], wait: int) -> list[Result]:
        return self._results("receipts", transfer.encode_receipts_request(digests, wait), len(digests))

    def reconcile(self, records: Sequence[MintRecord], issuer_note: bytes) -> list[Reconciled]:
        members: dict[str, Json] = {
            "issuer_note": encode_base64(issuer_note),
            "records": [identifier.record_members(record) for record in records],
        }
        limit = _MOST_RECONCILED * len(records) + _MOST_OFFSET
        data = self._peer.request("POST", f"{_API}/reconcile", canonical_json.encode(members), limit=limit)
        return _reconciled(data)

    def create_upload(self, upload: str, case: UUID, size: int) -> int:
        body = canonical_json.encode({"case": str(case), "size": size})
        return _offset(self._peer.request("POST", f"{_API}/uploads/{upload}", body, limit=_MOST_OFFSET))

    def put(self, upload: str, offset: int, length: int, pieces: Iterator[memoryview]) -> int:
        path = f"{_API}/uploads/{upload}?offset={offset}"
        kind = "application/octet-stream"
        return _offset(self._peer.request("PUT", path, Body(length, pieces), kind=kind, limit=_MOST_OFFSET))

    def forget_upload(self, upload: str) -> None:
        self._peer.request("DELETE", f"{_API}/uploads/{upload}", limit=_MOST_OFFSET)

    def _results(self, path: str, body: bytes, count: int, kind: str = "application/json") -> list[Result]:
        limit = _MOST_RESULT * max(1, count)
        data = self._peer.request("POST", f"{_API}/{path}", body, kind=kind, limit=limit)
        try:
            results = transfer.parse_results(data)
        except FormatError as error:
            raise _unintelligible(error) from error
        if len(results) != count:
            raise BoxUnintelligible(f"The box answered about {len(results)} of {count} statements.")
        return results


def verify_dates(peer: HttpsPeer, ca: str, box_time: datetime) -> None:
    """The box's certificates must be valid by its own clock; this computer's may be off. BoxUnintelligible if they are not."""
    try:
        authority = parse_certificate(ca, where="CA certificate")
        verify_authority(authority, now=box_time)
        verify_listener_certificate(peer.peer_certificate(), authority=authority, now=box_time)
    except SyncError as error:
        raise BoxUnintelligible(f"By the box's own clock its certificate is not right ({error}).") from error


def _reconciled(data: bytes) -> list[Reconciled]:
    try:
        said = json.loads(data)
        results = Fields(said if isinstance(said, dict) else {}, "answer").objects("results")
        return [_one_reconciled(one) for one in results]
    except (FormatError, ValueError, RecursionError) as error:
        raise BoxUnintelligible("The box's answer about identifiers cannot be understood.") from error


def _one_reconciled(fields: Fields) -> Reconciled:
    state, problem = fields.text("state"), fields.optional_text("problem")
    if state == "refused":
        return Reconciled(fields.text("id"), None, (problem or "no reason told")[:_MOST_PROBLEM])
    return Reconciled(fields.text("id"), identifier.normal_text(fields.text("canonical")), None)


def _offset(data: bytes) -> int:
    try:
        fields = Fields(canonical_json.parse_object(data, limit=_MOST_OFFSET, where="upload answer"), "upload answer")
        offset = fields.integer("offset")
        fields.done()
    except FormatError as error:
        raise _unintelligible(error) from error
    return offset


def _unintelligible(error: FormatError) -> BoxUnintelligible:
    return BoxUnintelligible(f"The box's answer cannot be understood ({error}).")
