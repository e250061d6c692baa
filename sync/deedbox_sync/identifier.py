"""Identifiers that nobody chose, not even who minted them, and their records (`formats/identifier.md`).

No I/O. The proofs need the extra `identifiers`; whether a record's beacon is a true round is `beacon.verify_beacon`'s question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_sync import beacon as beacons
from deedbox_sync import canonical_json, dsse, ecvrf
from deedbox_sync.beacon import CHAIN_LENGTH, SIGNATURE_LENGTH, Beacon
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.ed25519 import problem
from deedbox_sync.errors import FormatError, ProofError

VALUE_LENGTH: Final = 10  # 80 bits of the proof's output
MAX_RECORD: Final = 4_096  # a record has some 800 bytes
MAX_BATCH: Final = 1_000  # records of one call: half a second of one core, and a megabyte of JSON
CONTENT_LENGTH: Final = 32
ISSUER_NOTE_TYPE: Final = "application/vnd.deedbox.issuer+json"

_LABEL: Final = b"deedbox/v1/id\x00"
_DESK_INFO: Final = b"deedbox/v1/vrf"
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_WORTH: Final = {letter: worth for worth, letter in enumerate(_LETTERS)}
_MISREAD: Final = str.maketrans("OIL", "011")
_COUNT: Final = 16  # letters
_READABLE: Final = re.compile(
    r"[Ee][0-9A-Za-z-]{18,40}"
)  # with any or no hyphens; more than 22 of them are none of ours
_NAMESPACE: Final = re.compile(r"[a-z0-9./-]{1,64}")


@dataclass(frozen=True)
class MintRecord:
    """An identifier, in its written form, with all that a verifier needs but the issuer's standing. Not yet verified."""

    id: str
    content: bytes
    beacon: Beacon | None
    namespace: str
    counter: int
    key: bytes
    proof: bytes


@dataclass(frozen=True)
class IssuerNote:
    """Whose statement key vouches for which VRF key."""

    device: UUID
    key: bytes


class Minter:
    """One issuer: a seed and its namespace. That no counter is used twice is for the caller to keep. Any thread may mint."""

    def __init__(self, seed: bytes, namespace: str) -> None:
        self._prover = ecvrf.Prover(seed)
        self.namespace: Final = _checked_namespace(namespace)

    @property
    def key(self) -> bytes:
        return self._prover.public_key

    def mint(self, content: bytes, beacon: Beacon | None, counter: int) -> MintRecord:
        proof = self._prover.prove(encode_input(content, beacon, self.namespace, counter))
        text = format_text(ecvrf.proof_to_hash(proof)[:VALUE_LENGTH])
        return MintRecord(text, content, beacon, self.namespace, counter, self.key, proof)


def mint(seed: bytes, *, content: bytes, beacon: Beacon | None, namespace: str, counter: int) -> MintRecord:
    """One record; who mints many keeps a `Minter`."""
    return Minter(seed, namespace).mint(content, beacon, counter)


def verify_record(record: MintRecord) -> None:
    """ProofError unless the record's key made this identifier of this content, namespace, counter and beacon. Whose key it is,
    and whether the beacon verifies, is not looked at."""
    alpha = encode_input(record.content, record.beacon, record.namespace, record.counter)
    if record.id != format_text(ecvrf.verify(record.key, alpha, record.proof)[:VALUE_LENGTH]):
        raise ProofError("the identifier is not the one that its proof gives")


def encode_input(content: bytes, beacon: Beacon | None, namespace: str, counter: int) -> bytes:
    """What the proof is over."""
    if len(content) != CONTENT_LENGTH:
        raise FormatError("mint record.content", f"is not {CONTENT_LENGTH} bytes")
    if not 0 <= counter <= canonical_json.MAX_INTEGER:
        raise FormatError("mint record.counter", "is no counter")
    known = beacon or Beacon(bytes(CHAIN_LENGTH), 0, bytes(SIGNATURE_LENGTH))
    name = _checked_namespace(namespace).encode("ascii")
    return b"".join(
        (
            _LABEL,
            content,
            known.chain,
            known.round.to_bytes(8),
            known.signature,
            bytes([len(name)]),
            name,
            counter.to_bytes(8),
        )
    )


# --- text


def format_text(value: bytes) -> str:
    """The one written form of 80 bits."""
    if len(value) != VALUE_LENGTH:
        raise FormatError("identifier", f"is not {VALUE_LENGTH} bytes")
    number = int.from_bytes(value)
    letters = "".join(_LETTERS[number >> shift & 31] for shift in range(75, -1, -5))
    return f"E-{letters[:4]}-{letters[4:8]}-{letters[8:12]}-{letters[12:]}-{_check(letters)}"


