import json
import sys
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json
from deedbox_sync.canonical_json import MAX_DEPTH, MAX_INTEGER, Fields
from deedbox_sync.errors import FormatError
from sync_samples import assert_strict, json_values, mutated

LIMIT = 1 << 20


def parse(data: bytes) -> canonical_json.Json:
    return canonical_json.parse(data, limit=LIMIT)


@given(json_values)
def test_a_value_reads_back_as_itself(value: canonical_json.Json) -> None:
    assert parse(canonical_json.encode(value)) == value


@given(st.data())
def test_mutated_bytes_are_refused_or_are_another_values_own(data: st.DataObject) -> None:
    encoded = canonical_json.encode(data.draw(json_values))
    assert_strict(parse, canonical_json.encode, data.draw(mutated(encoded)))


@given(st.binary(max_size=40))
def test_garbage_is_refused_by_format_error_only(data: bytes) -> None:
    assert_strict(parse, canonical_json.encode, data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"\xef\xbb\xbf1",
        b"-0",
        b"01",
        b"1.0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"[1, 2]",
        b"[1,]",
        b"'a'",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\n"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b"nul",
        b"9" * 5000,
    ],
)
def test_what_is_not_the_one_form_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse(data)


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), MAX_INTEGER + 1, -MAX_INTEGER - 1, b"x", "\ud800", {1: 2}, {"\udfff": 1}, {1}]
)
def test_what_has_no_form_cannot_be_written(value: object) -> None:
    with pytest.raises(FormatError):
        canonical_json.encode(value)  # type: ignore[arg-type]


def test_any_mapping_is_an_object_and_any_tuple_an_array() -> None:
    frozen = MappingProxyType({"b": (1, MappingProxyType({"\U00010000": None})), "a": True})
    assert canonical_json.encode(frozen) == '{"a":true,"b":[1,{"\U00010000":null}]}'.encode()


def test_thirty_two_levels_are_taken_and_no_more() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical_json.encode(parse(deepest)) == deepest
    with pytest.raises(FormatError, match="deeper"):
        parse(b"[" + deepest + b"]")
    with pytest.raises(FormatError, match="deeper"):
        parse(b"[" * 500_000)
    with pytest.raises(FormatError, match="deeper"):
        parse(b'{"a":' * 100_000)


def test_the_size_cap_comes_before_everything_else() -> None:
    assert canonical_json.parse(b"[1]", limit=3) == [1]
    with pytest.raises(FormatError, match="at most 2"):
        canonical_json.parse(b"[1]", limit=2)


def test_names_sort_by_utf16_code_units_and_not_by_code_points() -> None:
    high, private = "\U00010000", "\uffff"
    assert sorted([high, private]) == [private, high]
    encoded = canonical_json.encode({private: 2, high: 1})
    assert encoded.index(high.encode()) < encoded.index(private.encode())
    with pytest.raises(FormatError, match="canonical"):
        parse(json.dumps({private: 2, high: 1}, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())


def test_equal_but_differently_typed_literals_are_told_apart() -> None:
    with pytest.raises(FormatError):
        Fields({"v": True}, "x").literal("v", 1)


def read(text: str) -> Fields:
    return Fields(canonical_json.parse_object(text.encode(), limit=LIMIT, where="record"), "record")


def test_fields_read_each_type() -> None:
    fields = read(
        '{"b":"AP8=","d":"-9223372036854775808","h":"00ff","l":["x","y"],"n":null,"o":{"i":7},"ol":[{"i":1}],'
        '"t":"2026-03-14T12:00:00.000000Z","u":"0195a3c4-0000-7000-8000-000000000001","w":"two-words","y":true}'
    )
    assert fields.base64("b") == b"\x00\xff"
    assert fields.decimal("d") == -(1 << 63)
    assert fields.hex("h", 2) == b"\x00\xff"
    assert fields.texts("l") == ("x", "y")
    assert fields.optional_text("n") is None
    assert fields.object("o").integer("i") == 7
    assert [item.integer("i") for item in fields.objects("ol")] == [1]
    assert fields.time("t") == datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert str(fields.uuid("u")) == "0195a3c4-0000-7000-8000-000000000001"
    assert fields.word("w") == "two-words"
    assert fields.boolean("y") is True
    fields.done()


def test_an_unread_member_is_named() -> None:
    fields = read('{"known":1,"surprise":2}')
    fields.integer("known")
    with pytest.raises(FormatError, match="surprise"):
        fields.done()


def test_a_missing_member_is_named_with_its_path() -> None:
    with pytest.raises(FormatError, match=r"record\.inner: has no member 'x'"):
        read('{"inner":{}}').object("inner").text("x")


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ('{"x":1}', lambda fields: fields.text("x")),
        ('{"x":"1"}', lambda fields: fields.integer("x")),
        ('{"x":true}', lambda fields: fields.integer("x")),
        ('{"x":-1}', lambda fields: fields.integer("x")),
        ('{"x":1}', lambda fields: fields.boolean("x")),
        ('{"x":"FF"}', lambda fields: fields.hex("x", 1)),
        ('{"x":"f f "}', lambda fields: fields.hex("x", 2)),
        ('{"x":"ff"}', lambda fields: fields.hex("x", 2)),
        ('{"x":"AP9="}', lambda fields: fields.base64("x")),
        ('{"x":"AP8"}', lambda fields: fields.base64("x")),
        ('{"x":"A P8="}', lambda fields: fields.base64("x")),
        ('{"x":"_-8="}', lambda fields: fields.base64("x")),
        ('{"x":"+1"}', lambda fields: fields.decimal("x")),
        ('{"x":"-0"}', lambda fields: fields.decimal("x")),
        ('{"x":"١"}', lambda fields: fields.decimal("x")),
        ('{"x":"9223372036854775808"}', lambda fields: fields.decimal("x")),
        ('{"x":"0195A3C4-0000-7000-8000-000000000001"}', lambda fields: fields.uuid("x")),
        ('{"x":"{0195a3c4-0000-7000-8000-000000000001}"}', lambda fields: fields.uuid("x")),
        ('{"x":"Two"}', lambda fields: fields.word("x")),
        ('{"x":"a--b"}', lambda fields: fields.word("x")),
        ('{"x":[]}', lambda fields: fields.object("x")),
        ('{"x":{}}', lambda fields: fields.array("x")),
        ('{"x":[1]}', lambda fields: fields.texts("x")),
        ('{"x":[1]}', lambda fields: fields.objects("x")),
        ('{"x":2}', lambda fields: fields.literal("x", 1)),
    ],
)
def test_a_member_of_another_type_or_form_is_refused(text: str, ask: object) -> None:
    with pytest.raises(FormatError, match=r"record\.x"):
        ask(read(text))  # type: ignore[operator]


def test_the_interpreters_digit_limit_is_not_what_protects_us() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(FormatError, match="2\\^53"):
            parse(b"9" * 100_000)
    finally:
        sys.set_int_max_str_digits(before)
