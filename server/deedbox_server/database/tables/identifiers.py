"""Identifiers, who may mint them, and the nonces of signed calls."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Bytea, Integer, Text, Timestamptz


class MessageNonce(Table, tablename="message_nonce"):
    """A nonce that a signed call used: the API key's 16 bytes and the nonce's."""

    nonce = Bytea(primary_key=True)
    seen = Timestamptz(index=True)


class IdentifierCounter(Table, tablename="identifier_counter"):
    """The one row that says which counters no process of the box has been given yet."""

    id = Integer(primary_key=True)
    next = BigInt()


class IdentifierIssuer(Table, tablename="identifier_issuer"):
    """A VRF key: the box's, a desk's or a fallback service's. `record` is its `id.issuer` entry."""

    key = Bytea(primary_key=True)
    kind = Text()
    namespace = Text(unique=True)
    name = Text()
    device = UUID(null=True)
    record = UUID()
    created = Timestamptz()
    revoked = Timestamptz(null=True)


class IdentifierBatch(Table, tablename="identifier_batch"):
    """What was minted or reconciled at once; the id is its log entry's record. `asked` is the caller and the idempotency
    key, `request` the digest of what was asked; the last three say how many identifiers came from issuers of each kind.
    """

    id = UUID(primary_key=True)
    kind = Text()
    asked = Text(null=True, unique=True)
    request = Bytea(null=True)
    created = Timestamptz(index=True)
    box = Integer()
    device = Integer()
    fallback = Integer()


class Identifier(Table, tablename="identifier"):
    """The 80 bits and the mint record as canonical JSON; `made_in` is the batch, in whose array the record has its `place`.
    `canonical` is what another issuer's identifier resolves to; `exhibit` what the box was told that its own names; `device` and
    `content` say the same of a desk's, whose exhibit may come later.
    """

    value = Bytea(primary_key=True)
    made_in = UUID(index=True)
    place = Integer()
    record = Bytea()
    canonical = Bytea(null=True, index=True)
    exhibit = UUID(null=True, index=True)
    device = UUID(null=True)
    content = Bytea(null=True, index=True)
