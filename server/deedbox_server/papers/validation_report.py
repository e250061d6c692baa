"""Tool validation report, in the sections that NIST's computer forensics tool tests have: made from a run on this box."""

from __future__ import annotations

from deedbox_server.evidence.paper_words import byte_count, moment
from deedbox_server.papers.document import Block, Document, Facts, Heading, Mono, Paragraph, Section, Table, Whose
from deedbox_server.papers.facts import Record
from deedbox_server.papers.fields import Field
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.validation_run import Check, Validation
from deedbox_server.papers.wording import DECLARANT_FIELDS, declarant_signature, digest_cell, recorded

_STAYS = "test exhibits stay in this case"


def write_report(record: Record, request: Request, run: Validation) -> Document:
    """The report of a run, the bad with the good."""
    given = request.given
    bad = run.deviations
    passed = len(run.checks) - len(bad)
    result = (
        f"All {len(run.checks)} checks gave the expected result."
        if not bad
        else f"{passed} of {len(run.checks)} checks gave the expected result; {len(bad)} did not, or could not be run "
        "(section 6)."
    )
    blocks: list[Block] = [
        Heading("1. Summary of results"),
        recorded(f"{result} The run began on {moment(run.began)} and ended on {moment(run.ended)}."),
        Heading("2. Tool and environment"),
        Facts((("System", f"{record.box} ({record.box_id})"), ("Log", record.log), *run.environment)),
        Heading("3. Test data"),
        recorded("Files of known content, the same in every run of this version:"),
        Table(
            ("File", "Size", "Why", "SHA-256"),
            (1.4, 0.8, 0, 2.55),
            tuple(
                (file.name, byte_count(len(file.data)), file.why, digest_cell(bytes.fromhex(file.sha256)))
                for file in run.files
            ),
        ),
        Heading("4. Procedure"),
        *(recorded(text) for text in _PROCEDURE),
        Heading("5. Results"),
        _results(run.checks),
        Heading("6. Deviations"),
        *(
            [recorded("None.")]
            if not bad
            else [recorded(f"{one.number}: {one.what}. Expected: {one.expected}. Found: {one.found}.") for one in bad]
        ),
        Heading("7. What was not tested"),
        *(recorded(text) for text in _LIMITS),
        Heading("8. Who ran it"),
        Paragraph(
            (
                "The run was ordered and this report was reviewed by ",
                given.run("declarant"),
                ", ",
                given.run("title"),
                ", on ",
                given.run("executed_on"),
                ".",
            ),
            Whose.DECLARANT,
            sticky=True,
        ),
        declarant_signature(given),
    ]
    return Document(
        title="Tool Validation Report",
        subtitle=f"Deedbox {record.version} on {record.box}",
        caption=None,
        sections=(Section(f"Tool validation · {record.case.number} · paper {record.paper}", tuple(blocks)),),
        paper=record.paper,
        made=record.made,
        draft=request.draft,
    )


def _results(checks: tuple[Check, ...]) -> Table:
    words = {True: "pass", False: "FAIL", None: "not run"}
    rows = tuple(
        (check.number, check.what, _shown(check.expected), _shown(check.found), words[check.passed]) for check in checks
    )
    return Table(("Test", "What", "Expected", "Found", "Result"), (0.45, 0, 1.35, 1.35, 0.5), rows)


def _shown(text: str) -> str | tuple[Mono]:
    """A digest by its first six bytes: the whole ones are in section 3."""
    return (Mono(f"{_fours(text[:12])} …"),) if len(text) == _HEX else text


def _fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


_HEX = 64
_PROCEDURE = (
    "T1: SHA-256 of published examples, by the system’s own library, by sha256sum (GNU coreutils) and by openssl, "
    "against the published values.",
    "T2: each file was sent through the intake that takes evidence without a desk, which hashes, encrypts, stores "
    "and logs it; the digest it recorded was held against sha256sum and openssl over the same bytes.",
    "T3: the stored bytes were read back and compared with the file, byte for byte.",
    "T4: the system checked the statement’s signature, the stored bytes, and the proof that the log has the exhibit.",
    "T5: one request was sent twice.",
    "T6, T7: the test exhibits were exported, and the export given to the stand-alone verifier in a process of its "
    "own: once as it was, once with one bit of one exhibit changed.",
)
_LIMITS = (
    "Capture by a desk (watched folder, signature by the device’s key, work without a network); time stamps and "
    "witnesses from outside; text recognition; the court papers themselves.",
    "The run shows how the system worked on this day with these files. It does not show that it worked alike on "
    "another day.",
)

KIND = Kind(
    name="validation-report",
    title="Tool validation report",
    help="Runs a set of checks on this box now (a minute or less) and reports them. Test files become exhibits of "
    "the case and stay there: open a case for it.",
    exhibits="none",
    fields=(
        *(field for field in DECLARANT_FIELDS if field.name in ("declarant", "title", "executed_on")),
        Field("agreed", "Test exhibits", f"Must be ‘{_STAYS}’: evidence cannot be taken out again.", choices=(_STAYS,)),
    ),
    counsel=(
        "The sections follow the outline of NIST’s tool test reports (UNCONFIRMED: compare with the current CFTT "
        "format). NIST has not tested this tool.",
        "The system tested itself, with two independent programs for the digests. An outsider’s test is worth more: "
        "have one repeat it, and verify the bundle on another machine.",
    ),
)
