"""Settings from box.toml, the environment and arguments, and what is said when one is wrong."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.database import open_database
from deedbox_server.settings import Settings, SettingsError


def test_a_box_needs_no_settings(tmp_path: Path) -> None:
    assert Settings.load(tmp_path, {}) == Settings(data=tmp_path)


def test_arguments_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text('name = "file"\npeople_port = 1\ndevice_port = 2\n')
    environment = {"DEEDBOX_BOX_NAME": "environment", "DEEDBOX_BOX_PEOPLE_PORT": "3", "HOME": "/"}
    settings = Settings.load(tmp_path, environment, name="argument", people_port=None)
    assert (settings.name, settings.people_port, settings.device_port) == ("argument", 3, 2)


def test_every_kind_of_value_is_read_from_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text(
        'ocr_languages = ["deu", "eng"]\nbackup_configured = true\nkey_file = "/k"\ndatabase_url = "postgres://db"\n'
    )
    from_file = Settings.load(tmp_path, {})
    (tmp_path / "box.toml").unlink()
    from_environment = Settings.load(
        tmp_path,
        {
            "DEEDBOX_BOX_OCR_LANGUAGES": "deu+eng",
            "DEEDBOX_BOX_BACKUP_CONFIGURED": "yes",
            "DEEDBOX_BOX_KEY_FILE": "/k",
            "DEEDBOX_BOX_DATABASE_URL": "postgres://db",
        },
    )
    assert from_file == from_environment
    assert from_file.ocr_languages == ("deu", "eng")
    assert from_file.key_file == Path("/k")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("people_prt = 1", r"box.toml: there is no setting 'people_prt'. Known are: .*people_port"),
        ("data = '/elsewhere'", "there is no setting 'data'"),
        ("people_port = '8443'", "people_port must be a whole number, not '8443'"),
        ("people_port = true", "people_port must be a whole number"),
        ("people_port = 65536", "between 0 and 65535"),
        ("people_port = 9\ndevice_port = 9", "must differ"),
        ("worker_count = 0", "at least 1"),
        ("ocr_languages = []", "at least one language"),
        ("ocr_languages = 'eng'", "list of texts"),
        ("backup_configured = 1", "true or false"),
        ("stamp_urls = ['timestamp.example']", "begin with https:// or http://"),
        ("beacon_urls = ['https://[']", "begin with https:// or http://"),
        ("stamp_seconds = 0", "stamp_seconds must be at least 1"),
        ("outside = 'no'", "true or false"),
        ("name = ", "is not TOML"),
        ("name = '" + "x" * 70000 + "'", "larger than"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path: Path, toml: str, says: str) -> None:
    (tmp_path / "box.toml").write_text(toml)
    with pytest.raises(SettingsError, match=says):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DEEDBOX_BOX_PEOPLE_PRT", "1", "DEEDBOX_BOX_PEOPLE_PRT: there is no setting 'people_prt'"),
        ("DEEDBOX_BOX_PEOPLE_PORT", "http", "DEEDBOX_BOX_PEOPLE_PORT: 'http' is not a whole number"),
        ("DEEDBOX_BOX_BACKUP_CONFIGURED", "perhaps", "'perhaps' is not true or false"),
    ],
)
def test_a_wrong_environment_is_refused_in_a_sentence(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.load(tmp_path, {name: value})


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no setting"):
        Settings.load(tmp_path, {}, colour="red")


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(Settings(data=tmp_path, database_url="postgres://box:hunter2@host/db"))


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("box")
    (folder / "box.toml").write_bytes(content)
    try:
        settings = Settings.load(folder, {})
    except SettingsError:
        return
    assert dataclasses.replace(settings) == settings


async def test_postgres_is_refused_until_its_volume_is_declared_encrypted(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="postgres_volume_encrypted = true"):
        await open_database(Settings(data=tmp_path, database_url="postgres://nowhere"), None)


async def test_sqlite_is_refused_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key"):
        await open_database(Settings(data=tmp_path), None)
