"""A file is what its first bytes say, whatever it is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", Kind.PDF),
        (b"\r\n junk before %PDF-1.4", Kind.PDF),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", Kind.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Kind.PNG),
        (b"II*\x00\x08\x00\x00\x00", Kind.TIFF),
        (b"MM\x00*\x00\x00\x00\x08", Kind.TIFF),
        (b"From: a@example.com\r\nSubject: x\r\n\r\nhello", Kind.MAIL),
        (b"Received: from x\n\tby y\nDate: today\n\nhello", Kind.MAIL),
        (b"From a@example.com Fri May 17\nFrom: a\nTo: b\n\nhello", Kind.MAIL),
        (b"Date: 3 May\nThe wall was taken down.", Kind.TEXT),
        (b"just words", Kind.TEXT),
        ("naïve café Łódź 契約書".encode(), Kind.TEXT),
        ("契約書".encode()[:-1], Kind.TEXT),
        ("caf\xe9 cr\xe8me and much plain text around it".encode("latin-1"), Kind.TEXT),
        (b"\xff\xfew\x00o\x00r\x00d\x00", Kind.TEXT),
        (b"", Kind.NOTHING),
        (b"   \n ", Kind.NOTHING),
        (b"words and\x00then none", Kind.NOTHING),
        (bytes(range(256)) * 4, Kind.NOTHING),
        (b"PK\x03\x04\x14\x00", Kind.NOTHING),
    ],
)
def test_the_kind_follows_from_the_bytes(head, kind):
    assert kind_of(head) is kind


@given(st.binary(max_size=300))
def test_every_byte_string_has_a_kind(head):
    assert kind_of(head) in Kind
