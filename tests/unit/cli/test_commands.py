"""All administration from a shell: what each command does, says, and returns. One box, opened anew by each command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deedbox_server.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box with an owner; its key file beside it."""
    folder = tmp_path_factory.mktemp("command-line")
    password = folder / "password"
    password.write_text("a long enough passphrase\n")
    made = main([*_box(folder), "init", "--owner", "Olivia Owner", "--password-file", str(password)])
    assert made == 0
    return folder


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([*_box(data), *words])
        out, error = capsys.readouterr()
        return status, out, error

    return command


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """The JSON of a command that succeeds."""

    def command(*words: str) -> Any:
        status, out, error = run(*words, "--json")
        assert status == 0, error
        return json.loads(out)

    return command


def _box(folder: Path) -> list[str]:
    return ["--data", str(folder / "box"), "--key-file", str(folder / "key")]


def test_people_are_invited_given_roles_and_duties_disabled_and_enabled(run: Run, ask: Callable[..., Any]) -> None:
    made = ask("user", "invite", "Ada Attorney", "--role", "attorney", "--days", "3")
    assert made["link"].endswith(f"/account#invitation={made['token']}")
    (owner,) = ask("user", "list")
    assert (owner["name"], owner["role"], owner["disabled"]) == ("Olivia Owner", "administrator", False)
    assert ask("user", "duty", "Olivia Owner", "conflicts-officer")["duties"] == ["conflicts-officer"]
    assert ask("user", "duty", "olivia owner")["duties"] == []
    status, _, error = run("user", "disable", "Olivia Owner")
    assert (status, "last administrator" in error) == (1, True)
    assert run("user", "role", "Olivia Owner", "emperor")[0] == 1
    assert ask("user", "sessions", "Olivia Owner") == []
    assert ask("user", "end-sessions", "Olivia Owner") == {"ended": 0}
    assert "#reset=" in ask("user", "reset-password", "Olivia Owner")["link"]
    assert run("user", "reset-factors", "Olivia Owner")[0] == 0
    assert run("user", "enable", owner["id"])[1] == "Olivia Owner may act again.\n"


def test_somebody_elsewhere_is_linked_and_unlinked(run: Run, ask: Callable[..., Any]) -> None:
    issuer = "https://directory.example"
    made = ask("user", "link", "Olivia Owner", issuer, "0815")
    assert run("user", "link", "Olivia Owner", issuer, "0815")[0] == 1
    (linked,) = ask("user", "identities", "Olivia Owner")
    assert (linked["issuer"], linked["subject"], linked["id"]) == (issuer, "0815", made["id"])
    assert run("user", "unlink", "Olivia Owner", made["id"])[0] == 0
    assert run("user", "identities", "Olivia Owner")[1] == "Nobody elsewhere stands for them.\n"


def test_a_key_is_made_within_bounds_rotated_and_revoked(run: Run, ask: Callable[..., Any], tmp_path: Path) -> None:
    bounds = ("--scope", "read", "--scope", "identifier", "--network", "10.0.0.0/8", "--rate", "5", "--days", "30")
    made = ask("key", "make", "Olivia Owner", "--label", "agent", *bounds)
    assert made["key"].startswith(f"dbx_{made['handle']}_")
    assert {"case:read", "identifier"} <= set(made["scopes"]) and "case:write" not in made["scopes"]
    assert (made["networks"], made["rate"], made["burst"]) == (["10.0.0.0/8"], 5, 10)
    (listed,) = [one for one in ask("key", "list", "--user", "Olivia Owner") if one["name"] == "agent"]
    assert "key" not in listed and listed["handle"] == made["handle"]
    turned = ask("key", "rotate", made["handle"], "--overlap-hours", "2")
    assert (turned["id"], turned["handle"]) == (made["id"], made["handle"])
    assert turned["key"] != made["key"] and turned["former_until"] is not None
    into = tmp_path / "key"
    assert run("key", "rotate", made["handle"], "--into", str(into))[0] == 0
    assert into.read_text().startswith(f"dbx_{made['handle']}_") and into.stat().st_mode & 0o777 == 0o600
    assert run("key", "revoke", made["handle"])[0] == 0
    assert run("key", "revoke", made["handle"])[0] == 1
    status, _, error = run("key", "make", "Olivia Owner", "--scope", "everything")
    assert (status, "there is no such scope" in error) == (1, True)


def test_a_key_from_the_command_line_may_not_change_who_signs_in_unless_asked(ask: Callable[..., Any]) -> None:
    assert "account:security" not in ask("key", "make", "Olivia Owner")["scopes"]
    assert ask("key", "make", "Olivia Owner", "--scope", "account:security")["scopes"] == ["account:security"]


