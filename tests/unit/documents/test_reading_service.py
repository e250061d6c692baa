"""From a received exhibit to a word found: the job, its derived documents, its states, and a second try."""

import asyncio
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from deedbox_checkout.samples import HIDDEN_WORD, make_samples
from deedbox_server.documents.derived import By, PageText, encode_text
from deedbox_server.documents.dispatcher import Dispatcher
from deedbox_server.documents.limits import MIB, WorkerLimits
from deedbox_server.documents.sandbox import SandboxUnavailable
from deedbox_server.documents.service import READ_DOCUMENT, Reading, reading_jobs
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress, ResultFile, WorkerResult
from deedbox_server.evidence.commit import Received
from deedbox_server.jobs import Handlers, JobState, JobStatus, Runner
from deedbox_server.search.index import SearchIndex
from deedbox_server.search.service import Search, rebuild
from kit.open_box import Office


@dataclass
class ScriptedDispatcher:
    """Answers as told, in order, and remembers what it was given."""

    answers: list[WorkerResult]
    given: list[bytes] = field(default_factory=list)

    async def read(self, source, progress=lambda _: None) -> WorkerResult:
        self.given.append(b"".join([piece async for piece in source.read(0, source.size)]))
        progress(Progress(1, 2))
        return self.answers.pop(0)

    async def sandbox(self) -> None:
        raise SandboxUnavailable("bubblewrap is not installed")


def texts(text: str, *, pages: int = 1) -> WorkerResult:
    file = ResultFile("text", "application/json", encode_text([PageText(1, text, By.DIGITAL)]))
    return WorkerResult(ReadState.READ, pages, "", "tests 1.0", (file,))


def ended(state: ReadState) -> WorkerResult:
    return WorkerResult(state, 0, "", "")


