"""The operating system's keyring, and only back-ends known to encrypt.

The library `keyring` takes whatever is installed, plaintext files included (`keyrings.alt`), and a user's settings file can name
any class; so back-ends are chosen here by exact class.
"""

from collections.abc import Iterable

from keyring.backend import KeyringBackend, get_all_keyring
from keyring.errors import KeyringError

from deedbox_desktop.engine.errors import KeysLocked

SERVICE = "Deedbox desk"

_ALLOWED = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)


class OsKeyring:
    """One back-end. Its errors become KeysLocked."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def store(self, name: str, secret: str) -> None:
        try:
            self._backend.set_password(SERVICE, name, secret)
        except KeyringError as error:
            raise KeysLocked(f"The keyring of this computer did not take the keys: {error}.") from error
        if self.load(name) != secret:
            raise KeysLocked("The keyring of this computer did not keep the keys.")

    def load(self, name: str) -> str | None:
        try:
            return self._backend.get_password(SERVICE, name)
        except KeyringError as error:
            raise KeysLocked(f"The keyring of this computer did not open: {error}.") from error


def find_keyring(backends: Iterable[KeyringBackend] | None = None) -> OsKeyring | None:
    """The best allowed back-end that works here, or None. `backends` are those to choose from, by default all installed ones."""
    found = get_all_keyring() if backends is None else backends
    allowed = [one for one in found if f"{type(one).__module__}.{type(one).__qualname__}" in _ALLOWED]
    return OsKeyring(max(allowed, key=_priority)) if allowed else None


def _priority(backend: KeyringBackend) -> float:
    return float(backend.priority)
