"""The Illinois counterpart: business record and digital identification, verified by certification (735 ILCS 5/1-109)."""

from __future__ import annotations

from deedbox_server.papers.certificate_902_11 import BUSINESS_FIELDS, business_paragraphs
from deedbox_server.papers.certificate_902_14 import COPY_FIELDS, compared
from deedbox_server.papers.document import Block, Document, Heading, Paragraph, Whose
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.system_words import TOLD, outcomes, process
from deedbox_server.papers.wording import (
    COURT_FIELDS,
    DECLARANT_FIELDS,
    body,
    caption,
    declarant_signature,
    how_it_came,
    introduction,
    own,
    recorded,
    schedule,
    which,
)

_CERTIFICATION = (
    "Under penalties as provided by law pursuant to Section 1-109 of the Code of Civil Procedure, the undersigned "
    "certifies that the statements set forth in this instrument are true and correct, except as to matters therein "
    "stated to be on information and belief and as to such matters the undersigned certifies as aforesaid that the "
    "undersigned verily believes the same to be true."
)
_USE = Field(
    "use",
    "As what it is offered",
    "Both is the usual answer where the firm’s own records are offered with their digests.",
    choices=("business record", "identical copy", "both"),
)


def _write(record: Record, request: Request) -> Document:
    given = request.given
    use = given.text("use", "both")
    blocks: list[Block] = [
        *introduction(given),
        own(
            "I am the custodian of the records described here, or another person qualified to certify them: ",
            given.run("qualification"),
            ".",
        ),
        own(f"This certification is of {which(record)}, described in Schedule A."),
        Paragraph(
            (
                "The paragraphs marked ‘record’ in the margin are stated on information and belief, based on the "
                "record that the system keeps; those marked ‘declarant’ are stated positively.",
            ),
            Whose.DECLARANT,
        ),
    ]
    if use != "identical copy":
        blocks += business_paragraphs(request)
    blocks += [Heading("The system, and what it recorded"), *process(record)]
    blocks += [recorded(f"{facts.name} {how_it_came(facts)}.") for facts in record.exhibits[:TOLD]]
    blocks += outcomes(record)
    if use != "business record":
        blocks += [
            Heading("Digital identification"),
            *(block for facts in record.exhibits[:TOLD] for block in compared(facts)),
        ]
        blocks.append(
            own(
                "I checked the digest of each item offered, and it is identical to that of the original: ",
                given.run("hash_checked"),
                ".",
            )
        )
    blocks += [
        Paragraph((_CERTIFICATION,), Whose.DECLARANT, numbered=False, sticky=True),
        Paragraph(
            ("Dated: ", given.run("executed_on"), ", at ", given.run("executed_at"), "."),
            Whose.DECLARANT,
            numbered=False,
            sticky=True,
        ),
        declarant_signature(given),
    ]
    return Document(
        title="Certification of Records",
        subtitle="735 ILCS 5/1-109",
        caption=caption(given, record),
        sections=(body(record, blocks), *schedule(record)),
        paper=record.paper,
        made=record.made,
        first_top=2.0,
        draft=request.draft,
    )


_HASH_CHECKED = next(field for field in COPY_FIELDS if field.name == "hash_checked")

KIND = Kind(
    name="certificate-illinois",
    title="Illinois certification (735 ILCS 5/1-109)",
    help="The counterpart for an Illinois court: verification by certification of a record, of a copy by its digest, "
    "or of both.",
    exhibits="some",
    fields=(*COURT_FIELDS, *DECLARANT_FIELDS, *BUSINESS_FIELDS, _HASH_CHECKED, _USE),
    counsel=(
        "UNCONFIRMED: Illinois Rule of Evidence 902(11), its notice, and whether Illinois has counterparts of Fed. "
        "R. Evid. 902(13) and (14). The paper therefore cites none of them. Read the Illinois rules in force, and "
        "add the citation if it holds.",
        "The certification follows the words of 735 ILCS 5/1-109 as published by the General Assembly (‘he’ became "
        "‘the undersigned’). Section 1-109 is about documents that the Code of Civil Procedure requires or permits "
        "to be verified; whether it reaches this one, counsel decides.",
        "The first page has a two-inch top margin, the others one inch, letter size, 12 point, for the statewide "
        "e-filing standards; PDF up to 25 MB a document and 50 MB an envelope in the trial courts. The clerk may "
        "reject for form.",
        "The signature block that Ill. S. Ct. R. 131(d) asks of counsel (UNCONFIRMED) is not part of this "
        "certification.",
        "What the declarant states of how records were made and kept, Deedbox cannot check; what happened before "
        "receipt, it does not know.",
    ),
    rehash=True,
    write=_write,
)
