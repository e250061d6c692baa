"""What every search index promises, whichever database holds it: the same pages for the same query, inside the wall."""

import itertools
import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deedbox_server.database import Database
from deedbox_server.documents.derived import Word
from deedbox_server.documents.indexing import IndexedExhibit, IndexedPage
from deedbox_server.search.fts5 import Fts5Index
from deedbox_server.search.index import MAX_COUNT, ROW_WORDS, Count, SearchIndex
from deedbox_server.search.matching import matches
from deedbox_server.search.postgres import PostgresIndex
from deedbox_server.search.query import Group, Phrase, Query, parse_query

KEY = bytes(range(32))
CASE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
_ids = itertools.count(100)


@pytest.fixture
async def sqlite_index(tmp_path: Path) -> AsyncIterator[SearchIndex]:
    index = await Fts5Index.open(tmp_path / "index.db", KEY)
    yield index
    await index.close()


@pytest.fixture
async def postgres_index(postgres_database: Database) -> SearchIndex:
    return await PostgresIndex.open(postgres_database)


@pytest.fixture(params=["sqlite", "postgres"])
def index(request: pytest.FixtureRequest) -> SearchIndex:
    found: SearchIndex = request.getfixturevalue(f"{request.param}_index")
    return found


async def put(index: SearchIndex, *pages: str, case: uuid.UUID = CASE, name: str = "") -> uuid.UUID:
    exhibit = uuid.UUID(int=next(_ids))
    texts = [IndexedPage(0, name)] * bool(name) + [IndexedPage(number, text) for number, text in enumerate(pages, 1)]
    await index.put(IndexedExhibit(exhibit, case, tuple(texts)))
    return exhibit


async def found(index: SearchIndex, query: str, *cases: uuid.UUID) -> list[tuple[uuid.UUID, int]]:
    hits = (await index.find(parse_query(query), cases or (CASE,))).hits
    counted = await index.count(parse_query(query), cases or (CASE,))
    assert counted == Count(len({hit.exhibit for hit in hits}), len(hits))
    return [(hit.exhibit, hit.page) for hit in hits]


PAGE = (
    "The boundary is the old stone wall of Mr Ødegård and Ms Müller's. O'Brien, 12/2024, clerk@court.example, evi-\n"
    "dence 東京都 ภาษาไทย हिन्दी العَرَبِيَّة 서울에서 Ёлка Αθήνα"
)
QUERIES = [
    ("wall", True),
    ("WALL", True),
    ("wall boundary", True),
    ("wall brook", False),
    ('"stone wall"', True),
    ('"wall stone"', False),
    ("bound*", True),
    ("bound", False),
    ('"old sto*"', True),
    ('"old sto"*', True),
    ("brook OR wall", True),
    ("brook OR river", False),
    ("wall -stone", False),
    ("wall -brook", True),
    ('wall -"stone house"', True),
    ('wall -"stone wall"', False),
    ("brook OR wall -stone", False),
    ("wall -bro*", True),
    ("wall -sto*", False),
    ("-brook", False),
    ("", False),
    ("odegard", True),
    ("Ødegård", True),
    ("muller", True),
    ("MÜLLER's", True),
    ("müller", True),
    ("obrien", False),
    ("O'Brien", True),
    ("o brien", True),
    ("12/2024", True),
    ("2024/12", False),
    ("clerk@court.example", True),
    ("evidence", True),
    ("東京", True),
    ("京都", True),
    ("東都", False),
    ("ภาษา", True),
    ("हिन्दी", True),
    ("العربية", True),
    ("서울", True),
    ("елка", True),
    ("ΑΘΗΝΑ", True),
]


async def test_a_query_finds_what_it_means(index: SearchIndex) -> None:
    exhibit = await put(index, PAGE)
    wrong = [query for query, fits in QUERIES if await found(index, query) != ([(exhibit, 1)] if fits else [])]
    assert wrong == []


async def test_random_queries_find_what_a_plain_search_finds(index: SearchIndex) -> None:
    chance = random.Random(20240517)
    words = ["gate", "gates", "wall", "walls", "brook", "Łódź", "lodz", "o'brien", "東京", "東"]
    pages = {await put(index, text): text for text in (" ".join(chance.choices(words, k=9)) for _ in range(40))}
    for _ in range(250):
        query = parse_query(" ".join(_random_piece(chance, words) for _ in range(chance.randint(1, 5))))
        fitting = {(exhibit, 1) for exhibit, text in pages.items() if _fits(query, text)}
        assert {(hit.exhibit, hit.page) for hit in (await index.find(query, (CASE,), limit=100)).hits} == fitting, query


def _random_piece(chance: random.Random, words: list[str]) -> str:
    piece = chance.choice(
        [chance.choice(words), f'"{chance.choice(words)} {chance.choice(words)}"', f"{chance.choice(words)[:3]}*", "OR"]
    )
    return f"-{piece}" if chance.random() < 0.2 else piece


def _fits(query: Query, text: str) -> bool:
    def has(phrase: Phrase) -> bool:
        return bool(matches(Query((Group((phrase,)),)), text))

    return any(all(map(has, group.wanted)) and not any(map(has, group.barred)) for group in query.groups)


async def test_words_must_stand_on_one_page(index: SearchIndex) -> None:
    exhibit = await put(index, "the gate", "the fence")
    assert await found(index, "gate fence") == []
    assert await found(index, "the") == [(exhibit, 1), (exhibit, 2)]


