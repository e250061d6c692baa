"""Certificate of a copy by digital identification: Fed. R. Evid. 902(14). The stored copy is hashed again for it."""

from __future__ import annotations

from deedbox_server.evidence.paper_words import byte_count, grouped, moment
from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Document, Heading, Mono
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.system_words import TOLD, outcomes
from deedbox_server.papers.wording import (
    ABROAD,
    COURT_FIELDS,
    DECLARANT_FIELDS,
    STORAGE,
    body,
    caption,
    declarant_signature,
    how_it_came,
    introduction,
    own,
    perjury,
    recorded,
    schedule,
    which,
)

COPY_FIELDS = (
    Field(
        "source_device",
        "Source device or medium",
        "Make, model and serial number, or the account, of what the data were copied from, where the record does not "
        "say it.",
        "make, model and serial number, or account, of the source",
    ),
    Field(
        "acquired",
        "Acquisition",
        "Who copied the data, where and when (with the time zone), as the declarant knows it.",
        "who acquired the data, where and when",
    ),
    Field(
        "protection",
        "Protection from change",
        "A write blocker, a read-only mount, or none.",
        "write blocker or other protection, or that there was none",
    ),
    Field(
        "settings",
        "Tool settings",
        "Anything about the tool that was set otherwise than as it comes.",
        "settings of the tool that matter",
    ),
    Field(
        "hash_checked",
        "Check of the hash",
        "How and when the declarant checked that the digest of the copy offered equals the one recorded for the "
        "original.",
        "how and when the declarant compared the digest of the copy offered with that of the original",
    ),
)


def _write(record: Record, request: Request) -> Document:
    given = request.given
    blocks: list[Block] = [
        *introduction(given),
        own("I am qualified to certify this process of digital identification: ", given.run("qualification"), "."),
        own(
            f"This certificate is of data copied from an electronic device, storage medium or file: {which(record)}, "
            "described in Schedule A. I give it under Rule 902(14) of the Federal Rules of Evidence."
        ),
        Heading("Source and acquisition"),
        own("The data came from: ", given.run("source_device"), "."),
        own("They were acquired: ", given.run("acquired"), "."),
        own(
            "The source was protected from change by: ",
            given.run("protection"),
            ". Settings of the tool: ",
            given.run("settings"),
            ".",
        ),
        *(recorded(_acquired(facts)) for facts in record.exhibits[:TOLD]),
        *_rest(record, "source, acquisition and tool"),
        Heading("Digital identification"),
        recorded(
            "A SHA-256 digest is a number of 256 bits computed from every bit of a file. Two files with the same "
            "digest are, for every practical purpose, identical bit for bit. A second algorithm, SHA-512, was "
            "computed of the copy as well."
        ),
        *(block for facts in record.exhibits[:TOLD] for block in compared(facts)),
        *_rest(record, "the comparison of digests"),
        own(
            "I checked the digest of each item offered, and it is identical to that of the original: ",
            given.run("hash_checked"),
            ".",
        ),
        Heading("Storage and custody since"),
        recorded(
            f"Since receipt the exhibits have been kept {STORAGE}. Every access through the system is a custody "
            "record; Schedule A sums them up."
        ),
        *outcomes(record),
        perjury(given),
        declarant_signature(given),
    ]
    return Document(
        title="Certificate of Data Copied from an Electronic Device, Storage Medium or File",
        subtitle="Fed. R. Evid. 902(14) · 28 U.S.C. § 1746",
        caption=caption(given, record),
        sections=(body(record, blocks), *schedule(record)),
        paper=record.paper,
        made=record.made,
        draft=request.draft,
    )


def _acquired(facts: ExhibitFacts) -> str:
    captured = facts.captured
    tool = f"{captured.tool.name} {captured.tool.version}"
    source = captured.source
    told = [text for text in (source.medium, source.make) if text]
    told += [f"serial number {source.serial}"] if source.serial else []
    told += [f"account {source.account}"] if source.account else []
    named = f" Its source is recorded as: {', '.join(told)}." if told else " The record names no source device."
    return f"{facts.name} {how_it_came(facts)}. Tool: {tool}.{named}"


def compared(facts: ExhibitFacts) -> list[Block]:
    """The digest then, the digest now, and whether they are one."""
    rehash = facts.rehash
    when = "the desk read the original" if facts.by_desk else "the system received it"
    then = recorded(f"{facts.name}: when {when}, its SHA-256 was ", Mono(grouped(facts.captured.content)), ".")
    if rehash is None or not rehash.agrees:  # what does not agree, system_words.remarkable says
        return [then]
    return [
        then,
        recorded(
            f"On {moment(rehash.time)} the system read the whole stored copy of {facts.name} "
            f"({byte_count(rehash.size)}, one file) and computed its SHA-256 as ",
            Mono(grouped(rehash.digests["sha256"])),
            ". The two are identical.",
        ),
    ]


def _rest(record: Record, what: str) -> list[Block]:
    left = len(record.exhibits) - TOLD
    return [recorded(f"For the other {left} exhibits Schedule A has {what}.")] if left > 0 else []


KIND = Kind(
    name="certificate-902-14",
    title="Certificate under Fed. R. Evid. 902(14)",
    help="A qualified person certifies that a copy is identical to the original by its hash. Deedbox reads and "
    "hashes the stored copy again.",
    exhibits="some",
    fields=(*COURT_FIELDS, *DECLARANT_FIELDS, *COPY_FIELDS, ABROAD),
    counsel=(
        "Deedbox compared the copy that it stores. Whether the copy that is offered in court is that copy, the "
        "declarant checks: hash the file on the disk or in the production, and compare it with Schedule A "
        "(sha256sum; certutil -hashfile FILE SHA256 on Windows).",
        "The digest was taken by the desk when it read the file. Anything that happened to the source before that "
        "(edits, copies that changed dates, an incomplete collection) leaves no trace in it.",
        "File dates are the file system’s word at capture; copying may have changed them earlier. Inner metadata "
        "were not examined for this paper.",
        counsel.AUTHENTICITY,
        counsel.NOTICE,
        counsel.SECTION_1746,
        counsel.PLACES,
    ),
    rehash=True,
    write=_write,
)
