"""A job holds ids only."""

import uuid

import pytest

from deedbox_server.jobs import Handlers, Ids, JobContext, JobDraft
from deedbox_server.jobs.work import decode_ids, encode_ids

SUBJECT = uuid.UUID(int=1)


@pytest.mark.parametrize(
    "ids",
    [{}, {"exhibit": str(SUBJECT)}, {"page": 4, "pages": [1, 2, 3]}, {"digest": "ab" * 32, "form": "text.ocr"}],
    ids=repr,
)
def test_ids_survive_the_row(ids: Ids) -> None:
    assert decode_ids(encode_ids(ids)) == ids


@pytest.mark.parametrize(
    "args",
    [
        {"name": "Letter to Mr Smith.pdf"},
        {"path": "a/b"},
        {"text": ""},
        {"x" * 65: 1},
        {"n": "x" * 129},
        {"n": ["ok", "not ok"]},
    ],
    ids=repr,
)
def test_names_and_contents_are_refused(args: Ids) -> None:
    with pytest.raises(ValueError, match="ids only"):
        JobDraft("read", SUBJECT, args)


@pytest.mark.parametrize("kind", ["", "Read", "read it", "x" * 65])
def test_a_kind_is_a_short_lower_case_name(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        JobDraft(kind, SUBJECT)


def test_a_dedup_is_made_of_ids() -> None:
    with pytest.raises(ValueError, match="dedup"):
        JobDraft("read", SUBJECT, dedup="Letter to Mr Smith")


def test_a_kind_has_one_handler() -> None:
    async def work(context: JobContext) -> None:
        return None

    handlers = Handlers()
    handlers.register("read", work)
    with pytest.raises(ValueError, match="has a handler"):
        handlers.register("read", work)
    assert handlers.kinds == ("read",)
