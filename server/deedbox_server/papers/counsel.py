"""Notes for counsel, never part of a filing: what the tool cannot check, and what of the law it quotes is unconfirmed."""

from __future__ import annotations

from collections.abc import Callable

from deedbox_server.papers.document import Block, Document, Facts, Heading, Note, Paragraph, Section
from deedbox_server.papers.facts import ExhibitFacts, Record
from deedbox_server.papers.kind import Kind, Request
from deedbox_server.papers.wording import body_footer, clock_disagreed, clock_words

NOTICE = (
    "Rule 902(11) asks for reasonable written notice to the adverse party before the trial or hearing, and that "
    "record and certification be made available for inspection; 902(13) and (14) refer to it. What notice is "
    "reasonable here, Deedbox does not know."
)
AUTHENTICITY = (
    "The certificate goes to authenticity only. Hearsay, relevance, privilege and the meaning of the content stay "
    "open (committee note to the 2017 amendment, as reported)."
)
SECTION_1746 = (
    "UNCONFIRMED: the words of the declaration follow 28 U.S.C. § 1746 as it stands in unofficial copies; compare "
    "them with the Code in force before anyone signs. The shorter form is for signing within the United States, the "
    "longer for signing outside."
)
PLACES = (
    "The rules for form differ by court (size limits, margins, type, signature blocks, public access). Deedbox sets "
    "letter size, one-inch margins and 12 point; compare with the local rules."
)
REDACTION = (
    "Fed. R. Civ. P. 5.2 and Ill. S. Ct. R. 138: nothing was redacted and nothing was searched for personal "
    "identifiers. File names, account names and places from the record are printed as they are."
)
LAWYER = "This is no legal advice. A lawyer decides whether this paper is the right one, and answers for what is filed."

_ALWAYS = (LAWYER, REDACTION)


def notes(kind: Kind, record: Record, request: Request) -> Document:
    """A document of its own, so that the paper can be filed as it is."""
    blocks: list[Block] = [
        Note(
            "For the file, not for filing. It lists what Deedbox did not and cannot check in this paper, and what it "
            "could not confirm of the law that the paper quotes."
        ),
        Heading("Not checked, and not confirmed"),
        *(Paragraph((text,)) for text in (*kind.counsel, *_ALWAYS)),
    ]
    if found := findings(record):
        blocks += [Heading("In these exhibits, look at"), *(Paragraph((text,)) for text in found[:_MOST])]
        if len(found) > _MOST:
            blocks.append(Note(f"{len(found) - _MOST} more are not listed here."))
    if missing := request.given.missing:
        blocks += [
            Heading("Left open, as blank lines or left out"),
            Facts(tuple((field.label, f"{field.help} ({field.by})") for field in missing)),
        ]
    return Document(
        title="Notes for counsel",
        subtitle=kind.title,
        caption=None,
        sections=(Section(f"Not for filing · {body_footer(record)}", tuple(blocks)),),
        paper=record.paper,
        made=record.made,
        legend=False,
        draft=True,
    )


_MOST = 60


def findings(record: Record) -> list[str]:
    """What a person should look at before relying on these exhibits; what many share is said once."""
    found = []
    for shared, sentence in _SHARED:
        names = [facts.name for facts in record.exhibits if shared(facts)]
        if names:
            found.append(f"{_listed(names)}: {sentence}")
    return found + [text for facts in record.exhibits for text in _own_findings(facts)]


def _own_findings(facts: ExhibitFacts) -> list[str]:
    found = []
    if facts.rehash is not None and not facts.rehash.agrees:
        found.append(
            f"{facts.name} DOES NOT AGREE with the record: {' '.join(facts.rehash.findings)} Do not file this "
            "certificate."
        )
    if clock_disagreed(facts):
        found.append(
            f"{facts.name}: the desk’s clock {clock_words(facts)}. The capture time in the statement is not to be "
            "relied on by itself."
        )
    found += [
        f"{facts.name}: {item.kind.replace('-', ' ')} while reading: {item.detail}."
        for item in facts.captured.exceptions
    ]
    return found


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


_NAMED = 10
_SHARED: tuple[tuple[Callable[[ExhibitFacts], bool], str], ...] = (
    (
        lambda facts: not facts.by_desk,
        "received, not captured. No desk of the firm saw the source, and the sender is known only by how they signed "
        "in.",
    ),
    (
        lambda facts: facts.by_desk and facts.captured.operator.authenticated == "none",
        "who sat at the desk was not authenticated.",
    ),
    (
        lambda facts: facts.bracket.not_after is None,
        "no outside anchor. That it existed by a certain time rests on the firm’s own clocks.",
    ),
    (lambda facts: facts.exhibit.size == 0, "no bytes. The SHA-256 is the one of every empty file."),
    (
        lambda facts: any(event.index is None for event in facts.events),
        "the latest custody events were not in the log yet when this paper was made.",
    ),
)
