"""When what was."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, Text, Timestamptz


class ExhibitDate(Table, tablename="exhibit_date"):
    """A date that an exhibit tells of itself, or a milestone of its custody. Without a `zone` the time is what some clock
    showed, as if it had been in UTC. `case_id` is the exhibit's, here so that a case's timeline is one path.
    """

    id = UUID(primary_key=True)
    case_id = UUID()
    exhibit = UUID(index=True)
    kind = Text()
    time = Timestamptz()
    zone = Text(null=True)
    certainty = Text()
    source = Text()
