"""The reasonable written notice that Fed. R. Evid. 902(11) asks for, and (13) and (14) with it, offering inspection."""

from __future__ import annotations

from deedbox_server.evidence.paper_words import byte_count
from deedbox_server.papers import counsel
from deedbox_server.papers.document import Block, Document, Heading, Paragraph, Signature, Table
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.wording import COURT_FIELDS, body, caption, digest_cell, say, short_name, which

_COUNSEL = "counsel"
_FIELDS = (
    Field("party", "Offering party", "Who offers the exhibits.", "the offering party", _COUNSEL),
    Field(
        "to",
        "To",
        "The adverse party or parties, through counsel, with addresses.",
        "adverse parties and their counsel",
        _COUNSEL,
    ),
    Field(
        "rules",
        "Rules relied on",
        "Under which paragraphs the certificates are given.",
        "902(11), (13) or (14)",
        _COUNSEL,
        choices=(
            "902(11)",
            "902(13)",
            "902(14)",
            "902(11) and (13)",
            "902(11) and (14)",
            "902(13) and (14)",
            "902(11), (13) and (14)",
        ),
    ),
    Field(
        "proceeding",
        "Trial or hearing",
        "At which it is offered, with its date.",
        "the trial or hearing and its date",
        _COUNSEL,
    ),
    Field(
        "inspect_at",
        "Place of inspection",
        "Where records and certificates can be inspected.",
        "the place of inspection",
        _COUNSEL,
    ),
    Field(
        "inspect_when",
        "Time of inspection",
        "On which days and hours, and from when.",
        "days and hours of inspection",
        _COUNSEL,
    ),
    Field(
        "contact",
        "Contact",
        "Name, telephone and e-mail for making an appointment.",
        "name, telephone and e-mail",
        _COUNSEL,
    ),
    Field(
        "signer",
        "Signed by",
        "The attorney who signs, with firm and address.",
        "name of the attorney, firm and address",
        _COUNSEL,
    ),
    Field("signed_on", "Date of the notice", "The day of signing.", "date", _COUNSEL, format="date"),
    Field("served_on", "Date of service", "When the notice was served.", "date of service", _COUNSEL, format="date"),
    Field(
        "served_by",
        "Manner of service",
        "How: through the court’s system, by e-mail, by mail, in person; with the addresses.",
        "manner of service and addresses",
        _COUNSEL,
    ),
)


def _write(record: Record, request: Request) -> Document:
    given = request.given
    blocks: list[Block] = [
        Paragraph(("To: ", given.run("to")), numbered=False),
        say(
            "Please take notice that ",
            given.run("party"),
            " intends to offer the exhibits listed below (",
            which(record),
            ") at ",
            given.run("proceeding"),
            ", authenticated by certification under Rule ",
            given.run("rules"),
            " of the Federal Rules of Evidence.",
        ),
        say(
            "This notice is given under Rule 902(11), to which Rules 902(13) and 902(14) refer, so that you have a "
            "fair opportunity to challenge the records and the certifications."
        ),
        say(
            "The records and the certifications are made available to you for inspection at ",
            given.run("inspect_at"),
            ", ",
            given.run("inspect_when"),
            ".",
        ),
        say("For an appointment, or for a copy: ", given.run("contact"), "."),
        say("The digests below let you see that what you inspect is what is offered."),
        Heading("Exhibits"),
        exhibit_table(record),
        Signature(
            "Counsel", "signature of counsel", (("Name", (given.run("signer"),)), ("Date", (given.run("signed_on"),)))
        ),
        Heading("Certificate of service"),
        Paragraph(
            ("This notice was served on ", given.run("served_on"), " by ", given.run("served_by"), "."), numbered=False
        ),
        Signature("Service", "signature of who served it"),
    ]
    return Document(
        title="Notice of Intent to Offer Certified Records",
        subtitle="Fed. R. Evid. 902(11), (13) and (14)",
        caption=caption(given, record),
        sections=(body(record, blocks),),
        paper=record.paper,
        made=record.made,
        legend=False,
        draft=request.draft,
    )


def exhibit_table(record: Record) -> Table:
    """Number, name, size and digest of each exhibit."""
    rows = [
        (
            facts.mark,
            (short_name(facts), f" ({byte_count(facts.exhibit.size)})"),
            digest_cell(facts.exhibit.content),
        )
        for facts in record.exhibits
    ]
    return Table(("Exhibit", "File", "SHA-256"), (0.9, 0, 2.55), tuple(rows))


KIND = Kind(
    name="notice-902",
    title="Written notice under Fed. R. Evid. 902(11), (13), (14)",
    help="Tells the adverse party that certified records will be offered, and offers inspection of records and "
    "certificates.",
    exhibits="some",
    fields=(*COURT_FIELDS, *_FIELDS),
    counsel=(
        counsel.NOTICE,
        "Whether the notice is in time, to the right persons, and served as the rules ask, Deedbox does not check. "
        "Attach the certificates, or have them ready where this notice says they are.",
        counsel.PLACES,
    ),
    write=_write,
)
