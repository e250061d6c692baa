"""The bundle's files: what is written is read back, and what is not exactly that is refused with its place."""

from __future__ import annotations

import contextlib
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broken_bundles.story import base_files
from bundle_maker import good_bundle
from deedbox_sync.bundle import bag, layout, outside, proven
from deedbox_sync.bundle.bag import BagInfo
from deedbox_sync.bundle.index import encode_index, parse_index
from deedbox_sync.errors import FormatError
from miniature_log import BUNDLE, DESK

GOOD = good_bundle()
digests = st.binary(min_size=32, max_size=32)
paths = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs"], exclude_characters="/\\:%"), min_size=1
).map(lambda name: "data/" + name)


@given(st.dictionaries(paths.filter(lambda path: bag.path_problem(path) is None), digests, min_size=1, max_size=5))
def test_a_manifest_reads_back(listed: dict[str, bytes]) -> None:
    assert bag.parse_manifest(bag.encode_manifest(listed), "manifest") == listed


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "line break"),
        ("00  data/a", "line break"),
        ("00  data/a\n", "line 1"),
        (f"{'A' * 64}  data/a\n", "line 1"),
        (f"{'0' * 64} *data/a\n", "line 1"),
        (f"{'0' * 64}  data/a\r\n", "control|line 1"),
        (f"{'0' * 64}  data/../a\n", "leads out"),
        (f"{'0' * 64}  /data/a\n", "absolute"),
        (f"{'0' * 64}  data/a%0A\n", "percent"),
        (f"{'0' * 64}  data\\a\n", "backslash"),
        (f"{'0' * 64}  data/e\u0301\n", "normal form"),
        (f"{'0' * 64}  data/a\n{'0' * 64}  data/a\n", "twice"),
        (f"{'0' * 64}  data/a\n\n", "line 2"),
    ],
)
def test_a_manifest_in_another_form_is_refused(text: str, what: str) -> None:
    with pytest.raises(FormatError, match=what):
        bag.parse_manifest(text.encode(), "manifest")


@given(st.binary(max_size=200))
def test_no_manifest_is_thrown_at(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert bag.encode_manifest(bag.parse_manifest(data, "manifest"))


def test_bag_info_reads_back() -> None:
    info = BagInfo("deedbox 0.1.0", date(2026, 3, 14), BUNDLE, 12, 3)
    assert bag.parse_bag_info(bag.encode_bag_info(info)) == info


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_bag_info_in_another_form_is_refused(place: int, byte: int) -> None:
    good = bag.encode_bag_info(BagInfo("deedbox 0.1.0", date(2026, 3, 14), BUNDLE, 12, 3))
    changed = bytearray(good)
    changed[place % len(good)] = byte
    try:
        info = bag.parse_bag_info(bytes(changed))
    except FormatError:
        return
    assert bag.encode_bag_info(info) == bytes(changed)


def test_each_json_file_of_a_good_bundle_reads_back() -> None:
    assert encode_index(parse_index(GOOD[layout.INDEX])) == GOOD[layout.INDEX]
    assert proven.encode_entries(proven.parse_entries(GOOD[layout.ENTRIES])) == GOOD[layout.ENTRIES]
    for number in (1, 2, 3):
        path = layout.custody(number)
        assert proven.encode_custody(proven.parse_custody(GOOD[path], path)) == GOOD[path]
    path = layout.device_record(DESK)
    assert proven.encode_device(proven.parse_device(GOOD[path], path)) == GOOD[path]


@pytest.mark.parametrize(
    ("path", "old", "new", "what"),
    [
        (layout.INDEX, b'"v":1', b'"v":2', "is not 1"),
        (layout.INDEX, b'"number":2,', b'"number":1,', "do not ascend"),
        (layout.INDEX, b'"stamps":[]', b'"stamps":[0]', "not an object"),
        (layout.INDEX, b'"stamps":[]', b'"stamps":[{"size":0,"tokens":1}]', "within 1"),
        (layout.INDEX, b'"stamps":[]', b'"stamps":[{"size":1,"tokens":17}]', "within 0 … 16"),
        (layout.INDEX, b'"captured":true', b'"captured":1', "true or false"),
        (layout.INDEX, b'"stamps":[]', b'"stamps":[],"x":1', "canonical|unknown"),
        (layout.ENTRIES, b'"index":3,', b'"index":1,', "does not ascend"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_its_place(path: str, old: bytes, new: bytes, what: str) -> None:
    data = GOOD[path].replace(old, new, 1)
    assert data != GOOD[path]
    with pytest.raises(FormatError, match=what):
        parse_index(data) if path == layout.INDEX else proven.parse_entries(data)


runs = st.lists(st.tuples(st.integers(1, 9), st.lists(st.binary(max_size=40), min_size=1, max_size=4)), max_size=4)


@given(runs)
def test_runs_read_back(drawn: list[tuple[int, list[bytes]]]) -> None:
    made, at = [], 0
    for gap, entries in drawn:
        made.append(outside.Run(at + gap, tuple(entries)))
        at = made[-1].end
    assert outside.parse_runs(outside.encode_runs(made)) == tuple(made)


@given(st.lists(st.binary(max_size=40), max_size=32))
def test_revocation_data_reads_back(crls: list[bytes]) -> None:
    assert outside.parse_revocation(outside.encode_revocation(crls), "x") == tuple(crls)


def test_an_event_is_told_or_withheld_never_both() -> None:
    path = layout.custody(1)
    data = GOOD[path].replace(b'"commitment":null', b'"commitment":"' + b"00" * 32 + b'"', 1)
    with pytest.raises(FormatError, match="neither told nor withheld, or both"):
        proven.parse_custody(data, path)


def test_a_device_with_a_weak_key_is_refused() -> None:
    weak = proven.encode_device(proven.DeviceFile(UUID(int=1), bytes(32), ()))
    with pytest.raises(FormatError, match="weak key"):
        proven.parse_device(weak, "device")


_JSON = [layout.INDEX, layout.ENTRIES, layout.custody(1), layout.device_record(DESK), layout.TIME]


@given(st.sampled_from(_JSON), st.data())
def test_no_file_is_thrown_at(path: str, data: st.DataObject) -> None:
    good = base_files()[path]
    at = data.draw(st.integers(0, len(good)))
    changed = good[:at] + data.draw(st.binary(max_size=8)) + good[at + data.draw(st.integers(0, 8)) :]
    try:
        if path == layout.INDEX:
            assert encode_index(parse_index(changed)) == changed
        elif path == layout.ENTRIES:
            assert proven.encode_entries(proven.parse_entries(changed)) == changed
        elif path == layout.custody(1):
            assert proven.encode_custody(proven.parse_custody(changed, path)) == changed
        elif path == layout.TIME:
            assert outside.encode_runs(outside.parse_runs(changed)) == changed
        else:
            assert proven.encode_device(proven.parse_device(changed, path)) == changed
    except FormatError:
        pass
