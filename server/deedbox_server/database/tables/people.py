"""Accounts, their keys, devices and how devices came to be trusted."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Boolean, Bytea, Integer, Text, Timestamptz


class Account(Table, tablename="account"):
    """Someone who may sign in. `duties` is a JSON list; `sign_in` is what they call themselves when they do, folded, and `name`
    what others call them; accounts older than sign-in names use their name.
    """

    id = UUID(primary_key=True)
    name = Text(unique=True)
    role = Text()
    password_hash = Text()
    created = Timestamptz()
    disabled = Boolean()
    duties = Text(null=True)
    sign_in = Text(null=True)
    email = Text(null=True)
    version = Integer(null=True)


class ApiKey(Table, tablename="api_key"):
    """A key that acts for one account; only the digest of its secret is kept, and what verifies calls that it signed. Its
    handle is the part that may be shown. `scopes`, `cases` and `networks` are JSON lists of what it is confined to, null is
    all. What begins with `former` is of the secret before the last rotation. A `version` of null is 1.
    """

    id = UUID(primary_key=True)
    handle = Text(unique=True)
    account = UUID(index=True)
    name = Text()
    digest = Bytea()
    created = Timestamptz()
    expires = Timestamptz(null=True)
    revoked = Timestamptz(null=True)
    message_key = Bytea(null=True)
    scopes = Text(null=True)
    cases = Text(null=True)
    networks = Text(null=True)
    rate = Integer(null=True)
    burst = Integer(null=True)
    signed_only = Boolean(null=True)
    last_used = Timestamptz(null=True)
    former_digest = Bytea(null=True)
    former_message_key = Bytea(null=True)
    former_until = Timestamptz(null=True)
    version = Integer(null=True)


class OutsideIdentity(Table, tablename="outside_identity"):
    """Whom a subject of another issuer stands for here; an issuer names a subject once."""

    id = UUID(primary_key=True)
    issuer = Text()
    subject = Text()
    account = UUID(index=True)
    created = Timestamptz()
    last_used = Timestamptz(null=True)


class OidcAttempt(Table, tablename="oidc_attempt"):
    """A sign-in at the firm's directory under way, by the digest of its `state`; `browser` is the digest of the cookie that
    it began with, `account` whom it is to be linked to. Gone once it is used.
    """

    state = Bytea(primary_key=True)
    browser = Bytea()
    nonce = Text()
    verifier = Text()
    return_to = Text()
    account = UUID(null=True)
    expires = Timestamptz(index=True)


class Device(Table, tablename="device"):
    """A paired desk, with the end of its journal as the box knows it. `cases` is a JSON list of ids it is
    confined to.
    """

    id = UUID(primary_key=True)
    account = UUID(index=True)
    name = Text()
    platform = Text()
    statement_key = Bytea()
    created = Timestamptz()
    revoked = Timestamptz(null=True)
    cases = Text(null=True)
    next_sequence = BigInt()
    last_digest = Bytea()


class Certificate(Table, tablename="certificate"):
    """A device certificate that the box's own authority issued, looked up by serial on each request."""

    serial = Text(primary_key=True)
    device = UUID(index=True)
    der = Bytea()
    not_before = Timestamptz()
    not_after = Timestamptz()
    revoked = Timestamptz(null=True)


class PairingCode(Table, tablename="pairing_code"):
    """A one-time code and the state of the exchange that uses it."""

    id = UUID(primary_key=True)
    nameplate = Text(unique=True)
    code = Text()
    account = UUID()
    cases = Text(null=True)
    made_by = Text()
    created = Timestamptz()
    expires = Timestamptz()
    tries = Integer()
    used = Timestamptz(null=True)
    exchange = Text(null=True)
    state = Bytea(null=True)
    grant = Bytea(null=True)


class RenewalNonce(Table, tablename="renewal_nonce"):
    """A nonce that renewed a certificate once and never again."""

    nonce = Bytea(primary_key=True)
    seen = Timestamptz(index=True)


class TrustRecord(Table, tablename="trust_record"):
    """The bytes that a device entry of the log commits to; the id is the entry's record."""

    id = UUID(primary_key=True)
    device = UUID(index=True)
    kind = Text()
    record = Bytea()
    created = Timestamptz()
