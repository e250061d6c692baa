"""What Piccolo asks for by name: the engine of the database that is being migrated, and the registry of
applications.
"""

from contextvars import ContextVar
from typing import Any

from piccolo.conf.apps import AppRegistry
from piccolo.engine.base import Engine

APP_REGISTRY = AppRegistry(apps=["deedbox_server.database.piccolo_app"])

engine: ContextVar["Engine[Any] | None"] = ContextVar("deedbox_piccolo_engine", default=None)


def __getattr__(name: str) -> "Engine[Any] | None":
    """`DB` differs from one migration to the next, so that several databases can be open in one process."""
    if name == "DB":
        return engine.get()
    raise AttributeError(name)
