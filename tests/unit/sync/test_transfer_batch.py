"""A batch is a row of lengths and bytes: exact both ways, bounded, and whatever else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import transfer
from deedbox_sync.errors import FormatError
from deedbox_sync.transfer import MAX_BATCH_ITEMS, MAX_INLINE_BYTES, BatchItem
from sync_samples import mutated

items = st.lists(st.builds(BatchItem, st.binary(min_size=1, max_size=20), st.binary(max_size=20)), max_size=5)


def held(parsed: list[BatchItem]) -> list[BatchItem]:
    return [BatchItem(item.envelope, bytes(item.content)) for item in parsed]


@given(items)
def test_a_batch_reads_back_as_itself(made: list[BatchItem]) -> None:
    assert held(transfer.parse_batch(transfer.encode_batch(made))) == made


@given(st.data())
def test_mutated_batches_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    changed = data.draw(mutated(transfer.encode_batch(data.draw(items))))
    try:
        parsed = transfer.parse_batch(changed)
    except FormatError:
        return
    assert transfer.encode_batch(parsed) == changed


@given(items.filter(bool), st.data())
def test_a_batch_that_was_cut_is_refused(made: list[BatchItem], data: st.DataObject) -> None:
    whole = transfer.encode_batch(made)
    ends = {len(transfer.encode_batch(made[:count])) for count in range(len(made) + 1)}
    cut = data.draw(st.integers(0, len(whole)).filter(lambda length: length not in ends))
    with pytest.raises(FormatError, match="ends inside"):
        transfer.parse_batch(whole[:cut])


def test_contents_are_not_copied_and_cannot_be_changed() -> None:
    whole = bytearray(transfer.encode_batch([BatchItem(b"e", b"content")]))
    (item,) = transfer.parse_batch(whole)
    assert isinstance(item.content, memoryview)
    assert item.content.obj is whole
    assert item.content.readonly


def test_every_limit_holds() -> None:
    small = BatchItem(b"e", b"")
    assert len(transfer.parse_batch(transfer.encode_batch([small] * MAX_BATCH_ITEMS))) == MAX_BATCH_ITEMS
    assert transfer.parse_batch(transfer.encode_batch([BatchItem(b"e", bytes(MAX_INLINE_BYTES))]))
    for broken, why in (
        (transfer.encode_batch([small] * (MAX_BATCH_ITEMS + 1)), "more than"),
        (transfer.encode_batch([BatchItem(b"e", bytes(MAX_INLINE_BYTES + 1))]), "at most"),
        (transfer.encode_batch([BatchItem(bytes(transfer.MAX_ENVELOPE + 1), b"")]), "at most"),
        (transfer.encode_batch([BatchItem(b"", b"")]), "no envelope"),
        (bytes(transfer.MAX_BATCH_BYTES + 1), "larger than"),
    ):
        with pytest.raises(FormatError, match=why):
            transfer.parse_batch(broken)
