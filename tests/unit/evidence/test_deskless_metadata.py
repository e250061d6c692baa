"""What a sender without a desk may say of its file, and what becomes of names that no statement could hold."""

import base64
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import BadRequest
from deedbox_server.evidence.upload_metadata import (
    MAX_LABELS,
    UploadFacts,
    clean_name,
    encode_metadata,
    parse_metadata,
    read_facts,
)
from deedbox_server.web import tus_headers
from deedbox_sync.errors import FormatError
from deedbox_sync.file_facts import readable_name

CASE = UUID(int=7)
PAIRS = {"case": str(CASE).encode()}

names = st.text(string.ascii_letters + string.digits + "!#+-.~_", min_size=1, max_size=12)


# --- Upload-Metadata


@given(st.dictionaries(names, st.binary(max_size=60), max_size=6))
def test_metadata_is_read_as_it_was_written(pairs: dict[str, bytes]) -> None:
    assert parse_metadata(encode_metadata(pairs)) == pairs


@given(st.text(max_size=80))
def test_any_header_is_metadata_or_a_format_error(header: str) -> None:
    try:
        pairs = parse_metadata(header)
    except FormatError:
        return
    assert parse_metadata(encode_metadata(pairs)) == pairs


@pytest.mark.parametrize("header", ["", " ", "   "])
def test_no_metadata_is_none(header: str) -> None:
    assert parse_metadata(header) == {}


def test_pairs_may_have_spaces_around_them_and_no_value() -> None:
    assert parse_metadata("a QQ==, flag ,b ") == {"a": b"A", "flag": b"", "b": b""}


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("a QQ==,a Qg==", "twice"),
        ("a QQ", "base64"),
        ("a QR==", "canonical"),
        ("a Q Q=", "base64"),
        ("a QQ==,", "name"),
        (",", "name"),
        ("ä QQ==", "name"),
        ("a" * 9_000, "at most"),
    ],
)
def test_metadata_that_breaks_the_form_is_refused(header: str, what: str) -> None:
    with pytest.raises(FormatError, match=what):
        parse_metadata(header)


# --- what is read from it


def test_only_the_case_is_required() -> None:
    assert read_facts(PAIRS) == UploadFacts(CASE, b"unnamed", None, ())


@pytest.mark.parametrize("case", [b"", b"7", str(CASE).encode() + b"0", CASE.hex.encode(), b"\xff" * 36])
def test_a_case_is_a_uuid(case: bytes) -> None:
    with pytest.raises(FormatError, match="case"):
        read_facts({"case": case})


def test_a_missing_case_is_named() -> None:
    with pytest.raises(FormatError, match="case: is missing"):
        read_facts({"filename": b"a"})


@pytest.mark.parametrize(
    ("said", "media_type"),
    [
        (b"", None),
        (b"application/octet-stream", None),
        (b"Text/HTML; charset=utf-8", "text/html"),
        (b"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    ],
)
def test_a_media_type_counts_without_its_parameters(said: bytes, media_type: str | None) -> None:
    assert read_facts(PAIRS | {"filetype": said}).media_type == media_type


@pytest.mark.parametrize("said", [b"text", b"text/", b"/html", b"te xt/html", b"text/html\r\nx: y", b"\xff/\xff"])
def test_what_is_no_media_type_is_refused(said: bytes) -> None:
    with pytest.raises(FormatError, match="filetype"):
        read_facts(PAIRS | {"filetype": said})


def test_labels_are_lines_each_once() -> None:
    assert read_facts(PAIRS | {"labels": b" b \n\r\na\nb\n"}).labels == ("b", "a")


@pytest.mark.parametrize(
    "said", [b"\xff", b"x" * 201, b"bell\x07", "\n".join(map(str, range(MAX_LABELS + 1))).encode()]
)
def test_labels_that_no_list_could_show_are_refused(said: bytes) -> None:
    with pytest.raises(FormatError, match="labels"):
        read_facts(PAIRS | {"labels": said})


# --- names


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"", b"unnamed"),
        (b"/", b"unnamed"),
        (b"..", b"unnamed"),
        (b"a/../..", b"a"),
        (b"../../etc/passwd", b"passwd"),
        (b"folder/file.txt", b"file.txt"),
        (b"folder/", b"folder"),
        (b"nul\0l", b"null"),
        (b"\0", b"unnamed"),
        (b"C:\\letters\\a.doc", b"C:\\letters\\a.doc"),
        (b"...", b"..."),
        (b" ", b" "),
        ("Größe/Straße.txt".encode(), "Straße.txt".encode()),
    ],
)
def test_of_a_path_the_last_name_is_kept(sent: bytes, kept: bytes) -> None:
    assert clean_name(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"x" * 765, b"x" * 765),
        (b"x" * 766, b"x" * 765),
        (b"x" * 2_000 + b".pdf", b"x" * 761 + b".pdf"),
        ("法".encode() * 300 + b".txt", "法".encode() * 253 + b".txt"),
        (b"." + b"x" * 2_000, b"." + b"x" * 764),
        (b"x." + b"y" * 2_000, b"x." + b"y" * 763),
    ],
)
def test_a_long_name_is_cut_before_its_ending_and_never_within_a_letter(sent: bytes, kept: bytes) -> None:
    assert clean_name(sent) == kept


@given(st.binary(max_size=1_500) | st.text(max_size=600).map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_is_sent_becomes_a_name_that_a_statement_holds(sent: bytes) -> None:
    name = clean_name(sent)
    readable = readable_name(name)
    assert readable not in ("", ".", "..")
    assert "/" not in readable
    assert "\0" not in readable
    assert len(readable.encode()) <= 765
    if readable_name(sent).encode() == sent:
        assert readable.encode() == name
    assert clean_name(name) == name


# --- the other headers of tus


@given(st.text(max_size=30))
def test_any_text_is_a_count_or_a_bad_request(text: str) -> None:
    try:
        count = tus_headers.count({"upload-length": text}, "upload-length")
    except BadRequest:
        return
    assert count == int(text)
    assert 0 <= count < 10**18


@given(st.sampled_from(["sha1", "sha256"]), st.binary(min_size=32, max_size=32))
def test_a_checksum_is_read_as_it_was_written(algorithm: str, random: bytes) -> None:
    digest = random[:20] if algorithm == "sha1" else random
    read = tus_headers.checksum({"upload-checksum": f"{algorithm} {base64.b64encode(digest).decode()}"})
    assert read is not None
    assert (read.algorithm, read.digest) == (algorithm, digest)


@given(st.text(max_size=60))
def test_any_text_is_a_checksum_or_a_bad_request(text: str) -> None:
    try:
        assert tus_headers.checksum({"upload-checksum": text}) is not None
    except BadRequest:
        return
