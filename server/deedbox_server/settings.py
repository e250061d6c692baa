"""What a box is told from outside: box.toml in its data folder, then the environment, then the command line; one
frozen object.
"""

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BOX_TOML = "box.toml"
ENVIRONMENT = "DEEDBOX_BOX_"  # DEEDBOX_BOX_PEOPLE_PORT is people_port; the desk and the tests have names of their own
# Drand's own endpoints and Cloudflare's, and two authorities whose stamps everybody may have. RFC 3161 goes by plain HTTP as a
# rule: what counts in an answer is signed.
_BEACON_URLS = (
    "https://api.drand.sh",
    "https://api2.drand.sh",
    "https://api3.drand.sh",
    "https://drand.cloudflare.com",
)
_STAMP_URLS = ("http://timestamp.digicert.com", "http://timestamp.sectigo.com")
_BOX_TOML_LIMIT = 64 << 10  # bytes; a settings file larger than this is not one


class SettingsError(ValueError):
    """A setting that is unknown, or no value of its kind. The message is a sentence for the administrator."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A box's settings. A port of 0 lets the system choose one."""

    data: Path
    name: str = "Deedbox"
    people_host: str = "127.0.0.1"
    people_port: int = 8443
    device_host: str = "127.0.0.1"
    device_port: int = 8444
    database_url: str | None = field(default=None, repr=False)  # holds a password; None is encrypted SQLite in `data`
    database_connections: int = 10  # of Postgres; its own limit is 100 for everybody
    postgres_volume_encrypted: bool = False  # the administrator's word that Postgres stores on an encrypted volume
    backup_configured: bool = False
    key_file: Path | None = None  # unlocks without a passphrase; beside the data it protects nothing
    ocr_languages: tuple[str, ...] = ("eng",)
    worker_count: int = 2
    worker_memory_mb: int = 1500
    worker_seconds: int = 600
    worker_scratch_mb: int = 1024
    exhibit_numbering: str = (
        "{number}"  # how exhibits are numbered for a court: `PX-{number:03}`, `{party} Ex. {letter}`
    )
    case_numbering: str = "{year}-{number:04}"  # how matters are numbered; also {month}, {client}, {kind}
    any_case_number: bool = True  # whether a matter number given by hand need not fit that
    conflict_threshold: int = 85  # how alike (1 … 100) two names are spelt that a conflict check takes for one
    outside: bool = True  # whether the box calls others' servers at all: beacons, time stamps, witnesses
    beacon_urls: tuple[str, ...] = _BEACON_URLS
    beacon_seconds: int = 600  # between two entries in the log
    beacon_chain: str | None = (
        None  # another chain than quicknet (formats/time.md): its JSON, or the path of a file with it
    )
    stamp_urls: tuple[str, ...] = _STAMP_URLS
    stamp_roots: tuple[
        str, ...
    ] = ()  # paths of PEM files that stamps must lead to; none: the system's certificate store
    stamp_seconds: int = 3600  # between two stamps of one authority
    witness_quorum: int = 1  # k: how many witnesses must have seen a tree
    sensitive_networks: tuple[
        str, ...
    ] = ()  # where administration and other sensitive calls may come from; none: anywhere
    glass_hours: int = 4  # how long a case stays open to whom it was opened
    disposal_wait_days: int = 7  # the same, before what cannot be undone: disposal and erasure
    backup_days: int = 90  # after which every backup made today has expired: what was erased is in none any more
    erasures_list: Path | None = (
        None  # where the backups are: what was erased, for a restore to erase again; none: in `data`
    )
    glass_wait_hours: int = 24  # what takes the second person's place where nobody else could approve
    witness_seconds: int = 60  # at least, between two questions to a witness
    calls_per_second: int = 300  # of one account or key; a key may be given fewer
    device_calls_per_second: int = 1000
    stranger_calls_per_minute: int = 60  # of one address, to sign in, register or pair
    trusted_proxies: tuple[str, ...] = ()  # networks of the reverse proxies before the people's listener
    proxy_header: str = "x-forwarded-for"  # the one that they write; or `forwarded`
    public_url: str | None = None  # how browsers call the box, if not as they happen to
    oidc_issuer: str | None = None  # the firm's directory, for signing in (OpenID Connect)
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None  # none: a public client
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    oidc_name_claim: str = "name"  # what a new account is called
    oidc_group_claim: str = "groups"
    oidc_roles: tuple[str, ...] = ()  # `GROUP=ROLE`, in order of preference: what a new account is
    oidc_accounts: str = "invitation"  # or `create`: who has no account here gets one
    oidc_second_factor: tuple[str, ...] = ()  # values of acr or amr that count as the second factor; `*`: always
    token_issuers: Path | None = None  # a TOML file of issuers whose bearer tokens open the box
    second_factor: str = "required"  # or "optional": whether people need one to sign in
    session_seconds: int = 12 * 3600  # how long a person stays signed in at most
    session_idle_seconds: int = 3600  # and without doing anything
    people_names: tuple[str, ...] = ()  # host names under which browsers reach the box, beside its own
    breached_passwords: Path | None = None  # a list of SHA-1 digests, sorted; what it holds is no password here

    @property
    def box_toml(self) -> Path:
        return self.data / BOX_TOML

    @property
    def keys_folder(self) -> Path:
        return self.data / "keys"

    @property
    def database_folder(self) -> Path:
        return self.data / "db"

    @property
    def database_file(self) -> Path:
        return self.database_folder / "box.db"

    @property
    def index_file(self) -> Path:
        return self.database_folder / "index.db"

    @property
    def erasures_file(self) -> Path:
        return self.erasures_list or self.data / "erasures.list"

    @property
    def lock_file(self) -> Path:
        return self.data / "lock"

    @classmethod
    def load(cls, data: Path, environment: Mapping[str, str], **arguments: object) -> "Settings":
        """The settings of the box in `data`. An argument of None counts as not given; SettingsError says what is
        wrong and where.
        """
        given: dict[str, Any] = {"data": data}
        given |= _from_toml(data / BOX_TOML)
        given |= _from_environment(environment)
        for name, value in arguments.items():
            if value is not None:
                known = _known(name, "the command line")
                given[known] = _typed(known, value, "the command line")
        settings = cls(**given)
        settings._check()
        return settings

    def _check(self) -> None:
        for name in ("people_port", "device_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise SettingsError(f"{name} must be between 0 and 65535.")
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1.")
        for name in ("beacon_urls", "stamp_urls"):
            if not all(_is_http(url) for url in getattr(self, name)):
                raise SettingsError(f"{name} must be addresses that begin with https:// or http://.")
        for network in self.sensitive_networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise SettingsError(f"sensitive_networks: {network!r} is no network such as 192.168.1.0/24.") from error
        if self.second_factor not in ("required", "optional"):
            raise SettingsError("second_factor must be required or optional.")
        if not self.ocr_languages:
            raise SettingsError("ocr_languages must name at least one language.")
        self._check_directory()
        if self.people_port == self.device_port != 0 and self.people_host == self.device_host:
            raise SettingsError("people_port and device_port must differ: people and devices have a listener each.")

    def _check_directory(self) -> None:
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise SettingsError(f"trusted_proxies: {network!r} is no network such as 192.168.1.0/24.") from error
        for name, words in _WORDED.items():
            if getattr(self, name) not in words:
                raise SettingsError(f"{name} is one of: {', '.join(words)}.")
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise SettingsError("oidc_issuer goes with oidc_client_id.")
        for name in ("oidc_issuer", "public_url"):
            if (url := getattr(self, name)) is not None and not _is_http(url):
                raise SettingsError(f"{name} must be an address that begins with https://.")
        for pair in self.oidc_roles:
            if not all(pair.rpartition("=")):
                raise SettingsError(f"oidc_roles: {pair!r} is not GROUP=ROLE.")


_WORDED = {"oidc_accounts": ("invitation", "create"), "proxy_header": ("x-forwarded-for", "forwarded")}
_AT_LEAST_ONE = (
    "beacon_seconds",
    "calls_per_second",
    "conflict_threshold",
    "device_calls_per_second",
    "stranger_calls_per_minute",
    "database_connections",
    "session_idle_seconds",
    "session_seconds",
    "glass_hours",
    "disposal_wait_days",
    "backup_days",
    "glass_wait_hours",
    "stamp_seconds",
    "witness_quorum",
    "witness_seconds",
    "worker_count",
    "worker_memory_mb",
    "worker_scratch_mb",
    "worker_seconds",
)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


_KINDS: Mapping[str, object] = {setting.name: setting.type for setting in fields(Settings) if setting.name != "data"}


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(_BOX_TOML_LIMIT + 1)
    except FileNotFoundError:
        return {}
    if len(raw) > _BOX_TOML_LIMIT:
        raise SettingsError(f"{path} is larger than {_BOX_TOML_LIMIT} bytes.")
    try:
        found = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error
    return {name: _typed(_known(name, str(path)), value, str(path)) for name, value in found.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT):
            name = _known(variable.removeprefix(ENVIRONMENT).lower(), variable)
            found[name] = _typed(name, _read(name, text, variable), variable)
    return found


def _known(name: str, where: str) -> str:
    if name not in _KINDS:
        raise SettingsError(f"{where}: there is no setting {name!r}. Known are: {', '.join(sorted(_KINDS))}.")
    return name


def _truth(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]


_READERS: Mapping[object, Callable[[str], object]] = {
    int: int,
    bool: _truth,
    tuple[str, ...]: lambda text: tuple(part for part in text.replace("+", ",").split(",") if part),
}
_WORDS: Mapping[object, str] = {
    str: "text",
    str | None: "text",
    int: "a whole number",
    bool: "true or false",
    Path | None: "a path",
    tuple[str, ...]: "a list of texts",
}


def _read(name: str, text: str, where: str) -> object:
    """A value from the environment, which has only text."""
    try:
        return _READERS.get(_KINDS[name], str)(text)
    except (ValueError, KeyError) as error:
        raise SettingsError(f"{where}: {text!r} is not {_WORDS[_KINDS[name]]}.") from error


def _typed(name: str, value: object, where: str) -> object:
    """The value as the type of its setting, or SettingsError; nothing is guessed."""
    kind = _KINDS[name]
    if kind == Path | None and isinstance(value, str | Path):
        return Path(value)
    if kind == tuple[str, ...] and isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind in (str, str | None) and isinstance(value, str):
        return value
    raise SettingsError(f"{where}: {name} must be {_WORDS[kind]}, not {value!r}.")
