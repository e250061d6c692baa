"""The firm's directory as box.toml names it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deedbox_server.people.fetching import is_safe
from deedbox_server.people.oidc import OidcSettings
from deedbox_server.people.permissions import Permissions
from deedbox_server.settings import Settings, SettingsError

_MAX_SECRET: Final = 4096  # characters


def oidc_settings(settings: Settings, permissions: Permissions) -> OidcSettings | None:
    """None where no directory is set. SettingsError says what is wrong."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    if not is_safe(settings.oidc_issuer):
        raise SettingsError("oidc_issuer must be an https address: the client's secret goes there.")
    roles = tuple((group, role) for group, _, role in (pair.rpartition("=") for pair in settings.oidc_roles))
    for _, role in roles:
        if not permissions.has_role(role, standing=True):
            raise SettingsError(f"oidc_roles: there is no role {role!r}.")
    return OidcSettings(
        settings.oidc_issuer,
        settings.oidc_client_id,
        None if settings.oidc_client_secret_file is None else _first_line(settings.oidc_client_secret_file),
        settings.oidc_scopes if "openid" in settings.oidc_scopes else ("openid", *settings.oidc_scopes),
        settings.oidc_name_claim,
        settings.oidc_group_claim,
        roles,
        settings.oidc_accounts == "create",
        frozenset(settings.oidc_second_factor),
    )


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_SECRET).split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"oidc_client_secret_file: {path} cannot be read.") from error
