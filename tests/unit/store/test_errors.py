"""Each error of the box is one problem document."""

import re

import deedbox_server.database.errors  # noqa: F401 - its errors count too
from deedbox_server import errors
from deedbox_server.errors import DeedboxError


def every_error(root: type[DeedboxError] = DeedboxError) -> list[type[DeedboxError]]:
    return [root, *(error for child in root.__subclasses__() for error in every_error(child))]


def test_each_has_a_slug_a_status_and_a_title() -> None:
    for error in every_error():
        assert re.fullmatch(r"[a-z][a-z-]+", error.slug)
        assert 400 <= error.status <= 599
        assert error.title
        assert not error.title.endswith(".")


def test_the_transfer_pages_slugs_have_their_statuses() -> None:
    page = {
        "bad-statement": 422,
        "bad-signature": 422,
        "wrong-device": 422,
        "unknown-case": 422,
        "hash-mismatch": 422,
        "size-mismatch": 422,
        "journal-gap": 409,
        "journal-conflict": 409,
        "offset-mismatch": 409,
        "log-behind": 409,
        "disk-full": 507,
        "log-suspended": 503,
        "device-revoked": 403,
    }
    known = {error.slug: error.status for error in every_error()}
    assert page.items() <= known.items()


def test_members_of_the_document_travel_with_the_error() -> None:
    assert errors.OffsetMismatch(42).extra == {"offset": 42}
    assert errors.JournalGap(7).extra == {"expected": 7}
    problem = errors.Conflict("it is closed", state="closed")
    assert (problem.detail, str(problem), problem.extra) == ("it is closed", "it is closed", {"state": "closed"})
    assert str(errors.NotFound()) == "Nothing is here"
