"""Chain-of-custody form for a physical item, empty or filled from given data, with transfers and signature lines (EV-13)."""

from __future__ import annotations

from deedbox_server.papers.document import Block, Cell, Document, Facts, Heading, Note, Room, Section, Signature, Table
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field, Given, Rows
from deedbox_server.papers.kind import Kind, Request

_BY = "who handles the item"


def _field(name: str, label: str, help_: str) -> Field:
    return Field(name, label, help_, label.lower(), _BY)


_ITEM = (
    _field("item", "Item no.", "The firm’s number for the item."),
    _field("description", "Description", "What it is: kind, make, model, color, size, marks."),
    _field("serial", "Serial or identifier", "Serial number, IMEI, asset tag."),
    _field("source", "Source or owner", "From whom or from where it came."),
    _field("collected_where", "Collected where", "Address, room, container."),
    _field("collected_when", "Collected when", "Day, hour and time zone."),
    _field("collected_by", "Collected by", "Name and position."),
    _field("authority", "Authority", "Consent, subpoena, order, agreement."),
    _field("condition", "Condition", "As found: damage, power state, missing parts."),
    _field("seal", "Seal no.", "Number and kind of the seal."),
    _field("hash", "Digest, if it holds data", "Algorithm and value, and of what it was taken."),
    _field("photo", "Photograph", "The exhibit number of the photograph, if there is one."),
)
_TRANSFER = (
    _field("when", "Date and time", "With the time zone."),
    _field("released_by", "Released by", "Name."),
    _field("received_by", "Received by", "Name."),
    _field("purpose", "Purpose", "Why it changed hands."),
    _field("method", "Method and place", "In person, courier, storage; where."),
    _field("condition", "Condition and seal", "As handed over; seal number; whether intact."),
    _field("hash", "Digest verified", "Yes, no, or not applicable."),
)
_HEAD = (
    "Date and time",
    "Released by, signature",
    "Received by, signature",
    "Purpose; method and place",
    "Condition, seal; digest verified",
)
_EMPTY_ROWS = 5  # to write on, beside what is filled in


def _write(record: Record, request: Request) -> Document:
    given = request.given
    rows: list[tuple[str, Cell]] = [("Case", f"{record.case.number} · {record.case.title}")]
    rows += [(field.label, given.text(field.name) or (given.run(field.name),)) for field in _ITEM]
    if record.exhibits:
        rows.append(("Pictures in the record", ", ".join(f"{facts.name}" for facts in record.exhibits)))
    filled = [_transfer(row) for row in request.rows]
    blocks: list[Block] = [
        Heading("The item"),
        Facts(tuple(rows)),
        Heading("Every transfer"),
        Note(
            "Each person who hands the item over, and each who receives it, signs in the row. Storage counts as a "
            "person: who puts it in and who takes it out."
        ),
        Table(
            _HEAD,
            (0.95, 1.4, 1.4, 0, 1.4),
            (*filled, *(((Room(0.45),), "", "", "", "") for _ in range(_EMPTY_ROWS))),
            ruled=True,
        ),
        Heading("Final disposition"),
        Facts((("Disposition", (given.run("disposition"),)), ("Authorized by", (given.run("disposed_by"),)))),
        Signature("Disposition", "signature of who disposed of the item or gave it back, and date"),
    ]
    number = given.text("item")
    return Document(
        title="Chain of Custody",
        subtitle=f"physical item {number}".strip(),
        caption=None,
        sections=(
            Section(f"Item {number or '________'} · {record.case.number} · paper {record.paper}", tuple(blocks)),
        ),
        paper=record.paper,
        made=record.made,
        legend=False,
        draft=request.draft,
    )


def _transfer(row: Given) -> tuple[Cell, ...]:
    """What was given, with room for the two signatures."""
    both = f"{row.text('purpose')}; {row.text('method')}".strip("; ")
    state = f"{row.text('condition')}; digest: {row.text('hash', 'not stated')}".strip("; ")
    return row.text("when"), (row.text("released_by"), Room(0.4)), (row.text("received_by"), Room(0.4)), both, state


KIND = Kind(
    name="custody-form",
    title="Chain-of-custody form for a physical item",
    help="An item’s description and its transfers, filled from what is given, with lines for the next ones and for "
    "signatures.",
    exhibits="any",
    fields=(
        *_ITEM,
        _field("disposition", "Disposition", "Given back, destroyed, filed with the court: to whom, when."),
        _field("disposed_by", "Authorized by", "Who allowed it."),
    ),
    rows=Rows("transfers", "Transfers", _TRANSFER),
    counsel=(
        "Everything on this form is what people wrote. Deedbox checks none of it: not the item, not the seal, not "
        "the signatures.",
        "The filled form is a record only once it is signed; scan it and capture the scan, so that it has a digest "
        "and a time.",
    ),
    write=_write,
)
