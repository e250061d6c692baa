"""The box's answers about statements: canonical JSON, however they are written, and read back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, transfer
from deedbox_sync.errors import FormatError
from deedbox_sync.transfer import MAX_MESSAGE, Problem, Result, State
from sync_samples import assert_strict, counts, digests, mutated, texts

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_in_json = st.dictionaries(texts, anything, max_size=3).map(lambda value: canonical_json.encode(value).decode())
uploads = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
results = st.one_of(
    st.builds(Result, digests, st.just(State.RECEIPTED), receipt=anything | json_in_json),
    st.builds(Result, digests, st.just(State.SEND), upload=uploads, offset=counts),
    st.builds(Result, digests, st.just(State.PROVE), upload=uploads, nonce=digests),
    st.builds(Result, digests, st.sampled_from([State.COMMITTED, State.UNKNOWN])),
    st.builds(
        Result,
        digests,
        st.just(State.REFUSED),
        problem=st.builds(Problem, texts, anything, st.none() | counts),
    ),
)


@given(st.lists(results, max_size=4))
def test_answers_read_back_as_they_were(made: list[Result]) -> None:
    assert transfer.parse_results(transfer.encode_results(made)) == made


@given(st.lists(results, max_size=4))
def test_the_fast_writer_writes_canonical_json(made: list[Result]) -> None:
    encoded = transfer.encode_results(made)
    assert canonical_json.encode(canonical_json.parse(encoded, limit=MAX_MESSAGE)) == encoded


@given(st.data())
def test_mutated_answers_are_refused_or_are_others_own(data: st.DataObject) -> None:
    encoded = transfer.encode_results(data.draw(st.lists(results, max_size=2)))
    assert_strict(transfer.parse_results, transfer.encode_results, data.draw(mutated(encoded)))


def test_a_receipt_that_is_no_text_cannot_be_written() -> None:
    with pytest.raises(FormatError):
        transfer.encode_results([Result(bytes(32), State.RECEIPTED, receipt="\ud800")])
