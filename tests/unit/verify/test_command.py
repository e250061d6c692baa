"""`deedbox-verify` as a person or a script meets it: words, columns, exit status, JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bundle_maker import Files, edited, good_bundle
from bundle_spoils import ORIGINAL_1, drop, flip, records, set_to
from deedbox_sync.bundle import layout
from deedbox_verify.command import main
from local_tsa import LocalTsa
from miniature_log import DESK, LOG_VKEY, ORIGIN, WITNESS_VKEY, public

Laid = Callable[[Mapping[str, bytes]], Path]
Output = pytest.CaptureFixture[str]


@pytest.fixture
def trust(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes a trust file and gives the arguments that name it."""

    def write(**members: object) -> list[str]:
        path = tmp_path / "trust.json"
        path.write_text(json.dumps(members))
        return ["--trust", str(path)]

    return write


def answers(output: Output) -> dict[str, str]:
    """The three last answers by their names, as printed."""
    lines = [line.split(None, 2) for line in output.readouterr().out.splitlines()]
    return {line[1]: line[2] for line in lines if len(line) == 3 and line[1] in ("intact", "anchored", "attributed")}


def test_without_pinned_keys_it_says_self_consistent_only(laid: Laid, capsys: Output) -> None:
    assert main([str(laid(good_bundle()))]) == 0
    told = answers(capsys)
    assert told["intact"] == "yes, self-consistent only"
    assert told["anchored"] == "unchecked"
    assert told["attributed"] == "yes: 2 captured by paired devices, 1 received by the box without a desk"


def test_with_the_log_pinned_it_says_so(laid: Laid, capsys: Output, trust: Callable[..., list[str]]) -> None:
    assert main([str(laid(good_bundle())), *trust(logs=[LOG_VKEY])]) == 0
    assert answers(capsys)["intact"].endswith("under a log key you trust")


def test_a_pinned_witness_anchors(laid: Laid, capsys: Output, trust: Callable[..., list[str]]) -> None:
    arguments = [str(laid(good_bundle())), *trust(witnesses=[WITNESS_VKEY]), "--require", "intact,anchored,attributed"]
    assert main(arguments) == 0
    assert answers(capsys)["anchored"] == "before 2026-03-14 13:00:00 UTC by witness.example/one"


def test_a_pinned_authority_anchors_what_its_stamp_covers(
    laid: Laid, stamped: Files, tsa: LocalTsa, capsys: Output, trust: Callable[..., list[str]]
) -> None:
    assert main([str(laid(stamped)), *trust(tsa_roots=[tsa.root]), "--require", "anchored"]) == 0
    assert answers(capsys)["anchored"].endswith("by Local time-stamp authority")


def test_an_authority_that_is_not_pinned_anchors_nothing_and_breaks_nothing(
    laid: Laid,
    stamped: Files,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: Output,
    trust: Callable[..., list[str]],
) -> None:
    stranger = LocalTsa(tmp_path_factory.mktemp("stranger"), "Another authority")
    arguments = [str(laid(stamped)), *trust(tsa_roots=[stranger.root])]
    assert main(arguments) == 0
    assert answers(capsys)["anchored"] == "unchecked"
    assert main([*arguments, "--require", "anchored"]) == 1


