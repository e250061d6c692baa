"""Why the box may make a desk stop, in words."""

from deedbox_desktop.engine.errors import TrustLost
from deedbox_sync.transfer import Problem

_WORDS = {
    "bad-signature": "The box does not accept this desk's signature. It has to be paired again.",
    "device-revoked": "An administrator has revoked this desk. It captures on, but sends nothing until it is paired again.",
    "journal-conflict": "The box holds another statement under a number that this desk used. Is there a copy of this desk?",
    "log-behind": "The box's log is behind what it had signed. It needs its administrator before it takes anything.",
    "wrong-device": "The box takes this desk for another one. It has to be paired again.",
}


def stop_for(problem: Problem) -> TrustLost:
    """The problem as what ends all sending."""
    return TrustLost(problem.slug, _WORDS.get(problem.slug) or problem.detail or "The box told this desk to stop.")