def parse_text(text: str) -> bytes:
    """The 80 bits of an identifier as people write it. FormatError for other letters or another check number."""
    if not _READABLE.fullmatch(text):
        raise FormatError("identifier", "is not E-XXXX-XXXX-XXXX-XXXX-00")
    read = text[1:].replace("-", "").upper().translate(_MISREAD)
    letters, check = read[:_COUNT], read[_COUNT:]
    if len(read) != _COUNT + 2 or not _WORTH.keys() >= set(letters) or not check.isdigit():
        raise FormatError("identifier", "is not E-XXXX-XXXX-XXXX-XXXX-00")
    if check != _check(letters):
        raise FormatError("identifier", "has a check number that is not its letters': something is mistyped")
    number = 0
    for letter in letters:
        number = number << 5 | _WORTH[letter]
    return number.to_bytes(VALUE_LENGTH)


def normal_text(text: str) -> str:
    """An identifier as people write it, in its written form."""
    return format_text(parse_text(text))


# --- records


def record_members(record: MintRecord) -> dict[str, Json]:
    return {
        "beacon": None if record.beacon is None else beacons.members(record.beacon),
        "content": record.content.hex(),
        "counter": record.counter,
        "id": record.id,
        "key": record.key.hex(),
        "namespace": record.namespace,
        "proof": record.proof.hex(),
        "v": 1,
    }


def encode(record: MintRecord) -> bytes:
    return canonical_json.encode(record_members(record))


def parse(data: bytes) -> MintRecord:
    return read_record(Fields(canonical_json.parse_object(data, limit=MAX_RECORD, where="mint record"), "mint record"))


def read_record(fields: Fields) -> MintRecord:
    """All of `fields` is the record: unknown members are refused, and a key that can be nobody's. Nothing is proven yet."""
    known = fields.optional_object("beacon")
    record = MintRecord(
        id=fields.text("id"),
        content=fields.hex("content", CONTENT_LENGTH),
        beacon=None if known is None else beacons.read(known),
        namespace=fields.text("namespace"),
        counter=fields.integer("counter"),
        key=fields.hex("key", ecvrf.KEY_LENGTH),
        proof=fields.hex("proof", ecvrf.PROOF_LENGTH),
    )
    fields.literal("v", 1)
    fields.done()
    if not is_namespace(record.namespace):
        raise fields.fault("namespace", "is not 1 to 64 characters a-z 0-9 . - /")
    if normal_text(record.id) != record.id:
        raise fields.fault("id", "is not in its written form")
    if what := problem(record.key):
        raise fields.fault("key", what)
    return record


# --- issuers


def is_namespace(text: str) -> bool:
    return _NAMESPACE.fullmatch(text) is not None


def desk_seed(statement_seed: bytes) -> bytes:
    """The VRF seed of a desk, from its statement key's seed: another key, so that no proof is ever a signature."""
    if len(statement_seed) != ecvrf.SEED_LENGTH:
        raise FormatError("statement seed", f"is not {ecvrf.SEED_LENGTH} bytes")
    return HKDF(SHA256(), ecvrf.SEED_LENGTH, None, _DESK_INFO).derive(statement_seed)


def issuer_note(statement_key: Ed25519PrivateKey, device: UUID, vrf_public: bytes) -> bytes:
    """A desk vouches for its VRF key."""
    members: Mapping[str, Json] = {"device": str(device), "key": vrf_public.hex(), "v": 1}
    return dsse.encode(dsse.sign(canonical_json.encode(members), statement_key, ISSUER_NOTE_TYPE), ISSUER_NOTE_TYPE)


def parse_issuer_note(note: bytes) -> IssuerNote:
    """What a note claims: to find the statement key that `verify_issuer_note` then holds it against."""
    payload = dsse.parse(note, ISSUER_NOTE_TYPE).payload
    fields = Fields(canonical_json.parse_object(payload, limit=MAX_RECORD, where="issuer note"), "issuer note")
    told = IssuerNote(fields.uuid("device"), fields.hex("key", ecvrf.KEY_LENGTH))
    fields.literal("v", 1)
    fields.done()
    return told


def verify_issuer_note(note: bytes, statement_public: Ed25519PublicKey) -> IssuerNote:
    """What the note says, once it is known to be signed by this statement key. ProofError otherwise."""
    told = parse_issuer_note(note)
    dsse.verify(dsse.parse(note, ISSUER_NOTE_TYPE), statement_public, ISSUER_NOTE_TYPE)
    if what := problem(told.key):
        raise ProofError(f"the key that the issuer note vouches for {what}")
    return told


def _check(letters: str) -> str:
    """Two digits, such that letters and digits together, read to base 36, leave 1 modulo 97: every change of one letter and
    every swap of two neighbours shows (as in an IBAN)."""
    return f"{98 - int(letters, 36) * 100 % 97:02}"


def _checked_namespace(namespace: str) -> str:
    if not is_namespace(namespace):
        raise FormatError("mint record.namespace", "is not 1 to 64 characters a-z 0-9 . - /")
    return namespace
