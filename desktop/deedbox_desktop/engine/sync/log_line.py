"""The box's log as this desk has seen it: one line of checkpoints, each proven to extend the one before. Pure.

A checkpoint that the desk meets (in a hello, in a receipt) is worth something only on that line. `extend` is a generator:
it gives a checkpoint to show to the box and is sent the box's answer, until everything met is proven, or TrustLost says
what the box did.
"""

from collections.abc import Generator, Iterable

from deedbox_desktop.engine.errors import BoxUnintelligible, TrustLost
from deedbox_sync import merkle, note
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.hello import LogAnswer
from deedbox_sync.note import Checkpoint

# The box's log may grow between two questions, so that their answers do not meet; more often than this is no accident.
MOST_TRIES = 50
_MOST_REMEMBERED = 256

Showing = Generator[str | None, LogAnswer, None]


class LogUnsettled(BoxUnintelligible):
    """The log grew too fast to be compared; nothing is wrong, try again."""


class LogLine:
    """`highest` is the note of the largest checkpoint on the line, None before the first."""

    def __init__(self, vkey: str, highest: str | None) -> None:
        self._vkey = vkey
        self._origin = note.parse_vkey(vkey).name
        self.highest = highest
        self._top = self._verify(highest) if highest is not None else None
        self._proven: dict[str, Checkpoint] = {}

    @property
    def size(self) -> int:
        return self._top.size if self._top is not None else 0

    def extend(self, met: Iterable[str] = ()) -> Showing:
        """Bring the line up to the box's present checkpoint, and prove that those met are on it."""
        open_ones: dict[str, Checkpoint] = {}
        for text in met:
            if text not in self._proven and text != self.highest:
                open_ones[text] = self._verify(text)
        tips: dict[str, Checkpoint] = {}  # what an open one was proven to be extended by
        for _ in range(MOST_TRIES):
            self._advance((yield self.highest))
            top = self._top
            assert top is not None
            for text, checkpoint in list(open_ones.items()):
                if checkpoint.size > top.size:
                    raise _backwards(checkpoint.size, top.size)
                tip = checkpoint if checkpoint.size == top.size else tips.get(text)
                if tip is None or tip.size != top.size:
                    answer = yield text
                    tip = tips[text] = self._check(checkpoint, answer)
                if tip.size == top.size:
                    if tip.root != top.root:
                        raise _forked()
                    self._remember(text, open_ones.pop(text))
            if not open_ones:
                return
        raise LogUnsettled("The box's log grows too fast to be compared. Trying again.")

    def _advance(self, answer: LogAnswer) -> None:
        top = self._verify(answer.checkpoint) if self._top is None else self._check(self._top, answer)
        if self._top is None or top.size > self._top.size:
            self._top, self.highest = top, answer.checkpoint

    def _check(self, old: Checkpoint, answer: LogAnswer) -> Checkpoint:
        """The answer's checkpoint, proven to extend the old one."""
        new = self._verify(answer.checkpoint)
        if new.size < old.size:
            raise _backwards(old.size, new.size)
        try:
            merkle.verify_consistency(old.size, new.size, answer.consistency, old.root, new.root)
        except (ProofError, FormatError) as error:
            raise _forked() from error
        return new

    def _verify(self, text: str) -> Checkpoint:
        """A checkpoint under the pinned key and origin."""
        try:
            signed = note.parse_note(text)
            note.verify_note(signed, [self._vkey])
            checkpoint = note.parse_checkpoint(signed.body)
        except FormatError as error:
            raise BoxUnintelligible(f"The box's checkpoint cannot be read ({error}).") from error
        except ProofError as error:
            raise TrustLost(
                "log-key", "The box's log is not signed by the key that this desk was paired with."
            ) from error
        if checkpoint.origin != self._origin:
            raise TrustLost("log-origin", "The box shows another log than the one this desk was paired with.")
        return checkpoint

    def _remember(self, text: str, checkpoint: Checkpoint) -> None:
        if len(self._proven) >= _MOST_REMEMBERED:
            self._proven.clear()
        self._proven[text] = checkpoint


def _backwards(seen: int, shown: int) -> TrustLost:
    return TrustLost(
        "log-backwards",
        f"The box's log went backwards: it had signed {seen} entries and now shows {shown}. It may have been restored from a"
        " backup, or somebody took entries out.",
    )


def _forked() -> TrustLost:
    return TrustLost(
        "log-fork", "The box shows a log that does not contain what it had signed before. Its history has been changed."
    )
