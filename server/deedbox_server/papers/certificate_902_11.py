"""Certificate of a business record: Fed. R. Evid. 902(11), with the conditions of 803(6)(A) to (C)."""

from __future__ import annotations

from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Document, Heading
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.wording import (
    ABROAD,
    COURT_FIELDS,
    DECLARANT_FIELDS,
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

BUSINESS_FIELDS = (
    Field(
        "activity",
        "Regularly conducted activity",
        "The business, organization, occupation or calling in whose course the records were kept.",
        "the regularly conducted activity",
    ),
    Field(
        "made_by",
        "How the records were made",
        "By whom, or from whose information; how soon after the act, event, condition or opinion (803(6)(A)).",
        "who made the records, from whose knowledge, and how soon after the event",
    ),
    Field(
        "kept",
        "How the records were kept",
        "In the course of the activity (803(6)(B)).",
        "how the records were kept in the course of that activity",
    ),
    Field(
        "practice",
        "Regular practice",
        "Why making such records was a regular practice of the activity (803(6)(C)).",
        "why making such a record was a regular practice of that activity",
    ),
)


def business_paragraphs(request: Request) -> list[Block]:
    """803(6)(A) to (C): all of it the declarant's own; the record of a system shows none of it."""
    given = request.given
    return [
        Heading("The records"),
        own("The records are records of ", given.run("activity"), "."),
        own(
            "Each was made at or near the time of the act, event, condition or opinion that it records, by someone "
            "with knowledge or from information transmitted by someone with knowledge: ",
            given.run("made_by"),
            ".",
        ),
        own("Each was kept in the course of that regularly conducted activity: ", given.run("kept"), "."),
        own("Making such a record was a regular practice of that activity: ", given.run("practice"), "."),
    ]


def kept_paragraphs(record: Record) -> list[Block]:
    """What the system adds: since when it has these very bytes."""
    blocks: list[Block] = [Heading("How they are kept in the system")]
    blocks += [
        recorded(f"{facts.name} {how_it_came(facts)}. Schedule A gives its digests and what happened to it since.")
        for facts in record.exhibits[:_TOLD]
    ]
    if len(record.exhibits) > _TOLD:
        left = len(record.exhibits) - _TOLD
        blocks.append(recorded(f"Schedule A says the same of the other {left} exhibits."))
    return blocks


def _write(record: Record, request: Request) -> Document:
    given = request.given
    blocks: list[Block] = [
        *introduction(given),
        own(
            "I am the custodian of the records described here, or another person qualified to certify them: ",
            given.run("qualification"),
            ".",
        ),
        own(
            f"This certificate is of the records listed in Schedule A ({which(record)}). I give it under Rules "
            "902(11) and 803(6)(A) to (C) of the Federal Rules of Evidence."
        ),
        *business_paragraphs(request),
        *kept_paragraphs(record),
        perjury(given),
        declarant_signature(given),
    ]
    return Document(
        title="Certificate of Records of a Regularly Conducted Activity",
        subtitle="Fed. R. Evid. 902(11) and 803(6)(A)–(C) · 28 U.S.C. § 1746",
        caption=caption(given, record),
        sections=(body(record, blocks), *schedule(record)),
        paper=record.paper,
        made=record.made,
        draft=request.draft,
    )


_TOLD = 3  # exhibits that get a paragraph of their own before the schedule

KIND = Kind(
    name="certificate-902-11",
    title="Certificate under Fed. R. Evid. 902(11)",
    help="A custodian or another qualified person certifies that a business record meets Rule 803(6)(A) to (C). The "
    "written notice (notice-902) goes with it.",
    exhibits="some",
    fields=(*COURT_FIELDS, *DECLARANT_FIELDS, *BUSINESS_FIELDS, ABROAD),
    counsel=(
        "Whether the exhibits are records of a regularly conducted activity, and all of Rule 803(6)(A) to (C), are "
        "the declarant’s own statements: Deedbox knows nothing of how a record was made before it received it.",
        "Rule 803(6)(D) and (E) (certification; no lack of trustworthiness shown by the opponent) remain open, as do "
        "relevance and every other objection.",
        counsel.NOTICE,
        counsel.SECTION_1746,
        counsel.PLACES,
    ),
    write=_write,
)