BOTH = pytest.mark.parametrize("office_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def office_url(request: pytest.FixtureRequest) -> str | None:
    """SQLite, unless a test says BOTH: what is promised of the databases is promised elsewhere."""
    return request.getfixturevalue("postgres_url") if getattr(request, "param", "") == "postgres" else None


@pytest.fixture
def index(desk_and_box: Office) -> SearchIndex:
    return desk_and_box.box.index


class Readers:
    """The reading side of an office's box, as the application puts it together."""

    def __init__(self, office: Office, index: SearchIndex, dispatcher) -> None:
        self.office, self.index = office, index
        self.reading = Reading(
            office.box.database, office.box.vault, office.box.deriver, dispatcher, index, office.box.jobs
        )
        self.handlers = Handlers()
        self.reading.register(self.handlers)

    async def receive(self, name: str, content: bytes) -> JobStatus:
        """Send one file and work until its job has ended, or waits for another attempt."""
        box = self.office.box
        box.committer.readers[:] = [reading_jobs]
        sequencing = asyncio.create_task(box.sequencer.run())
        await box.intake.batch(self.office.desk.sender(self.office.owner.id), [self.office.desk.item(name, content)])
        sequencing.cancel()
        exhibit = (await box.exhibits.page(self.office.principal, limit=500))[-1]
        return await self.work(exhibit.id)

    async def work(self, exhibit) -> JobStatus:
        runner = Runner(self.office.box.jobs, self.handlers, alone=True, poll=0.05)
        running = asyncio.create_task(runner.run())
        while not ((status := (await self.office.box.jobs.status([exhibit]))[-1]).state.ended or status.error):
            await asyncio.sleep(0.02)
        runner.stop()
        await running
        return status

    async def forms(self, exhibit) -> dict[str, str]:
        return {item.form: item.media_type for item in await self.office.box.exhibits.derived([exhibit])}

    async def found(self, typed: str, **within) -> list[tuple]:
        search = Search(self.office.box.database, self.office.box.permissions, self.index)
        hits = (await search.find(self.office.principal, typed, **within)).found.hits
        return [(hit.exhibit, hit.page) for hit in hits]


async def test_a_scan_becomes_searchable_evidence_with_its_own_log_entries(desk_and_box, index, tmp_path):
    make_samples(tmp_path, large_mb=0)
    letter = next(tmp_path.glob("Letter*"))
    limits = WorkerLimits(memory_bytes=1500 * MIB, seconds=120.0, scratch_bytes=256 * MIB)
    box = desk_and_box.box
    dispatcher = Dispatcher(hidden=(box.settings.data,), limits=limits, languages=("eng",), slots=1)
    readers = Readers(desk_and_box, index, dispatcher)
    status = await readers.receive(letter.name, letter.read_bytes())
    assert (status.state, status.progress) == (JobState.DONE, 1.0)
    assert await readers.forms(status.subject) == {
        "text": "application/json",
        "words": "application/json",
        "facts": "application/json",
        "searchable-pdf": "application/pdf",
    }
    search = Search(box.database, box.permissions, index)
    results = await search.find(desk_and_box.principal, HIDDEN_WORD.lower())
    [hit] = results.found.hits
    assert (hit.exhibit, hit.page, results.count.pages) == (status.subject, 1, 1)
    [(low, high)] = hit.snippet.highlights
    assert hit.snippet.text[low:high] == HIDDEN_WORD
    assert len(hit.boxes) == 1
    await desk_and_box.settle()
    events = [item.event for item in await box.exhibits.derived([status.subject])]
    assert sorted(events) == [2, 3, 4, 5]


async def test_what_has_no_text_is_found_by_its_name(desk_and_box, index):
    readers = Readers(desk_and_box, index, ScriptedDispatcher([ended(ReadState.NOTHING_TO_READ)]))
    status = await readers.receive("Türkamera Łódź.rec", bytes(5000))
    assert status.state is JobState.DONE
    assert await readers.forms(status.subject) == {}
    assert await readers.found("lodz") == [(status.subject, 0)]


@pytest.mark.parametrize(
    ("state", "job", "error"),
    [
        (ReadState.TOO_LARGE, JobState.TOO_LARGE, "too-large"),
        (ReadState.LOCKED, JobState.FAILED, "locked"),
        (ReadState.DAMAGED, JobState.FAILED, "damaged"),
        (ReadState.OUT_OF_TIME, JobState.FAILED, "out-of-time"),
        (ReadState.NO_SANDBOX, JobState.FAILED, "no-sandbox"),
        (ReadState.LANGUAGE_MISSING, JobState.FAILED, "language-missing"),
    ],
)
async def test_each_state_is_seen_in_the_job_and_the_name_is_found_all_the_same(desk_and_box, index, state, job, error):
    readers = Readers(desk_and_box, index, ScriptedDispatcher([ended(state)]))
    status = await readers.receive("Gartenzaun.pdf", b"%PDF-")
    assert (status.state, status.error) == (job, error)
    assert await readers.found("gartenzaun") == [(status.subject, 0)]


@BOTH
async def test_a_worker_that_died_is_tried_once_more(desk_and_box, index):
    dispatcher = ScriptedDispatcher([ended(ReadState.WORKER_DIED), texts("the gate")])
    readers = Readers(desk_and_box, index, dispatcher)
    status = await readers.receive("a.pdf", b"%PDF-")
    assert status.state is JobState.QUEUED
    await desk_and_box.box.database.execute("UPDATE job SET run_at = created, error = ''")
    assert (await readers.work(status.subject)).state is JobState.DONE
    assert await readers.found("gate") == [(status.subject, 1)]


async def test_what_waited_for_the_sandbox_is_read_once_it_is_there(desk_and_box, index):
    dispatcher = ScriptedDispatcher([ended(ReadState.NO_SANDBOX), texts("the gate")])
    readers = Readers(desk_and_box, index, dispatcher)
    status = await readers.receive("a.pdf", b"%PDF-")
    assert await readers.reading.problem() == "bubblewrap is not installed"
    await readers.reading.try_again()
    assert (await readers.work(status.subject)).state is JobState.DONE
    assert await readers.found("gate") == [(status.subject, 1)]


@pytest.mark.parametrize(
    "answer",
    [
        texts("two pages are promised", pages=2),
        WorkerResult(ReadState.READ, 0, "", "x", (ResultFile("text", "application/json", b"{}"),)),
        WorkerResult(ReadState.READ, 0, "", "x", (ResultFile("text", "application/pdf", b"%PDF-"),)),
        WorkerResult(ReadState.READ, 0, "", "x", (ResultFile("searchable-pdf", "application/pdf", b"MZ"),)),
        WorkerResult(ReadState.READ, 0, "", "x", (ResultFile("program", "application/json", b"{}"),)),
        WorkerResult(ReadState.READ, 0, "what the letter says", "x"),
    ],
)
async def test_an_answer_that_is_not_what_it_says_is_thrown_away(desk_and_box, index, answer):
    readers = Readers(desk_and_box, index, ScriptedDispatcher([answer]))
    status = await readers.receive("a.pdf", b"%PDF-")
    assert (status.state, status.error) == (JobState.FAILED, "worker-refused")
    assert await readers.forms(status.subject) == {}


async def test_a_job_that_stopped_after_storing_goes_on_with_the_index(desk_and_box, index, monkeypatch):
    dispatcher = ScriptedDispatcher([texts("the gate")])
    readers = Readers(desk_and_box, index, dispatcher)
    put, calls = index.put, []

    async def fail_once(exhibit):
        calls.append(exhibit)
        if len(calls) == 1:
            raise OSError("the power failed")
        await put(exhibit)

    monkeypatch.setattr(index, "put", fail_once)
    status = await readers.receive("a.txt", b"the gate")
    await desk_and_box.box.database.execute("UPDATE job SET run_at = created, error = ''")
    assert (await readers.work(status.subject)).state is JobState.DONE
    assert len(dispatcher.given) == 1
    assert list(await readers.forms(status.subject)) == ["text"]


@BOTH
async def test_an_index_that_was_lost_is_rebuilt_from_the_derived_documents(desk_and_box, index, tmp_path):
    box = desk_and_box.box
    readers = Readers(desk_and_box, index, ScriptedDispatcher([texts("the gate"), texts("the wall")]))
    first = await readers.receive("a.txt", b"1")
    second = await readers.receive("b.txt", b"2")
    await index.forget([first.subject, second.subject])
    assert await readers.found("gate OR wall") == []
    assert await rebuild(box.database, index, readers.reading.index_exhibit) == 2
    assert await readers.found("gate OR wall") == [(second.subject, 1), (first.subject, 1)]
    assert await readers.found('"b txt"') == [(second.subject, 0)]


async def test_damage_to_one_exhibit_hides_no_other_from_the_index(desk_and_box, index):
    box = desk_and_box.box
    readers = Readers(desk_and_box, index, ScriptedDispatcher([texts("the gate"), texts("the wall")]))
    damaged = await readers.receive("a.txt", b"1")
    whole = await readers.receive("b.txt", b"2")
    await index.forget([damaged.subject, whole.subject])
    await box.database.execute(
        "UPDATE blob SET size = size + 1 WHERE id IN (SELECT blob FROM derived WHERE exhibit = {})", damaged.subject
    )
    await rebuild(box.database, index, readers.reading.index_exhibit)
    assert await readers.found("gate OR wall") == [(whole.subject, 1)]


async def test_a_case_that_may_not_be_seen_is_one_in_which_nothing_fits(desk_and_box, index):
    readers = Readers(desk_and_box, index, ScriptedDispatcher([texts("the gate")]))
    status = await readers.receive("a.txt", b"1")
    assert await readers.found("gate", case=desk_and_box.case.id) == [(status.subject, 1)]
    assert await readers.found("gate", case=uuid4()) == []


async def test_one_exhibit_is_read_once_however_often_it_is_asked_for(desk_and_box, index):
    readers = Readers(desk_and_box, index, ScriptedDispatcher([texts("the gate")]))
    status = await readers.receive("a.txt", b"1")
    received = Received(status.subject, desk_and_box.case.id, "a.txt", 1, b"1")
    await desk_and_box.box.jobs.enqueue_many(reading_jobs(received))
    assert [job.kind for job in await desk_and_box.box.jobs.status([status.subject])] == [READ_DOCUMENT]
