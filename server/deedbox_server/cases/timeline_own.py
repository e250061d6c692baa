"""What a case itself puts on its timeline: that it was opened and closed, its events, parties and artifacts."""

from __future__ import annotations

from typing import Final

from deedbox_server.cases.timeline import NO_ID, TimelineSource

_FIRM: Final = "'the firm''s own file'"

OWN_SOURCES: Final = (
    TimelineSource(
        name="opened",
        operation="case.members",  # the firm's roles: how a case was run is nothing for outsiders
        table="legal_case",
        case="id",
        time={
            "sqlite": "COALESCE(CAST(strftime('%s', opened) AS INTEGER) * 1000000, created)",
            "postgres": "COALESCE(CAST(opened || ' UTC' AS timestamptz), created)",
        },
        zone="CASE WHEN opened IS NULL THEN 'UTC' END",
        certainty="CASE WHEN opened IS NULL THEN 'exact' ELSE 'day' END",
        kind="'case-opened'",
        title="'The case was opened'",
        said_by=_FIRM,
    ),
    TimelineSource(
        name="closed",
        operation="case.members",
        table="legal_case",
        case="id",
        where="closed IS NOT NULL",
        time="closed",
        kind="'case-closed'",
        title="'The case was closed'",
        said_by=_FIRM,
    ),
    TimelineSource(
        name="parties",
        operation="party.read",
        table="case_party",
        where="removed IS NULL",
        time="created",
        kind="'party-added'",
        title="name",
        said_by=_FIRM,
    ),
    TimelineSource(
        name="events",
        operation="event.read",
        table="case_event",
        where="removed IS NULL",
        time="starts",
        zone="zone",
        certainty="certainty",
        kind="kind",
        title="title",
        said_by="COALESCE(source, 'the firm''s own file')",
        shared="shared",
    ),
    TimelineSource(
        name="artifacts",
        operation="artifact.read",
        table="case_artifact",
        where="removed IS NULL",
        time="created",
        kind="CASE kind WHEN 'evidence' THEN 'evidence-filed' WHEN 'document' THEN 'document-filed' ELSE 'note-made' END",
        title="title",
        said_by=_FIRM,
        exhibit=NO_ID,  # outsiders see shared artifacts, but know no exhibits
        shared="shared",
    ),
)
