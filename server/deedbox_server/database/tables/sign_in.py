"""Invitations, sessions, second factors, and what keeps guessers waiting. Of every secret but TOTP's only a digest is here."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Boolean, Bytea, Integer, Text, Timestamptz


class Invitation(Table, tablename="invitation"):
    """A link that makes an account once (kind `invitation`), or gives one a new password once (`reset`). `duties` and `cases`
    are JSON lists; `account` is the one that it made or is for.
    """

    id = UUID(primary_key=True)
    kind = Text()
    digest = Bytea(unique=True)
    name = Text()
    role = Text()
    email = Text(null=True)
    duties = Text()
    cases = Text()
    account = UUID(null=True, index=True)
    made_by = Text()
    made_by_name = Text()
    created = Timestamptz()
    expires = Timestamptz()
    tries = Integer()
    used = Timestamptz(null=True)
    withdrawn = Timestamptz(null=True)


class PeopleSession(Table, tablename="people_session"):
    """A session that has not ended; ending deletes it. `second`: both factors were shown; `shown`: when the second last was;
    `waived`: begun by an account without a second factor, where the firm asks for none.
    """

    id = UUID(primary_key=True)
    digest = Bytea(unique=True)
    account = UUID(index=True)
    via = Text()
    second = Boolean()
    waived = Boolean()
    shown = Timestamptz(null=True)
    address = Text(null=True)
    agent = Text()
    created = Timestamptz()
    used = Timestamptz()
    expires = Timestamptz()


class TotpSecret(Table, tablename="totp_secret"):
    """What an authenticator app shares with the box; `last_step` is the newest time step whose code was used."""

    id = UUID(primary_key=True)
    account = UUID(index=True)
    secret = Bytea()
    created = Timestamptz()
    confirmed = Timestamptz(null=True)
    last_step = BigInt()


class Passkey(Table, tablename="passkey"):
    """A WebAuthn credential, for the host name `rp` only."""

    id = UUID(primary_key=True)
    credential = Bytea(unique=True)
    account = UUID(index=True)
    name = Text()
    rp = Text()
    public_key = Bytea()
    sign_count = BigInt()
    backed_up = Boolean()
    transports = Text()
    created = Timestamptz()
    used = Timestamptz(null=True)


class RecoveryCode(Table, tablename="recovery_code"):
    """A code that was not used yet."""

    digest = Bytea(primary_key=True)
    account = UUID(index=True)
    created = Timestamptz()


class PasskeyCeremony(Table, tablename="passkey_ceremony"):
    """A WebAuthn challenge that is out; answering deletes it. `session` is None for a sign-in by passkey alone."""

    id = UUID(primary_key=True)
    purpose = Text()
    session = UUID(null=True)
    rp = Text()
    challenge = Bytea()
    expires = Timestamptz(index=True)


class KnownBrowser(Table, tablename="known_browser"):
    """That this account has signed in from the browser that holds this token: its failures are counted apart."""

    id = UUID(primary_key=True)
    digest = Bytea(index=True)
    account = UUID(index=True)
    created = Timestamptz()
    used = Timestamptz()


class SignInFailure(Table, tablename="sign_in_failure"):
    """How often somebody failed of late, and until when no try counts. The key is a digest of whom and from where."""

    key = Bytea(primary_key=True)
    failures = Integer()
    last = Timestamptz(index=True)
    until = Timestamptz()
