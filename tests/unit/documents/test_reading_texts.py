"""Plain text and mail become pages of text; their readers take whatever bytes there are."""

import io
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.reading import Unreadable
from deedbox_server.documents.recognise.mail import read_mail
from deedbox_server.documents.recognise.plain import PAGE, read_plain
from deedbox_server.documents.states import ReadState


def plain(data: bytes) -> list[str]:
    return [page.text for page in read_plain(io.BytesIO(data)).pages]


def mail(data: bytes):
    return read_mail(io.BytesIO(data))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_usual_encodings_are_told_apart(encoding):
    assert plain("Grundstück “Nord” – 3 €".encode(encoding)) == ["Grundstück “Nord” – 3 €"]


def test_a_form_feed_and_a_full_page_start_a_new_page():
    lines = "a line of text\n" * 400
    pages = plain(("first\f" + lines).encode())
    assert pages[0] == "first"
    assert "".join(pages[1:]) == lines
    assert all(len(page) <= PAGE and page.endswith("\n") for page in pages[1:-1])


def test_one_endless_line_is_cut_all_the_same():
    assert [len(page) for page in plain(b"x" * 9000)] == [4000, 4000, 1000]


@given(st.binary(max_size=500))
def test_any_bytes_are_some_text(data):
    assert read_plain(io.BytesIO(data)).result().pages >= 1


def test_a_mail_gives_who_when_what_and_the_names_of_its_attachments():
    message = EmailMessage()
    message["From"] = "José <jose@survey.example>"
    message["Subject"] = "Vermessung, Grundstück 14"
    message.set_content("plain words")
    message.add_alternative("<p>rich <b>words</b></p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Plan Łódź.pdf")
    reading = mail(message.as_bytes())
    text = reading.pages[0].text
    for expected in ("José <jose@survey.example>", "Grundstück 14", "plain words", "Plan Łódź.pdf"):
        assert expected in text
    assert "rich" not in text
    assert reading.facts["attachments"] == [{"media_type": "application/pdf", "name": "Plan Łódź.pdf", "size": 4}]
    assert reading.facts["headers"]["Subject"] == "Vermessung, Grundstück 14"


def test_a_mail_of_html_alone_is_read_without_its_tags():
    message = EmailMessage()
    message["From"], message["To"] = "a@example.com", "b@example.com"
    message.set_content("<html><style>p {}</style><p>one</p><p>two&amp;three</p><script>no()</script>", subtype="html")
    text = mail(message.as_bytes()).pages[0].text
    assert "one\ntwo&three" in text
    assert "no()" not in text and "p {}" not in text


def test_a_forwarded_mail_is_read_too():
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "witness@example.com", "what I saw"
    inner.set_content("the gate was open")
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "a@example.com", "Fwd"
    outer.set_content("see below")
    outer.add_attachment(inner)
    text = mail(outer.as_bytes()).pages[0].text
    assert "what I saw" in text and "the gate was open" in text


def test_endless_headers_are_refused_before_they_are_parsed():
    with pytest.raises(Unreadable) as refused:
        mail(b"From: a\nTo: " + b"b@example.com, " * 20_000 + b"\n\nbody")
    assert refused.value.state is ReadState.DAMAGED


def test_endless_nesting_ends():
    nested = b"From: a\nTo: b\nContent-Type: message/rfc822\n\n" * 200 + b"From: a\n\nbody"
    assert mail(nested).pages


@given(st.binary(max_size=300))
def test_any_bytes_after_the_headers_are_some_mail(data):
    assert mail(b"From: a@example.com\nTo: b@example.com\n" + data).result().pages >= 1