def test_a_desk_gets_a_code_for_some_cases(run: Run, ask: Callable[..., Any]) -> None:
    ask("case", "open", "Desk matters", "--number", "D-1")
    issued = ask("device", "pair-code", "Olivia Owner", "--case", "D-1")
    assert issued["account"] == "Olivia Owner" and len(issued["code"]) > 8
    assert run("device", "list")[1] == "No desk is paired.\n"
    assert run("device", "revoke", "nobody's laptop")[0] == 1


def test_a_case_is_opened_staffed_walled_held_and_closed(run: Run, ask: Callable[..., Any]) -> None:
    made = ask("case", "open", "Ödegård v. Müller", "--number", "2026-0007", "--client", "Ödegård")
    assert ask("case", "show", "2026-0007")["title"] == "Ödegård v. Müller"
    assert made["id"] in [one["id"] for one in ask("case", "list")]
    ask("case", "grant", "2026-0007", "Olivia Owner", "attorney", "--until", "2100-01-01")
    (member,) = ask("case", "members", "2026-0007")
    assert (member["name"], member["role"], member["until"]) == (
        "Olivia Owner",
        "attorney",
        "2100-01-01T00:00:00.000000Z",
    )
    assert run("case", "withdraw", made["id"], "Olivia Owner")[0] == 0
    assert run("case", "withdraw", made["id"], "Olivia Owner")[0] == 1
    ask("case", "wall", "2026-0007", "Olivia Owner", "--reason", "her brother is a party")
    assert [one["name"] for one in ask("case", "walls", "2026-0007")] == ["Olivia Owner"]
    ask("case", "unwall", "2026-0007", "Olivia Owner")
    assert ask("case", "walls", "2026-0007") == []
    ask("case", "hold", "2026-0007", "--reason", "appeal expected")
    assert [one["reason"] for one in ask("case", "holds", "2026-0007")] == ["appeal expected"]
    assert ask("case", "close", "2026-0007", "--reason", "settled")["state"] == "closed"
    assert run("case", "close", "2026-0007", "--reason", "settled")[0] == 1


def test_what_commands_did_is_in_the_trail_as_the_boxs_own_doing(
    run: Run, ask: Callable[..., Any], tmp_path: Path
) -> None:
    ask("case", "open", "Told", "--number", "T-1")
    ask("key", "make", "Olivia Owner", "--label", "told")
    rows = ask("audit", "list", "--case", "T-1")
    assert [(row["actor"], row["operation"]) for row in rows] == [("box", "case.create")]
    keys = ask("audit", "list", "--operation", "account.security", "--limit", "1")
    assert (keys[0]["actor"], keys[0]["detail"]["what"]) == ("box", "key made")
    into = tmp_path / "trail.csv"
    assert run("audit", "export", "--into", str(into), "--since", "2020-01-01")[0] == 0
    assert b"case.create" in into.read_bytes()
    assert run("audit", "export", "--format", "jsonl", "--case", "T-1")[0] == 0
    status, _, error = run("audit", "report", "--case", "T-1", "--into", str(tmp_path / "trail.pdf"))
    assert (status, "checkpoint" in error) == (1, True)  # this box has never run: its log has not begun


def test_a_restored_box_erases_again_what_was_erased(ask: Callable[..., Any]) -> None:
    assert ask("apply-erasures") == []


def test_columns_line_up_and_names_cannot_move_the_cursor(run: Run) -> None:
    run("case", "open", "Short", "--number", "C-1")
    out = run("case", "list")[1].splitlines()
    assert out[0].split()[:3] == ["number", "title", "state"]
    assert "\x1b" not in "".join(out)
    at = out[0].index("state")
    assert all(line[at - 2 : at] == "  " for line in out)


@pytest.mark.parametrize(
    "words", [(), ("user",), ("key", "make"), ("case", "grant", "1"), ("user", "dance"), ("device",)]
)
def test_what_is_not_understood_is_usage(words: tuple[str, ...], data: Path) -> None:
    with pytest.raises(SystemExit) as end:
        main([*_box(data), *words])
    assert end.value.code == 2


def test_without_a_box_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--key-file", str(tmp_path / "key"), "user", "list"]) in (1, 2)
    error = capsys.readouterr().err.strip()
    assert error.startswith("deedbox-server: ") and "\n" not in error


def test_scopes_and_completion_need_no_box(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["key", "scopes", "--json"]) == 0
    named = {one["name"]: one["gives"] for one in json.loads(capsys.readouterr().out)}
    assert "account:security" in named and "account:security" not in named["full"]
    for shell in ("bash", "zsh"):
        assert main(["completion", shell]) == 0
        script = tmp_path / shell
        script.write_text(capsys.readouterr().out)
        assert "end-sessions" in script.read_text()
    assert subprocess.run(["/bin/bash", "-n", str(tmp_path / "bash")], check=False).returncode == 0