def test_a_required_anchor_that_only_a_missing_extra_could_judge_cannot_be_checked(
    laid: Laid, stamped: Files, tsa: LocalTsa, monkeypatch: pytest.MonkeyPatch, trust: Callable[..., list[str]]
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    arguments = [str(laid(stamped)), *trust(tsa_roots=[tsa.root])]
    assert main(arguments) == 0
    assert main([*arguments, "--require", "anchored"]) == 2


def test_nobody_outside_is_no_anchor(laid: Laid, capsys: Output) -> None:
    files = good_bundle()
    text = files[layout.CHECKPOINT].decode()
    own = "".join(line for line in text.splitlines(keepends=True) if "witness" not in line)
    files[layout.CHECKPOINT] = own.encode()
    for number in (1, 2, 3):
        receipt = json.loads(files[layout.receipt(number)])
        head, _, _ = receipt["proof"].partition("\n\n")
        files = edited(files, layout.receipt(number), set_to("proof", f"{head}\n\n{own}"))
    assert main([str(laid(files)), "--require", "anchored"]) == 1
    assert answers(capsys)["anchored"] == "no outside anchor: only the box's own clock says when"


def test_a_fault_is_told_with_its_file_and_the_status_is_1(laid: Laid, capsys: Output) -> None:
    assert main([str(laid(flip(ORIGINAL_1)(good_bundle())))]) == 1
    out = capsys.readouterr().out
    assert f"✕ files         {ORIGINAL_1} is not the file that manifest-sha256.txt lists" in out
    assert "✕ intact        no: 2 faults, told above" in out


@pytest.mark.parametrize(
    ("path", "check"),
    [
        (ORIGINAL_1, "statements"),
        (layout.statement(1), "statements"),
        (layout.receipt(1), "receipts"),
        (layout.custody(1), "custody"),
        (layout.derived(1, "text.txt"), "derived"),
        (layout.device_record(DESK), "devices"),
        (layout.CHECKPOINT, "log"),
        (layout.ENTRIES, "entries"),
    ],
)
def test_no_check_seems_to_hold_without_its_file(laid: Laid, capsys: Output, path: str, check: str) -> None:
    assert main([str(laid(drop(path)(good_bundle()))), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in told["checks"] if not one["holds"]} >= {"files", check}


def test_attribution_falls_by_itself(laid: Laid, capsys: Output) -> None:
    """Without its pairing a device is nobody's, whatever else holds."""
    spoiled = records(lambda items: items.pop(0))(good_bundle())
    assert main([str(laid(spoiled)), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["attributed"]["answer"] == "no"
    by_number = {exhibit["number"]: exhibit["attributed"] for exhibit in told["exhibits"]}
    assert by_number[1]["reasons"] == ["nothing proves that the log trusted its device at that time"]
    assert by_number[3]["answer"] == "yes"


def test_a_pinned_device_key_that_differs_is_a_fault(
    laid: Laid, capsys: Output, trust: Callable[..., list[str]]
) -> None:
    root = str(laid(good_bundle()))
    assert main([root, *trust(devices={str(DESK): public("desk").hex()}), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exhibits"][0]["attributed"]["pinned"]
    assert main([root, *trust(devices={str(DESK): public("other").hex()}), "--json"]) == 1
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["findings"]] == ["device.unpinned"]


def test_json_tells_the_same(laid: Laid, capsys: Output) -> None:
    assert main([str(laid(good_bundle())), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == 0
    assert told["intact"] == {"answer": "yes", "pinned": False, "faults": 0, "stopped": None}
    assert told["origin"] == ORIGIN
    assert [check["holds"] for check in told["checks"]] == [True] * 9
    first = told["exhibits"][0]
    assert first["attributed"]["operator"] == "Anna Example"
    assert first["attributed"]["authenticated"] == "password"
    assert (first["events"], first["withheld"]) == (4, 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nothing", "nothing"),
        (lambda folder: folder, "not a Deedbox bundle"),
        (lambda folder: _file(folder, b"just some bytes, and more than twenty-two of them"), "no ZIP of a bundle"),
    ],
)
def test_what_cannot_be_checked_has_status_2(
    tmp_path: Path, capsys: Output, make: Callable[[Path], Path], said: str
) -> None:
    path = make(tmp_path)
    assert main([str(path)]) == 2
    assert said in capsys.readouterr().err
    assert main([str(path), "--json"]) == 2
    assert said in json.loads(capsys.readouterr().out)["error"]


def _file(folder: Path, data: bytes) -> Path:
    (folder / "file").write_bytes(data)
    return folder / "file"


@pytest.mark.parametrize(
    "trusted",
    [
        {"log": []},
        {"logs": "x"},
        {"logs": ["x"]},
        {"logs": [WITNESS_VKEY]},
        {"witnesses": [LOG_VKEY]},
        {"tsa_roots": ["x"]},
        {"devices": []},
        {"devices": {"x": "00"}},
        {"devices": {str(DESK): "00"}},
    ],
)
def test_a_trust_file_that_is_none_cannot_be_used(
    laid: Laid, capsys: Output, trust: Callable[..., list[str]], trusted: dict[str, object]
) -> None:
    assert main([str(laid(good_bundle())), *trust(**trusted)]) == 2
    assert "trust file" in capsys.readouterr().err


def test_names_cannot_steer_the_terminal(laid: Laid, capsys: Output) -> None:
    spoiled = edited(good_bundle(), layout.INDEX, lambda index: index["case"].__setitem__("title", "\x1b[2J\u202eevil"))
    assert main([str(laid(spoiled))]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\\u{1b}[2J\\u{202e}evil" in out


def test_a_terminal_without_the_shapes_gets_words(laid: Laid) -> None:
    command = [sys.executable, "-m", "deedbox_verify", str(laid(good_bundle()))]
    result = subprocess.run(command, capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=False)
    assert result.returncode == 0, result.stderr
    assert b"  ok intact        yes, self-consistent only" in result.stdout


def test_columns_are_aligned(laid: Laid, capsys: Output) -> None:
    main([str(laid(good_bundle()))])
    out = capsys.readouterr().out
    head, *rows = [line for line in out.splitlines() if "Not after, UTC" in line or "Anna" in line]
    assert len(rows) == 3
    assert {line.index("Anna") for line in rows} == {head.index("By")}


def test_an_unpacking_tools_extra_folder_is_looked_through(laid: Laid) -> None:
    assert main([str(laid(good_bundle()).parent)]) == 0


def test_several_bundles_get_one_json_line_each_in_their_order(laid: Laid, tmp_path: Path, capsys: Output) -> None:
    good, bad, none = tmp_path / "good", tmp_path / "bad", tmp_path / "none"
    laid(good_bundle()).rename(good)
    laid(flip(ORIGINAL_1)(good_bundle())).rename(bad)
    assert main([str(good), str(none), str(bad), "--json"]) == 1
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == [0, 2, 1]
    assert main([str(good), str(none)]) == 2
    assert main([str(good), str(good)]) == 0


def test_several_reports_name_their_bundles(laid: Laid, capsys: Output) -> None:
    root = str(laid(good_bundle()))
    main([root])
    assert root not in capsys.readouterr().out
    main([root, root])
    assert capsys.readouterr().out.count(f"{root}\n") == 2


def test_it_tells_its_version(capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"deedbox-verify \d+\.\d+\.\d+\n", capsys.readouterr().out)
