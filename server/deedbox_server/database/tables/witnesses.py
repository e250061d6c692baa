"""Who witnesses this box's log, and whose logs this box witnesses."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Boolean, Bytea, Integer, Text, Timestamptz


class AskedWitness(Table, tablename="asked_witness"):
    """One whom the box asks to cosign. `size` is what it cosigned last; `state`, `status`, `told`, `why` are its last answer."""

    id = UUID(primary_key=True)
    name = Text(unique=True)
    vkey = Text()
    url = Text()
    ca = Text(null=True)
    size = BigInt()
    state = Text()
    status = Integer()
    told = BigInt()
    why = Text()
    changed = Timestamptz()
    asked = Timestamptz(null=True)
    signed = Timestamptz(null=True)
    added = Timestamptz()


class Cosignature(Table, tablename="cosignature"):
    """One witness's line over the box's checkpoint of `size`; `signed` is the time it says, null where it says none. The id is
    size and witness, so that there is one of each.
    """

    id = Text(primary_key=True)
    size = BigInt(index=True)
    witness = Text()
    line = Text()
    signed = Timestamptz(null=True)
    received = Timestamptz()


class WatchedLog(Table, tablename="watched_log"):
    """Another's log. A row is never removed: a witness that forgot what it cosigned could be made to cosign a fork."""

    id = UUID(primary_key=True)
    origin = Text(unique=True)
    vkey = Text()
    watching = Boolean()
    size = BigInt()
    root = Bytea()
    note = Text()
    cosigned = Timestamptz(null=True)
    added = Timestamptz()


class LogMisbehaviour(Table, tablename="log_misbehaviour"):
    """A note that its log's key signed and that did not continue `held`, the note cosigned before it."""

    digest = Bytea(primary_key=True)
    origin = Text(index=True)
    kind = Text()
    size = BigInt()
    note = Text()
    held_size = BigInt()
    held = Text()
    seen = Timestamptz()
