"""What the readers inside a worker share: the shape of what they found, and the one way to say that they could not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from deedbox_server.documents.derived import (
    FACTS,
    JSON_TYPE,
    PDF_TYPE,
    SEARCHABLE_PDF,
    TEXT,
    WORDS,
    PageText,
    PageWords,
    encode_facts,
    encode_text,
    encode_words,
)
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress, ResultFile, WorkerResult
from deedbox_sync.canonical_json import Json

Report = Callable[[Progress], None]


class Unreadable(Exception):
    """This document ends in this state; `note` is a word of ours that says where."""

    def __init__(self, state: ReadState, note: str = "") -> None:
        super().__init__(state.value)
        self.state = state
        self.note = note


@dataclass(frozen=True)
class Reading:
    """What was found. `tools` are the libraries and programs that found it, with their versions."""

    pages: tuple[PageText, ...]
    tools: tuple[str, ...]
    words: tuple[PageWords, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict)
    searchable: bytes | None = None
    note: str = ""

    def result(self) -> WorkerResult:
        """The reading as result files."""
        files = [ResultFile(TEXT, JSON_TYPE, encode_text(self.pages))]
        if self.words:
            files.append(ResultFile(WORDS, JSON_TYPE, encode_words(self.words)))
        facts = {**self.facts, "note": self.note} if self.note else self.facts
        if facts:
            files.append(ResultFile(FACTS, JSON_TYPE, encode_facts(facts)))
        if self.searchable is not None:
            files.append(ResultFile(SEARCHABLE_PDF, PDF_TYPE, self.searchable))
        producer = "; ".join((f"deedbox {version('deedbox')}", *self.tools))
        return WorkerResult(ReadState.READ, len(self.pages), self.note, producer, tuple(files))
