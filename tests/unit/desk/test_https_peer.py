"""HTTPS to the box and to no other: TLS 1.3, our CA alone, kept connections, typed refusals, no redirects, bounded answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from deedbox_desktop.engine.box import https
from deedbox_desktop.engine.box.client import HttpsBox
from deedbox_desktop.engine.box.https import Body, HttpsPeer
from deedbox_desktop.engine.box.tls import authority_context, device_context
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible, BoxUnreachable
from unit.desk.tls_site import Site, Wire, authority

LIMIT = 1000


def ok(wire: Wire) -> None:
    wire.request()
    wire.send(b"{}")


def test_a_connection_is_kept_for_the_next_request(site: Site) -> None:
    site.answers += [ok, ok, ok]
    peer = site.peer()
    for _ in range(3):
        assert peer.request("POST", "/x", b"body", limit=LIMIT) == b"{}"
    assert (site.connections, site.versions) == (1, ["TLSv1.3"])


def test_each_thread_has_its_own_connection(site: Site) -> None:
    site.answers += [ok, ok]
    peer = site.peer()
    peer.request("GET", "/x", limit=LIMIT)
    thread = threading.Thread(target=lambda: peer.request("GET", "/x", limit=LIMIT))
    thread.start()
    thread.join()
    assert site.connections == 2


def test_a_kept_connection_that_the_other_side_closed_is_made_anew(site: Site) -> None:
    def answer_and_close(wire: Wire) -> None:
        ok(wire)
        raise ConnectionResetError

    site.answers += [answer_and_close, ok]
    peer = site.peer()
    peer.request("GET", "/x", limit=LIMIT)
    time.sleep(0.1)
    assert peer.request("POST", "/x", b"again", limit=LIMIT) == b"{}"


def test_a_connection_idle_too_long_is_not_used_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "IDLE_S", 0)
    site.answers += [ok, ok]
    peer = site.peer()
    peer.request("GET", "/x", limit=LIMIT)
    peer.request("GET", "/x", limit=LIMIT)
    assert site.connections == 2


def test_a_server_under_another_ca_is_no_box(site: Site) -> None:
    site.serve(*authority("Box CA"))
    with pytest.raises(BoxUnreachable, match="does not have the box's certificate"):
        site.peer().request("GET", "/x", limit=LIMIT)


def test_older_tls_is_refused(site: Site) -> None:
    site.serve(site.ca_key, site.ca, tls12=True)
    with pytest.raises(BoxUnreachable):
        site.peer().request("GET", "/x", limit=LIMIT)


def test_without_its_certificate_a_desk_is_refused(site: Site) -> None:
    site.answers += [ok]
    stranger = HttpsPeer(site.url, authority_context(site.ca.public_bytes(Encoding.PEM).decode()))
    with pytest.raises(BoxUnreachable):
        stranger.request("GET", "/x", limit=LIMIT)
    stranger.close()


def test_the_desks_key_never_stands_on_the_disk_in_clear(site: Site) -> None:
    before = set(site.folder.iterdir())
    site.peer()
    assert set(site.folder.iterdir()) == before


def test_a_problem_document_becomes_a_typed_refusal(site: Site) -> None:
    def refuse(wire: Wire) -> None:
        wire.request()
        body = (
            b'{"type": "urn:deedbox:problem:offset-mismatch", "title": "T", "detail": "continue from 7", "offset": 7}'
        )
        wire.send(body, "409 Conflict", "application/problem+json")

    site.answers += [refuse, ok]
    peer = site.peer()
    with pytest.raises(BoxRefused) as refused:
        peer.request("POST", "/x", b"{}", limit=LIMIT)
    error = refused.value
    assert (error.problem.slug, error.status, error.offset, str(error)) == (
        "offset-mismatch",
        409,
        7,
        "continue from 7",
    )
    peer.request("POST", "/x", b"{}", limit=LIMIT)
    assert site.connections == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "text/html"),
        (b"not json", "application/problem+json"),
        (b"[1]", "application/problem+json"),
        (b'{"title": "no type"}', "application/problem+json"),
        (b"[" * 60_000, "application/problem+json"),
    ],
)
def test_a_refusal_that_explains_nothing_is_unintelligible(site: Site, body: bytes, kind: str) -> None:
    def refuse(wire: Wire) -> None:
        wire.request()
        wire.send(body, "500 Oops", kind)

    site.answers += [refuse]
    peer = site.peer()
    with pytest.raises(BoxUnintelligible):
        peer.request("GET", "/x", limit=LIMIT)


def test_a_redirect_is_not_followed(site: Site) -> None:
    def redirect(wire: Wire) -> None:
        wire.request()
        wire.send(b"", "302 Found", more="Location: https://elsewhere.invalid/\r\n")

    site.answers += [redirect]
    peer = site.peer()
    with pytest.raises(BoxUnintelligible, match="302"):
        peer.request("GET", "/x", limit=LIMIT)


def test_an_answer_longer_than_it_may_be_is_not_read(site: Site) -> None:
    def long(wire: Wire) -> None:
        wire.request()
        wire.send(b"x" * (LIMIT + 1))

    site.answers += [long]
    peer = site.peer()
    with pytest.raises(BoxUnintelligible, match="longer"):
        peer.request("GET", "/x", limit=LIMIT)


def test_an_answer_that_breaks_off_is_no_answer(site: Site) -> None:
    def broken(wire: Wire) -> None:
        wire.request()
        wire.link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        raise ConnectionResetError

    site.answers += [broken]
    with pytest.raises(BoxUnreachable):
        site.peer().request("GET", "/x", limit=LIMIT)


def test_a_box_that_says_nothing_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "ANSWER_S", 0.2)
    site.answers += [lambda wire: time.sleep(2)]
    with pytest.raises(BoxUnreachable, match="does not answer"):
        site.peer().request("GET", "/x", limit=LIMIT)


def test_cutting_wakes_whoever_waits(site: Site) -> None:
    site.answers += [lambda wire: time.sleep(30)]
    peer = site.peer()
    threading.Timer(0.2, peer.cut).start()
    begun = time.monotonic()
    with pytest.raises(BoxUnreachable):
        peer.request("GET", "/x", limit=LIMIT)
    assert time.monotonic() - begun < 10


def test_bytes_are_sent_as_they_are_made(site: Site) -> None:
    taken: list[bytes] = []

    def take(wire: Wire) -> None:
        taken.append(wire.request()[1])
        wire.send(b'{"offset":3000000}')

    site.answers += [take]
    peer = site.peer()
    pieces = [bytes([number]) * 1_000_000 for number in range(3)]
    offset = HttpsBox(peer, "").put("0" * 32, 0, 3_000_000, iter([memoryview(piece) for piece in pieces]))
    assert (offset, taken) == (3_000_000, [b"".join(pieces)])


def test_a_refusal_in_the_middle_of_a_body_is_heard(site: Site) -> None:
    def refuse(wire: Wire) -> None:
        wire.head()
        wire.send(
            b'{"type": "urn:deedbox:problem:disk-full"}',
            "507 Full",
            "application/problem+json",
            "Connection: close\r\n",
        )
        wire.link.settimeout(5)
        while wire.link.recv(65536):  # what is on its way is taken off, as servers do before they close
            pass

    site.answers += [refuse]
    piece = memoryview(bytes(1 << 20))

    def slowly() -> Iterator[memoryview]:
        for _ in range(8):
            time.sleep(0.05)
            yield piece

    peer = site.peer()
    with pytest.raises((BoxRefused, BoxUnreachable)) as refused:
        peer.request("PUT", "/x", Body(8 << 20, slowly()), limit=LIMIT)
    if isinstance(refused.value, BoxRefused):
        assert refused.value.problem.slug == "disk-full"


def test_what_the_pieces_raise_comes_out_and_the_request_is_broken_off(site: Site) -> None:
    class Mine(Exception):
        pass

    def pieces() -> Iterator[memoryview]:
        yield memoryview(b"half")
        raise Mine

    heard: list[str] = []

    def listen(wire: Wire) -> None:
        with suppress(OSError):  # what the desk left unread makes a reset of the end, early or late
            wire.head()
            while wire.link.recv(65536):
                pass
        heard.append("broken off")

    site.answers += [listen]
    with pytest.raises(Mine):
        site.peer().request("PUT", "/x", Body(8, pieces()), limit=LIMIT)
    until = time.monotonic() + 5
    while not heard and time.monotonic() < until:
        time.sleep(0.01)
    assert heard == ["broken off"]


def test_another_certificate_is_shown_on_a_new_connection(site: Site) -> None:
    site.answers += [ok, ok]
    peer = site.peer()
    peer.request("GET", "/x", limit=LIMIT)
    ca = site.ca.public_bytes(Encoding.PEM).decode()
    peer.use(device_context(ca, site.client.public_bytes(Encoding.PEM).decode(), site.client_key, site.folder))
    peer.request("GET", "/x", limit=LIMIT)
    assert site.connections == 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "127.0.0.1:1", "https://", "https://host/path", "https://host?x=1"]
)
def test_only_an_https_address_is_one(site: Site, url: str) -> None:
    with pytest.raises(BoxUnintelligible, match="not an address"):
        HttpsPeer(url, site.context)