async def test_the_newest_exhibit_comes_first_and_its_pages_in_order(index: SearchIndex) -> None:
    older, newer = await put(index, "gate", "gate", name="gate"), await put(index, "gate", "none", "gate")
    assert await found(index, "gate") == [(newer, 1), (newer, 3), (older, 0), (older, 1), (older, 2)]


async def test_nothing_outside_the_wall_is_found_or_counted(index: SearchIndex) -> None:
    mine, theirs = await put(index, "gate"), await put(index, "gate secret", case=OTHER)
    assert await found(index, "gate", CASE) == [(mine, 1)]
    assert await found(index, "secret", CASE) == []
    assert await found(index, "gate", CASE, OTHER) == [(theirs, 1), (mine, 1)]
    assert (await index.find(parse_query("gate"), ())).hits == ()
    assert await index.count(parse_query("gate"), ()) == Count(0, 0)
    assert await index.count(parse_query("gate"), (uuid.UUID(int=3),)) == Count(0, 0)


async def test_a_long_list_goes_on_where_it_stopped(index: SearchIndex) -> None:
    exhibits = [await put(index, "gate", "gate") for _ in range(4)]
    seen, after = [], None
    for _ in range(3):
        part = await index.find(parse_query("gate"), (CASE,), after=after, limit=3)
        seen += [(hit.exhibit, hit.page) for hit in part.hits]
        after = part.after
    assert after is None
    assert seen == [(exhibit, page) for exhibit in reversed(exhibits) for page in (1, 2)]


async def test_counting_stops_where_nobody_reads_on(index: SearchIndex) -> None:
    pages = tuple(IndexedPage(number, "gate") for number in range(1, MAX_COUNT + 3))
    await index.put(IndexedExhibit(uuid.UUID(int=9), CASE, pages))
    assert await index.count(parse_query("gate"), (CASE,)) == Count(1, MAX_COUNT, more=True)


async def test_putting_again_replaces(index: SearchIndex) -> None:
    exhibit = await put(index, "gate", "wall")
    await put(index, "gate")
    await index.put(IndexedExhibit(exhibit, OTHER, (IndexedPage(1, "brook"),)))
    assert await found(index, "wall", CASE, OTHER) == []
    assert await found(index, "brook", CASE) == []
    assert await found(index, "brook", OTHER) == [(exhibit, 1)]


async def test_what_is_forgotten_is_not_found(index: SearchIndex) -> None:
    gone, kept = await put(index, "gate"), await put(index, "gate")
    await index.forget([gone, uuid.UUID(int=7)])
    await index.purge()
    assert await found(index, "gate") == [(kept, 1)]
    assert await index.exhibits() == {kept}


async def test_an_exhibit_without_words_is_known_and_not_found(index: SearchIndex) -> None:
    exhibit = await put(index, "", " … ")
    assert await index.exhibits() == {exhibit}
    assert await found(index, "gate") == []


async def test_a_hit_shows_its_words_marked_and_their_boxes(index: SearchIndex) -> None:
    text = "x " * 300 + "the old\nstone wall runs on " + "y " * 300
    at = text.index("stone")
    words = (
        Word(at - 8, at - 5, 95, (1, 1, 2, 2)),
        Word(at, at + 5, 95, (1000, 2000, 1500, 2100)),
        Word(at + 6, at + 10, 80, (1600, 2000, 1900, 2100)),
    )
    await index.put(IndexedExhibit(uuid.UUID(int=9), CASE, (IndexedPage(4, text, words),)))
    [hit] = (await index.find(parse_query('"Stone Wall"'), (CASE,))).hits
    assert hit.page == 4
    assert [hit.snippet.text[low:high] for low, high in hit.snippet.highlights] == ["stone wall"]
    assert "the old stone wall runs on" in hit.snippet.text
    assert hit.snippet.text[0] == hit.snippet.text[-1] == "…"
    assert hit.boxes == ((1000, 2000, 1500, 2100), (1600, 2000, 1900, 2100))


async def test_a_page_longer_than_a_row_is_found_to_its_end_with_places_that_fit(index: SearchIndex) -> None:
    text = "filler " * (ROW_WORDS + 10) + "needle"
    at = text.index("needle")
    words = (Word(0, 6, None, (0, 0, 9, 9)), Word(at, at + 6, None, (5, 6, 7, 8)))
    await index.put(IndexedExhibit(uuid.UUID(int=9), CASE, (IndexedPage(1, text, words),)))
    [hit] = (await index.find(parse_query("needle"), (CASE,))).hits
    assert hit.page == 1
    assert hit.snippet.text.endswith("needle")
    assert hit.boxes == ((5, 6, 7, 8),)


async def test_hostile_words_are_only_words(index: SearchIndex) -> None:
    exhibit = await put(index, "'); DROP TABLE page; -- words:* NEAR(a b) \\ ' \" <-> & ! {col} : ^x")
    for query in ("drop table", "near a", "words:*", "col", "^x", "' OR 1=1", "{} %s $1 ?"):
        await index.find(parse_query(query), (CASE,))
    assert await found(index, "drop") == [(exhibit, 1)]


async def test_opening_again_finds_everything_as_it_was(tmp_path: Path, postgres_database: Database) -> None:
    for make in (lambda: Fts5Index.open(tmp_path / "index.db", KEY), lambda: PostgresIndex.open(postgres_database)):
        index = await make()
        assert index.is_new
        exhibit = await put(index, "gate")
        await index.close()
        again = await make()
        assert not again.is_new
        assert await found(again, "gate") == [(exhibit, 1)]
        await again.close()
