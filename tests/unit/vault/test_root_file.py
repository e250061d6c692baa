"""root.json: one byte string for each content, and nothing else parses."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.vault.root_file import PreviousRoot, RootFile, encode_root_file, parse_root_file
from deedbox_server.vault.unlock import KeyFileSlot, PassphraseSlot
from deedbox_sync.errors import FormatError

WRAPPED = st.binary(min_size=60, max_size=60)
SLOTS = st.one_of(
    st.builds(KeyFileSlot, WRAPPED),
    st.builds(
        PassphraseSlot,
        salt=st.binary(min_size=16, max_size=16),
        memory_kib=st.integers(128, 1 << 20),
        iterations=st.integers(1, 16),
        lanes=st.integers(1, 16),
        wrapped=WRAPPED,
    ),
)
FILES = st.builds(
    RootFile,
    root=st.uuids(),
    slots=st.lists(SLOTS, min_size=1, max_size=4).map(tuple),
    keys=st.dictionaries(st.sampled_from(["database", "notary", "ca"]), WRAPPED),
    previous=st.none() | st.builds(PreviousRoot, st.uuids(), WRAPPED),
)
SAMPLE = RootFile(UUID(int=1), (KeyFileSlot(bytes(60)), PassphraseSlot(bytes(16), 65536, 3, 4, bytes(60))), {}, None)


@given(FILES)
def test_what_was_written_is_read(file: RootFile) -> None:
    assert parse_root_file(encode_root_file(file)) == file


@given(
    st.binary(max_size=200)
    | FILES.map(encode_root_file).flatmap(lambda data: st.integers(0, len(data)).map(lambda n: data[:n]))
)
def test_anything_else_is_refused_with_one_error(data: bytes) -> None:
    try:
        file = parse_root_file(data)
    except FormatError:
        return
    assert encode_root_file(file) == data


@pytest.mark.parametrize(
    ("member", "value"),
    [("memory_kib", 1 << 21), ("memory_kib", 1), ("iterations", 17), ("iterations", 0), ("lanes", 17), ("lanes", 0)],
)
def test_a_changed_file_cannot_ask_for_more_than_the_limits(member: str, value: int) -> None:
    members = json.loads(encode_root_file(SAMPLE))
    members["slots"][1][member] = value
    with pytest.raises(FormatError, match=member):
        parse_root_file(_canonical(members))


def test_unknown_members_slots_and_versions_are_refused() -> None:
    for change in ({"v": 2}, {"more": 1}, {"slots": []}, {"slots": [{"kind": "tpm2"}]}, {"previous": 1}, {"root": "1"}):
        with pytest.raises(FormatError):
            parse_root_file(_canonical(json.loads(encode_root_file(SAMPLE)) | change))


def _canonical(members: object) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
