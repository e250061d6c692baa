"""Receipts (`formats/receipt.md`) and the c2sp.org/tlog-proof@v1 inside them."""

import hmac
import re
from dataclasses import dataclass

from deedbox_sync import canonical_json, commitment, entry, merkle, note
from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.commitment import FIELDS, SALT_LENGTH, Opening
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.note import Checkpoint

# An entry of any allowed size in base64, and 40 KiB for the rest, of which a witnessed checkpoint takes four.
MAX_RECEIPT = 131_072
PROOF_HEADER = "c2sp.org/tlog-proof@v1"

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_MAX_VALUE = 256


@dataclass(frozen=True)
class TlogProof:
    """An entry's place, its path to the root (leaf's sibling first), and the checkpoint as a signed note."""

    index: int
    path: tuple[bytes, ...]
    note: str


@dataclass(frozen=True)
class Receipt:
    """The box's word that an entry is in its log. Openings are kept in the order of their fields' names."""

    entry: bytes
    openings: tuple[Opening, ...]
    index: int
    path: tuple[bytes, ...]
    note: str

    def opening(self, field: str) -> Opening | None:
        return next((opening for opening in self.openings if opening.field == field), None)


def encode_tlog_proof(index: int, path: tuple[bytes, ...], checkpoint: str) -> str:
    """The proof as text. FormatError where it would not be read back as what it was made of."""
    _check_place(index, path)
    hashes = "".join([f"{encode_base64(node)}\n" for node in path])
    text = f"{PROOF_HEADER}\nindex {index}\n{hashes}\n{checkpoint}"
    if len(text) > MAX_RECEIPT:
        raise FormatError("proof", f"is longer than {MAX_RECEIPT}")
    return text


def parse_tlog_proof(text: str) -> TlogProof:
    """The parts of a proof without the optional `extra` line, which nothing authenticates. The note is not parsed."""
    if len(text) > MAX_RECEIPT:
        raise FormatError("proof", f"is longer than {MAX_RECEIPT}")
    head, gap, checkpoint = text.partition("\n\n")
    header, *rest = head.split("\n")
    found = _INDEX.fullmatch(rest[0]) if rest else None
    if not gap or header != PROOF_HEADER or found is None:
        raise FormatError("proof", f"is not a {PROOF_HEADER} with its index")
    index = int(found[1])
    if len(rest) - 1 > merkle.MAX_PATH:
        raise FormatError("proof", "has an index or a path beyond any tree")
    path = tuple([parse_base64(line, where="proof path") for line in rest[1:]])
    _check_place(index, path)
    return TlogProof(index, path, checkpoint)


def _check_place(index: int, path: tuple[bytes, ...]) -> None:
    if not 0 <= index <= merkle.MAX_SIZE or len(path) > merkle.MAX_PATH:
        raise FormatError("proof", "has an index or a path beyond any tree")
    for node in path:
        if len(node) != merkle.HASH_LENGTH:
            raise FormatError("proof path", f"has a hash that is not {merkle.HASH_LENGTH} bytes")


def encode(receipt: Receipt) -> bytes:
    """The receipt's one byte string. FormatError where it would not be read back as what it was made of."""
    openings: dict[str, Json] = {}
    latest = ""
    for opening in receipt.openings:
        if opening.field not in FIELDS or opening.field <= latest:
            raise FormatError("receipt.openings", "are not in order of their fields, each of them known and there once")
        if len(opening.salt) != SALT_LENGTH or len(opening.value) > _MAX_VALUE:
            raise FormatError(f"receipt.openings.{opening.field}", "has a salt or a value of an impossible length")
        openings[opening.field] = {"salt": opening.salt.hex(), "value": opening.value.hex()}
        latest = opening.field
    data = canonical_json.encode(
        {
            "entry": encode_base64(receipt.entry),
            "openings": openings,
            "proof": encode_tlog_proof(receipt.index, receipt.path, receipt.note),
            "v": 1,
        }
    )
    if len(data) > MAX_RECEIPT:
        raise FormatError("receipt", f"has {len(data)} bytes, at most {MAX_RECEIPT} are allowed")
    return data


def parse(data: bytes) -> Receipt:
    """A receipt's parts, none of them verified yet."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_RECEIPT, where="receipt"), "receipt")
    fields.literal("v", 1)
    encoded = fields.base64("entry")
    openings = fields.object("openings")
    opened = tuple(_read_opening(name, openings.object(name)) for name in FIELDS if openings.has(name))
    openings.done()
    proof = parse_tlog_proof(fields.text("proof"))
    fields.done()
    return Receipt(encoded, opened, proof.index, proof.path, proof.note)


def verify_receipt(receipt: Receipt, vkey: str, *, statement: bytes | None, content: bytes | None) -> LogEntry:
    """Checks a receipt against the pinned log key, in the order of the format page, and gives its entry.

    `statement` and `content` are digests that the holder has; None leaves that one unchecked. Whether this log extends
    others that the holder saw is not checked here. FormatError or ProofError names the first step that fails.
    """
    return ReceiptVerifier(vkey).verify(receipt, statement=statement, content=content)


class ReceiptVerifier:
    """`verify_receipt` for many receipts under one key: the signature of a checkpoint that several share, as those of one group
    do, is verified once."""

    def __init__(self, vkey: str) -> None:
        self._vkey = vkey
        self._name = note.parse_vkey(vkey).name
        self._held: tuple[str, Checkpoint] | None = None  # the last note, and the checkpoint that it was found to sign

    def verify(self, receipt: Receipt, *, statement: bytes | None, content: bytes | None) -> LogEntry:
        parsed = entry.parse(receipt.entry)
        checkpoint = self._checkpoint(receipt.note)
        leaf = merkle.leaf_hash(receipt.entry)
        merkle.verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.path, checkpoint.root)
        if parsed.seq != receipt.index:
            raise ProofError("the entry's number is not its place in the log")
        for opening in receipt.openings:
            committed = parsed.commitments.get(opening.field)
            if committed is None:
                raise ProofError(f"the entry commits to no {opening.field}")
            commitment.verify_opening(opening, committed)
        _verify_opened(receipt, "statement", statement)
        _verify_opened(receipt, "content", content)
        return parsed

    def _checkpoint(self, text: str) -> Checkpoint:
        if self._held is not None and self._held[0] == text:
            return self._held[1]
        signed = note.parse_note(text)
        note.verify_note(signed, [self._vkey])
        checkpoint = note.parse_checkpoint(signed.body)
        if checkpoint.origin != self._name:
            raise ProofError("the checkpoint is another log's")
        self._held = text, checkpoint
        return checkpoint


def _verify_opened(receipt: Receipt, field: str, expected: bytes | None) -> None:
    if expected is None:
        return
    opening = receipt.opening(field)
    if opening is None:
        raise ProofError(f"the receipt does not open {field}")
    if not hmac.compare_digest(opening.value, expected):
        raise ProofError(f"the receipt is for another {field}")


def _read_opening(field: str, fields: Fields) -> Opening:
    salt = fields.hex("salt", SALT_LENGTH)
    text = fields.text("value")
    value = fields.hex("value", min(len(text) // 2, _MAX_VALUE))
    fields.done()
    return Opening(field, salt, value)
