"""Calls that may be repeated."""

from piccolo.table import Table

from deedbox_server.database.columns import Bytea, Integer, Text, Timestamptz


class KeptAnswerRow(Table, tablename="kept_answer"):
    """What a call under an idempotency key was answered.

    `id` is a digest of asker and key, `request` one of what was asked, `run` the start of the box in which it began. Without
    `status`: begun, and not known to have ended. With one and no `body`: done, and the answer not kept.
    """

    id = Bytea(primary_key=True)
    asker = Text(index=True)
    request = Bytea()
    run = Bytea()
    begun = Timestamptz(index=True)
    status = Integer(null=True)
    headers = Text(null=True)
    body = Bytea(null=True)
