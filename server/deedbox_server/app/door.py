"""The box's front door, as its settings say."""

from __future__ import annotations

import socket
from datetime import timedelta
from urllib.parse import urlsplit

from deedbox_server.database import Database
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.breached import BreachedList
from deedbox_server.people.front_door import FrontDoor
from deedbox_server.people.password_rules import PasswordRules
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.sessions import SessionRules
from deedbox_server.settings import Settings


def password_rules(settings: Settings) -> PasswordRules:
    """SettingsError if the list of breached passwords is none."""
    listed = settings.breached_passwords
    return PasswordRules(None if listed is None else BreachedList.open(listed))


def open_door(
    settings: Settings, database: Database, accounts: Accounts, permissions: Permissions, recorder: Recorder
) -> FrontDoor:
    rules = SessionRules(
        timedelta(seconds=settings.session_idle_seconds),
        timedelta(seconds=settings.session_seconds),
        "optional" if settings.second_factor == "optional" else "required",
    )
    return FrontDoor.open(
        database, accounts, permissions, recorder, rules=rules, box_name=settings.name, names=host_names(settings)
    )


def host_names(settings: Settings) -> list[str]:
    """The names, no addresses, under which browsers may reach the box."""
    public = urlsplit(settings.public_url or "").hostname
    own = ["localhost", socket.gethostname().lower(), settings.people_host, *settings.people_names]
    return [*own, public] if public else own
