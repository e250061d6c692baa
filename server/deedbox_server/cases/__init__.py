"""Cases: matters with their parties, events and artifacts; conflict checks; lists and search.

What cuts across (timelines, erasure, holds) registers with what lies lower; this package knows of nobody above it.
"""

from deedbox_server.cases.case import Case, CaseChange, NewCase
from deedbox_server.cases.cases import Cases

__all__ = ["Case", "CaseChange", "Cases", "NewCase"]
