"""Whatever a worker does, the call ends in a state that says so, and the dispatcher reads the next document."""

import asyncio
import dataclasses
import os
import platform
import subprocess
from pathlib import Path

import pytest

from deedbox_server.documents import sandbox as walls
from deedbox_server.documents import seccomp
from deedbox_server.documents.limits import MIB
from deedbox_server.documents.sealed_input import sealed_bytes
from deedbox_server.documents.states import ReadState


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def anyio_backend(request):
    """Both loops that the box may run under: they start and end processes each in their own way."""
    return ("asyncio", {"use_uvloop": request.param == "uvloop"})


ANSWER = """
    import os
    from deedbox_server.documents.states import ReadState
    from deedbox_server.documents.worker_protocol import WorkerResult, encode_result
    def answer(note):
        for frame in encode_result(WorkerResult(ReadState.READ, 1, note, "hostile")):
            os.write(1, frame)
"""


async def outcome(dispatcher, source, data=b"a document"):
    return await dispatcher.read(source(data))


async def test_an_honest_worker_answers(make_dispatcher, source):
    result = await outcome(make_dispatcher(ANSWER + "    answer('here')\n"), source)
    assert (result.state, result.note) == (ReadState.READ, "here")


async def test_it_sees_the_document_and_no_folder_of_ours(make_dispatcher, source, data_folder):
    script = f"""{ANSWER}
    import sys
    seen = sys.stdin.buffer.read()
    for path in ({str(data_folder / "box.db")!r}, {str(Path.home())!r} + "/.bashrc", "/etc/passwd", "/var/log", "/proc/1"):
        try:
            os.stat(path)
            answer("sees " + path)
            break
        except OSError:
            pass
    else:
        answer("blind, reads " + seen.decode())
    """
    result = await outcome(make_dispatcher(script), source)
    assert result.note == "blind, reads a document"


async def test_a_data_folder_inside_a_visible_one_is_covered(make_dispatcher, source, data_folder, monkeypatch):
    data_folder.parent.chmod(0o755)
    found = walls.find_sandbox
    monkeypatch.setattr(
        "deedbox_server.documents.dispatcher.find_sandbox",
        lambda **given: dataclasses.replace(found(**given), visible=(*found(**given).visible, data_folder.parent)),
    )
    script = f"""{ANSWER}
    try:
        answer(str(os.listdir({str(data_folder)!r})))
    except OSError:
        answer(str(os.listdir({str(data_folder.parent)!r})))
    """
    result = await outcome(make_dispatcher(script), source)
    assert result.note == "['data']"


async def test_the_document_cannot_be_changed(make_dispatcher, source):
    script = f"""{ANSWER}
    tried = []
    for attempt in (lambda: os.write(0, b"x"), lambda: os.ftruncate(0, 1)):
        try:
            attempt()
            tried.append("changed")
        except OSError:
            tried.append("refused")
    os.lseek(0, 2, 0)
    answer(" ".join(tried) + os.read(0, 100).decode())
    """
    result = await outcome(make_dispatcher(script), source)
    assert result.note == "refused refuseddocument"


async def test_it_has_no_network_no_sockets_no_new_namespaces(make_dispatcher, source):
    script = f"""{ANSWER}
    import ctypes, socket
    libc = ctypes.CDLL(None, use_errno=True)
    refused = []
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, 40):
        try:
            socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            refused.append(str(family))
    assert libc.unshare(0x10000000) == -1
    assert libc.mount(b"none", b"/scratch", b"tmpfs", 0, None) == -1
    try:
        os.memfd_create("more memory")
    except OSError:
        refused.append("memfd")
    answer(str(len(refused)))
    """
    result = await outcome(make_dispatcher(script), source)
    assert result.note == "6"


async def test_it_has_no_rights_no_environment_and_cannot_write_outside_its_scratch(
    make_dispatcher, source, monkeypatch
):
    monkeypatch.setenv("DEEDBOX_PASSPHRASE", "secret")
    script = f"""{ANSWER}
    wrote = []
    for path in ("/x", "/dev/x", "/dev/shm/x", "/etc/x", "/usr/x", "/tmp/x", "/scratch/x"):
        try:
            open(path, "w").close()
            wrote.append(path)
        except OSError:
            pass
    try:
        os.setuid(0)
        wrote.append("root" if os.getuid() == 0 and os.path.exists("/root") and os.listdir("/root") else "")
    except OSError:
        wrote.append("no root")
    answer(" ".join(wrote) + " " + str("DEEDBOX_PASSPHRASE" in os.environ))
    """
    result = await outcome(make_dispatcher(script), source)
    assert result.note in ("/scratch/x no root False", "/scratch/x  False")


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("while True: pass", ReadState.OUT_OF_TIME),
        ("import time\ntime.sleep(60)", ReadState.OUT_OF_TIME),
        ("import os\nwhile True:\n  os.write(2, b'x' * 65536)", ReadState.OUT_OF_TIME),
        ("import os\nos._exit(3)", ReadState.WORKER_DIED),
        ("import os\nos.abort()", ReadState.WORKER_DIED),
        ("data = bytearray()\nwhile True: data += bytes(1 << 24)", ReadState.WORKER_DIED),
        ("import os\nwhile True: os.write(1, b'P' * 65536)", ReadState.WORKER_REFUSED),
        ("print('not a frame')", ReadState.WORKER_REFUSED),
        ("import os\nos.write(1, b'D' + bytes(4))", ReadState.WORKER_REFUSED),
        ("import os\nos.write(1, b'H\\xff\\xff\\xff\\xff')", ReadState.WORKER_REFUSED),
        ("pass", ReadState.WORKER_REFUSED),
        ("import os\nos.close(1)\nimport time\ntime.sleep(60)", ReadState.OUT_OF_TIME),
    ],
)
async def test_each_misbehaviour_has_its_state(make_dispatcher, source, small, script, state):
    seconds = 2.0 if state is ReadState.OUT_OF_TIME else 60.0  # a loaded machine takes its time to run out of memory
    dispatcher = make_dispatcher(script, limits=dataclasses.replace(small, seconds=seconds))
    async with asyncio.timeout(120):
        assert (await outcome(dispatcher, source)).state is state


