"""Faults of devices: unpaired, taken over, revoked, with keys and certificates that are not theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from broken_bundles.cases import Case, broken
from broken_bundles.spoiling import edited, put, replaced, spoiled, swapped, taken
from broken_bundles.story import base, tell, witnessed
from bundle_maker import Files, Scenario, bagged, device_event
from bundle_maker import edited as edited_files
from deedbox_sync import dsse
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.sigstore import encode_pem, encode_sigstore
from miniature_log import BOX, CASE, DESK, key, public

_PATH = layout.device_record(DESK)


def device_cases() -> Iterator[Case]:
    yield from _records()
    yield from _keys()
    yield from _by_the_box()


def _records() -> Iterator[Case]:
    """Of the pairing: without it, nothing shows whose key it is."""

    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        make = edited(_PATH, lambda device: change(device["records"]))
        return broken(f"device-{name}", fault, make, *codes, "device.unpaired", attributed="no")

    record, form, opening = "device.record", "device.form", "device.opening"
    yield one("unpaired", "no pairing record", lambda records: records.pop(0))
    yield one("no-records", "no record at all", lambda records: records.clear())
    yield one("name", "another name", put(0, "record", "name", value="Other desk"), record)
    yield one("time", "another time", put(0, "record", "time", value="2025-03-14T12:00:00.000000Z"), record)
    yield one("account", "another account", put(0, "record", "account", value=str(CASE)), record)
    yield one("by", "another who paired it", put(0, "record", "by", value="box"), record)
    yield one(
        "other-device", "another device", put(0, "record", "device", value=str(CASE)), record, "device.certificate"
    )
    told: tuple[str, ...] = (record, "device.key")
    yield one("record-key", "another key", put(0, "record", "statement_key", value=public("x").hex()), *told)
    yield one("renewed", "a pairing called a renewal", put(0, "record", "kind", value="device.renewed"), record)
    yield one("kind", "a kind that is none", put(0, "record", "kind", value="device.found"), form)
    yield one(
        "revoked-with-certificate",
        "a revocation with a certificate",
        put(0, "record", "kind", value="device.revoked"),
        form,
    )
    yield one("serial", "another serial number", put(0, "record", "serial", value="01"), record, "device.certificate")
    yield one("serial-junk", "a serial number that is none", put(0, "record", "serial", value="xyz"), form)
    yield one("record-version", "version 2", put(0, "record", "v", value=2), form)
    yield one("record-unknown", "an unknown member", put(0, "record", "unknown", value=1), form)
    yield one("no-opening", "the record is not opened", taken(0, "openings", "record"), record)
    salt = put(0, "openings", "record", "salt", value="00" * 32)
    yield one("salt", "another salt", salt, opening, record)
    person = put(0, "openings", "person", "value", value=b"box".hex())
    yield one("person", "another person opened", person, opening)
    content = put(0, "openings", "content", value={"salt": "00" * 32, "value": "00" * 32})
    yield one("content", "an opening of what is not committed to", content, opening)
    yield one("index", "a log entry that is not there", put(0, "index", value=0), opening, record)
    certificate = "device.certificate"
    yield one("no-certificate", "no certificate", put(0, "certificate", value=None), certificate)
    yield one("certificate", "the renewal's certificate", _other_certificate, certificate)
    junk = put(0, "certificate", value=encode_base64(b"junk"))
    yield one("certificate-junk", "a certificate that is none", junk, certificate)

    def file(name: str, fault: str, change: Callable[[Any], Any]) -> Case:
        told = ("device.form", "statement.device")
        return broken(f"device-{name}", fault, edited(_PATH, change), *told, attributed="no")

    yield file("file-of-another", "another device's file", put("device", value=str(CASE)))
    yield file("order", "records out of order", lambda device: device["records"].reverse())
    yield file("twice", "a record twice", lambda device: device["records"].append(device["records"][2]))
    yield file("weak-key", "a key of small order", put("statement_key", value="01" + "00" * 31))
    yield file("misencoded-key", "a key past the prime", put("statement_key", value="f0" + "ff" * 30 + "7f"))
    yield broken(
        "device-revocation-retold",
        "the revocation's record is another",
        edited(_PATH, put("records", 2, "record", "name", value="x")),
        "device.record",
    )


def _other_certificate(records: Any) -> None:
    records[0]["certificate"] = records[1]["certificate"]


def _keys() -> Iterator[Case]:
    path = layout.device_key(DESK)
    yield broken("device-pem", "another key in the PEM", replaced(path, encode_pem(public("x"))), "device.pem")
    yield broken("device-pem-crlf", "a PEM with CR LF", replaced(path, _crlf), "device.pem")
    swap = swapped(path, layout.device_key(BOX))
    yield broken("device-pems-swapped", "two PEMs swapped", swap, "device.pem")
    told: tuple[str, ...] = ("device.form", "statement.device")
    swap = swapped(_PATH, layout.device_record(BOX))
    yield broken("device-files-swapped", "two devices' files swapped", swap, *told, attributed="no")
    told = (
        "device.unpinned",
        "device.key",
        "device.unpaired",
        "statement.key",
        "statement.signature",
        "statement.sigstore",
    )
    yield broken(
        "device-taken-over",
        "a forger's key in the device's place, one statement signed by it",
        _take_over,
        *told,
        attributed="no",
    )
    fault = "another intake key of the box"
    told = ("device.unpinned", "statement.key", "statement.signature", "statement.sigstore")
    yield broken("intake-key", fault, partial(_other_intake), *told, attributed="no")


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _take_over() -> Files:
    """The forger knows everything but the desk's key, and the log cannot be made to know his."""
    files = base_device_key(public("forger"), DESK)
    envelope = dsse.sign(base().story.exhibits[0].payload, key("forger"))
    return bagged(
        {
            **files,
            layout.statement(1): dsse.encode(envelope),
            layout.sigstore(1): encode_sigstore(envelope, public("forger")),
        }
    )


def _other_intake() -> Files:
    return base_device_key(public("forger"), BOX)


def base_device_key(raw: bytes, device: UUID) -> Files:
    files = spoiled(lambda files: files)()
    assert not isinstance(files, bytes)
    files = edited_files(files, layout.device_record(device), put("statement_key", value=raw.hex()))
    return bagged({**files, layout.device_key(device): encode_pem(raw)})


def _by_the_box() -> Iterator[Case]:
    later = "captured by a device that was paired only later"
    yield broken("device-later", later, lambda: witnessed(_paired_later()), "device.later", attributed="no")
    fault = "a device renewed, and never paired"
    yield broken("device-only-renewed", fault, lambda: witnessed(_only_renewed()), "device.unpaired", attributed="no")


def _paired_later() -> Scenario:
    """The log's first pairing is left out; another one follows at its end."""
    story = tell().story
    story.devices[:] = [device_event(story.log, "device.paired", 4713)]
    return story


def _only_renewed() -> Scenario:
    story = tell().story
    del story.devices[0]
    return story
