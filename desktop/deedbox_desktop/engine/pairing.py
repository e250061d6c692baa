"""Pairing with a box by its address and a one-time code."""

import platform
from contextlib import closing, suppress
from datetime import UTC, datetime

from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.box.tls import stranger_context
from deedbox_desktop.engine.errors import BoxUnreachable, DeskError
from deedbox_desktop.engine.journal import facts, statements
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.model import BoxFacts
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_disk import durable
from deedbox_sync.device_certificate import NotValidNow
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.pairing import Answer, Call, desk_pairing
from deedbox_sync.pairing_code import parse_code
from deedbox_sync.pairing_messages import MAX_BODY, MAX_LABEL
from deedbox_sync.recovery import wrap_to_recovery

_TRIES = 3  # of one request whose answer is lost: the same again gives the same


class PairingFailed(DeskError):
    """The box was not paired with; the text says why."""


def pair(url: str, code_text: str, name: str, keys: DeskKeys, state: StateFolder, journal: Journal) -> BoxFacts:
    """Pair, and keep what the box granted: durable in the journal, and the spool key wrapped to the firm's recovery key.

    Errors: PairingFailed, BoxError. A desk whose journal has statements is never paired again: they are another device's chain.
    """
    if journal.read(statements.head).sequence:
        raise PairingFailed(
            "This desk has captured for a box already. To pair anew, begin with a new state folder (--state)."
        )
    try:
        code = parse_code(code_text)
    except FormatError as error:
        raise PairingFailed("That is not a pairing code. It looks like 123-ABCDE-FGH45.") from error
    steps = desk_pairing(
        code,
        name=_label(name),
        platform=_label(f"{platform.system()} {platform.release()}"),
        tls_key=keys.tls_key,
        statement_key=keys.statement_key.public_key().public_bytes_raw(),
        now=datetime.now(UTC),
    )
    try:
        with closing(HttpsPeer(url, stranger_context())) as peer:
            call = next(steps)
            while True:
                call = steps.send(_ask(peer, call))
    except StopIteration as finished:
        grant = finished.value
    except NotValidNow as error:
        here = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        raise PairingFailed(
            f"By this computer's clock ({here}) the box's certificates are not valid. Set the clock, and pair again."
        ) from error
    except ProofError as error:
        raise PairingFailed(f"This is not the box that made the code, or the code is wrong: {error}.") from error
    except FormatError as error:
        raise PairingFailed(f"The box's answer cannot be understood: {error}.") from error
    box = BoxFacts(
        device=grant.device,
        device_name=_label(name),
        account=grant.account,
        account_name=grant.account_name,
        ca=grant.ca,
        certificate=grant.certificate,
        device_url=grant.device_url,
        people_url=url.rstrip("/"),
        origin=grant.origin,
        vkey=grant.vkey,
    )
    durable.write_file(state.recovery, wrap_to_recovery(grant.recovery_key, keys.spool))
    journal.write(lambda db: facts.put_box(db, box))
    return box


def _ask(peer: HttpsPeer, call: Call) -> Answer:
    for _ in range(_TRIES - 1):
        with suppress(BoxUnreachable):
            return _ask_once(peer, call)
    return _ask_once(peer, call)


def _ask_once(peer: HttpsPeer, call: Call) -> Answer:
    return Answer(peer.request("POST", call.path, call.body, limit=MAX_BODY), peer.peer_certificate())


def _label(text: str) -> str:
    """What may be shown in one line on the box."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:MAX_LABEL].strip() or "desk"