async def test_a_fork_bomb_stays_inside_and_dies(make_dispatcher, source, small):
    script = """
    import os, time
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
    """
    dispatcher = make_dispatcher(script, limits=dataclasses.replace(small, seconds=2.0))
    assert (await outcome(dispatcher, source)).state is ReadState.OUT_OF_TIME
    await _no_process_holds("time.sleep(0.01)")


async def test_many_processes_share_one_allowance_of_memory(make_dispatcher, source, small):
    script = """
    import os, time
    for _ in range(6):
        if os.fork() == 0:
            break
    held = b"x" * (40 << 20)
    time.sleep(30)
    """
    dispatcher = make_dispatcher(script, limits=dataclasses.replace(small, memory_bytes=200 * MIB))
    assert (await outcome(dispatcher, source)).state is ReadState.OUT_OF_MEMORY


async def test_a_huge_file_ends_at_the_scratch_size(make_dispatcher, source):
    script = f"""{ANSWER}
    import errno
    written = 0
    try:
        for number in range(100):
            with open(f"/scratch/{{number}}", "wb", 0) as file:
                while True:
                    written += file.write(bytes(1 << 20))
                    if number % 2 == 0 and written > 40 << 20:
                        break
    except OSError as error:
        answer(errno.errorcode[error.errno] + (" within" if written <= 64 << 20 else " beyond"))
    """
    assert (await outcome(make_dispatcher(script), source)).note in ("ENOSPC within", "EFBIG within")


async def test_orphans_do_not_outlive_the_reading(make_dispatcher, source):
    script = f"""{ANSWER}
    import time
    if os.fork() == 0:
        os.setsid()
        os.close(1)
        time.sleep(61)
        os._exit(0)
    answer("left one behind")
    """
    assert (await outcome(make_dispatcher(script), source)).note == "left one behind"
    await _no_process_holds("time.sleep(61)")


async def test_after_every_hostile_worker_the_same_slot_reads_the_next(make_dispatcher, source, small):
    fork_bomb = make_dispatcher("import os\nwhile True: os.fork()", limits=dataclasses.replace(small, seconds=2.0))
    await outcome(fork_bomb, source)
    assert (await outcome(make_dispatcher(), source, b"plain words")).state is ReadState.READ


async def test_more_documents_than_slots_wait_their_turn(make_dispatcher, source):
    dispatcher = make_dispatcher(slots=2)
    results = await asyncio.gather(*(outcome(dispatcher, source, b"number %d" % number) for number in range(5)))
    assert {result.state for result in results} == {ReadState.READ}


async def test_what_is_too_large_is_said_and_no_worker_starts(make_dispatcher, source, small):
    dispatcher = make_dispatcher("import os\nos.abort()")
    assert (await outcome(dispatcher, source, b"a" * (small.input_bytes + 1))).state is ReadState.TOO_LARGE


async def test_what_cannot_be_read_needs_no_worker_whatever_its_size(make_dispatcher, source, small):
    dispatcher = make_dispatcher("import os\nos.abort()")
    assert (await outcome(dispatcher, source, bytes(small.input_bytes + 1))).state is ReadState.NOTHING_TO_READ


async def test_without_bubblewrap_nothing_is_read(make_dispatcher, source, monkeypatch):
    monkeypatch.setattr(walls.shutil, "which", lambda _: None)
    result = await outcome(make_dispatcher(), source, b"plain words")
    assert (result.state, result.files) == (ReadState.NO_SANDBOX, ())
    assert "bubblewrap is not installed" in result.note


async def test_walls_that_do_not_stand_are_not_trusted(make_dispatcher, source, monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(walls.shutil, "which", lambda _: str(broken))
    result = await outcome(make_dispatcher(), source, b"plain words")
    assert result.state is ReadState.NO_SANDBOX
    assert "No permissions to create new namespace" in result.note


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: all tests above went through a user namespace already")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("touch /x 2>/dev/null || echo closed", "closed"),
        ("touch /scratch/x && echo open", "open"),
        ("ls / | tr '\\n' ' '", "bin dev etc lib lib64 sbin scratch usr"),
        ("for n in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; echo all", "Cannot fork"),
    ],
)
def test_an_ordinary_user_gets_the_same_walls_by_a_user_namespace(small, data_folder, script, said):
    found = walls.find_sandbox(hidden=(data_folder,))
    ordinary = dataclasses.replace(found, as_root=False, visible=(Path("/usr"), Path("/etc/ld.so.cache")))
    with sealed_bytes(seccomp.program(platform.machine())) as calls:
        ran = subprocess.run(
            ordinary.command(
                ("/usr/bin/dash", "-c", script),
                limits=dataclasses.replace(small, processes=8),
                slot=0,
                seccomp_fd=calls,
            ),
            check=False,
            user=60199,
            group=60199,
            extra_groups=(),
            pass_fds=(calls,),
            capture_output=True,
            text=True,
            cwd="/",
            env={},
        )
    assert said in ran.stdout + ran.stderr


async def _no_process_holds(text: str) -> None:
    """No process on this machine has this in its command line; killed ones get a moment to go."""
    for _ in range(50):
        if not any(text in _command_line(entry) for entry in Path("/proc").iterdir()):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"a process with {text!r} is still there")


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace")
    except OSError:
        return ""
