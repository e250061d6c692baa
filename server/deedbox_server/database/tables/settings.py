"""Settings that are made at run time rather than in box.toml."""

from piccolo.table import Table

from deedbox_server.database.columns import Text


class Setting(Table, tablename="setting"):
    """A name and its value."""

    name = Text(primary_key=True)
    value = Text()
