"""What a log line may say of an unforeseen exception: kinds and places. Its message may quote what people stored, as a
database does of a value that was there already."""

from __future__ import annotations

import traceback
from typing import Final

_MOST: Final = 20  # kinds of a chain, and places


def told(error: BaseException) -> str:
    """The kinds of the exception and of those behind it, and where in the code it came up; no word of what they say."""
    kinds: list[str] = []
    behind: BaseException | None = error
    while behind is not None and len(kinds) < _MOST:
        kinds.append(f"{type(behind).__module__}.{type(behind).__qualname__}")
        behind = behind.__cause__ or behind.__context__
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-_MOST:]]
    return f"{' <- '.join(kinds)} at {' > '.join(places)}"
