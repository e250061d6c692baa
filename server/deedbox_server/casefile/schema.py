"""What the file looks like: tables with foreign keys, views to read, texts to search. Times are RFC 3339 in UTC, ids are text."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1  # of these tables, as `PRAGMA user_version`
APPLICATION: Final = 0x44454544  # "DEED", as `PRAGMA application_id`

TABLES: Final = """
CREATE TABLE readme (position INTEGER PRIMARY KEY, heading TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE cases (
    id TEXT PRIMARY KEY, number TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, kind TEXT, client TEXT, court TEXT,
    docket TEXT, jurisdiction TEXT, labels TEXT, opened TEXT, closed TEXT, created TEXT NOT NULL
);
CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT NOT NULL, role_in_case TEXT);
CREATE TABLE parties (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
    is_organisation INTEGER NOT NULL, aliases TEXT, contacts TEXT, counsel_for TEXT, firm TEXT, bar_number TEXT, notes TEXT,
    created TEXT NOT NULL, removed TEXT
);
CREATE TABLE events (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL, detail TEXT,
    starts TEXT NOT NULL, ends TEXT, zone TEXT, certainty TEXT NOT NULL, time_in_words TEXT NOT NULL, source TEXT,
    shared INTEGER NOT NULL, created TEXT NOT NULL, made_by TEXT REFERENCES people (id), removed TEXT
);
CREATE TABLE exhibits (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL, statement_sha256 TEXT NOT NULL, identifier TEXT, captured TEXT NOT NULL,
    captured_by_desk INTEGER NOT NULL, received TEXT NOT NULL, device TEXT, supersedes TEXT, receipt_log_entry INTEGER
);
CREATE TABLE labels (exhibit TEXT NOT NULL REFERENCES exhibits (id), label TEXT NOT NULL, PRIMARY KEY (exhibit, label));
CREATE TABLE exhibit_dates (
    exhibit TEXT NOT NULL REFERENCES exhibits (id), kind TEXT NOT NULL, time TEXT NOT NULL, zone TEXT, certainty TEXT NOT NULL,
    time_in_words TEXT NOT NULL, source TEXT NOT NULL
);
CREATE INDEX exhibit_dates_exhibit ON exhibit_dates (exhibit);
CREATE TABLE artifacts (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT,
    exhibit TEXT REFERENCES exhibits (id), sha256 TEXT, shared INTEGER NOT NULL, created TEXT NOT NULL,
    made_by TEXT REFERENCES people (id), removed TEXT
);
CREATE TABLE custody (
    id TEXT PRIMARY KEY, exhibit TEXT NOT NULL REFERENCES exhibits (id), number INTEGER NOT NULL, kind TEXT NOT NULL,
    time TEXT NOT NULL, actor TEXT NOT NULL REFERENCES people (id), actor_name TEXT NOT NULL, via TEXT NOT NULL,
    detail TEXT NOT NULL, record_sha256 TEXT NOT NULL, log_entry INTEGER, UNIQUE (exhibit, number)
);
CREATE TABLE derived (
    id TEXT PRIMARY KEY, exhibit TEXT NOT NULL REFERENCES exhibits (id), form TEXT NOT NULL, media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, producer TEXT NOT NULL, created TEXT NOT NULL, custody_number INTEGER NOT NULL
);
CREATE INDEX derived_exhibit ON derived (exhibit);
CREATE TABLE pages (
    id INTEGER PRIMARY KEY, exhibit TEXT NOT NULL REFERENCES exhibits (id), page INTEGER NOT NULL, text TEXT NOT NULL,
    how TEXT NOT NULL, confidence INTEGER, UNIQUE (exhibit, page)
);
CREATE TABLE papers (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    pages INTEGER NOT NULL, created TEXT NOT NULL, made_by TEXT NOT NULL
);
CREATE TABLE timeline (
    position INTEGER PRIMARY KEY, time TEXT NOT NULL, zone TEXT, certainty TEXT NOT NULL, time_in_words TEXT NOT NULL,
    kind TEXT NOT NULL, title TEXT NOT NULL, said_by TEXT NOT NULL, source TEXT NOT NULL, object TEXT NOT NULL,
    exhibit TEXT REFERENCES exhibits (id)
);

CREATE VIRTUAL TABLE pages_fts USING fts5 (text, content="pages", content_rowid="id", tokenize="unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE parties_fts USING fts5 (
    name, aliases, notes, content="parties", content_rowid="position", tokenize="unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE events_fts USING fts5 (
    title, detail, content="events", content_rowid="position", tokenize="unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE artifacts_fts USING fts5 (
    title, body, content="artifacts", content_rowid="position", tokenize="unicode61 remove_diacritics 2");

CREATE VIEW exhibit_list AS SELECT exhibits.number, exhibits.name, exhibits.captured, exhibits.received, exhibits.size,
    (SELECT count(*) FROM pages WHERE pages.exhibit = exhibits.id) AS pages_of_text,
    (SELECT count(*) FROM custody WHERE custody.exhibit = exhibits.id) AS custody_events, exhibits.sha256
    FROM exhibits ORDER BY exhibits.number;
CREATE VIEW custody_list AS SELECT exhibits.number AS exhibit_number, exhibits.name AS exhibit_name, custody.number AS event,
    custody.time, custody.kind, custody.actor_name, custody.via, custody.log_entry
    FROM custody JOIN exhibits ON exhibits.id = custody.exhibit ORDER BY exhibits.number, custody.number;
CREATE VIEW text_list AS SELECT exhibits.number AS exhibit_number, exhibits.name AS exhibit_name, pages.page, pages.text
    FROM pages JOIN exhibits ON exhibits.id = pages.exhibit ORDER BY exhibits.number, pages.page;
"""

# Filled at the end, in one go, from the tables that they are over.
SEARCHED: Final = ("pages_fts", "parties_fts", "events_fts", "artifacts_fts")

README: Final = (
    (
        "What this is",
        "One case, {number} ({title}), as it stood in the box “{box}” when {by} exported it at {time}. The export has the id "
        "{export}; the case's trail and the custody of each exhibit tell of it.",
    ),
    (
        "What is in it",
        "The case, its people, parties, events and artifacts; each exhibit with its labels, dates, custody and the text that was "
        "read from it, page by page; the list of papers; the timeline. {exhibits} exhibits.",
    ),
    (
        "What is not in it",
        "The exhibits' bytes, the places of words on pages, searchable copies, papers themselves, signed statements, log entries "
        "and proofs (a bundle has those), other cases and whether this one is related to any, and who looked for what. "
        "Text was recognised by programs and may be wrong: the exhibit is the evidence, not its text.",
    ),
    (
        "How to compare it",
        "`exhibits.sha256` is the SHA-256 of an exhibit's bytes, as in a bundle's manifest; `custody.record_sha256` is what the "
        "log's entry commits to. Nothing signs this file: it is for reading. For proof, ask for a bundle and use deedbox-verify.",
    ),
    (
        "How to search it",
        "SELECT exhibit, page, snippet(pages_fts, 0, '[', ']', '…', 20) FROM pages_fts JOIN pages ON pages.id = pages_fts.rowid "
        "WHERE pages_fts MATCH 'fence OR gate'; likewise parties_fts, events_fts, artifacts_fts. Begin with the views "
        "exhibit_list, custody_list, text_list and with the table timeline.",
    ),
    (
        "Keep it safe",
        "This file is not encrypted. Whoever has it can read everything above.",
    ),
)
