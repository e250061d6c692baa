"""Who there is: accounts and their keys, devices and how they came to be trusted, and what each of them may do."""

from deedbox_server.people.accounts import Account, Accounts
from deedbox_server.people.authority import Authority, Credential
from deedbox_server.people.devices import Device, Devices
from deedbox_server.people.key_rows import ApiKey
from deedbox_server.people.key_service import ApiKeys
from deedbox_server.people.pairing import BoxFacts, Pairing
from deedbox_server.people.permissions import OUTSIDER, Permissions, Permit, Role, Rule, Wall
from deedbox_server.people.principal import SYSTEM, Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.rules import ADMINISTRATOR, PARALEGAL, standard_permissions
from deedbox_server.people.trust import LogStager

__all__ = [
    "ADMINISTRATOR",
    "OUTSIDER",
    "PARALEGAL",
    "SYSTEM",
    "Account",
    "Accounts",
    "ApiKey",
    "ApiKeys",
    "Authority",
    "BoxFacts",
    "Credential",
    "Device",
    "Devices",
    "LogStager",
    "Pairing",
    "Permissions",
    "Permit",
    "Principal",
    "Recorder",
    "Role",
    "Rule",
    "Wall",
    "standard_permissions",
]
