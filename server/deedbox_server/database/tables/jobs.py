"""Work to be done, and what of it is done."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigSerial, DoublePrecision, Integer, Text, Timestamptz


class Job(Table, tablename="job"):
    """One piece of work; its arguments are ids."""

    id = UUID(primary_key=True)
    kind = Text()
    subject = UUID(index=True)
    args = Text()
    state = Text()
    priority = Integer()
    run_at = Timestamptz()
    attempts = Integer()
    max_attempts = Integer()
    lease_until = Timestamptz(null=True)
    worker = Text()
    progress = DoublePrecision()
    dedup = Text(null=True, unique=True)
    error = Text()
    created = Timestamptz()
    finished = Timestamptz(null=True)


class JobStep(Table, tablename="job_step"):
    """A step that need not be done again, and what it gave."""

    id = BigSerial(primary_key=True)
    job = UUID()
    name = Text()
    output = Text()
