"""Trainings of a server: one at a time as a child process, a few more waiting, all found again by their id.

submit ─▶ waiting ─▶ child process ─▶ finished | failed          a keeper thread starts, waits for and buries children;
             ╰▶ withdrawn                                        it lives only while there is something to keep
"""

import atexit
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.training.run_folder import CLOSED, ENDED, LOST, RunFolder, RunState
from segdemo.training.run_spec import MAX_MINUTES, RunSpec, checked, spec_to_json
from segdemo.weights.places import cache_folder

__all__ = ["RunQueue", "is_run_id", "shared_queue"]

ROOT = Path(__file__).parents[2]
MAX_WAITING = 4
MAX_KEPT = 60  # trainings on disk; the oldest that ended leave first
MAX_KEPT_BYTES = 4_000_000_000
GRACE_SECONDS = 5.0
KILLED_AFTER = 60.0 * (MAX_MINUTES + 15)  # a child ends by itself before; this is for one that hangs


def is_run_id(text: str) -> bool:
    """Whether a text can be the id of a training: what visitors type into the address never becomes a path."""
    return re.fullmatch(r"[0-9a-f]{16}", text) is not None


class RunQueue:
    """The trainings in one folder. Safe for threads."""

    def __init__(self, folder: Path, max_waiting: int = MAX_WAITING) -> None:
        self.folder = folder
        self.max_waiting = max_waiting
        self._waiting: list[str] = []
        self._owners: dict[str, Collection[str]] = {}  # of each that waits or runs
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None
        self._keeper: threading.Thread | None = None
        self._lock = threading.RLock()
        self._closed = False

    def submit(self, spec: RunSpec, data: Path | None = None, owners: Mapping[str, int] = MappingProxyType({})) -> str:
        """Queue a training and return its id. `data` is a file of the visitor's that must not vanish meanwhile.

        owners: whom it belongs to, such as a session and an address, and how many trainings each of them may have that
        wait or run. Raises SettingError where the spec is impossible, or too many are waiting, of all or of an owner.
        """
        checked(spec)
        with self._lock:
            self._check_owners(owners)
            if self._closed or len(self._waiting) >= self.max_waiting:
                raise SettingError(_("{n} trainings are waiting already. Try again in a few minutes.", n=len(self._waiting)))
            run_id = secrets.token_hex(8)
            run = RunFolder(self.folder / run_id)
            self._make_room()
            try:
                run.path.mkdir(parents=True)
                if data is not None:
                    spec = replace(spec, data=str(_linked(data, run.path / f"data{data.suffix}")))
                run.spec.write_text(spec_to_json(spec), encoding="utf-8")
                run.change(steps=spec.settings.steps, pid=os.getpid())
            except OSError as error:
                shutil.rmtree(run.path, ignore_errors=True)
                reason = error.strerror or type(error).__name__
                raise SettingError(_("The training cannot be kept on this machine: {reason}.", reason=reason)) from error
            self._waiting.append(run_id)
            self._owners[run_id] = tuple(owners)
            if self._keeper is None or not self._keeper.is_alive():
                self._keeper = threading.Thread(target=self._keep, daemon=True, name="training-keeper")
                self._keeper.start()
        return run_id

    def _check_owners(self, owners: Mapping[str, int]) -> None:
        live = [*self._waiting, *([self._running[0]] if self._running else [])]
        self._owners = {run_id: self._owners.get(run_id, ()) for run_id in live}
        for owner, most in owners.items():
            if sum(owner in held for held in self._owners.values()) >= most:
                raise SettingError(
                    _(
                        "You have {n} trainings that wait or run, and more would make others wait. Stop one first.",
                        n=most,
                    )
                )

    def find(self, run_id: str) -> RunFolder | None:
        """The folder of a training, of this process or of an earlier one; None where there is none."""
        folder = RunFolder(self.folder / run_id)
        return folder if is_run_id(run_id) and folder.spec.is_file() else None

    def state(self, run_id: str) -> RunState:
        """How far it is. One that an earlier process left unfinished has failed, with a sentence that says so."""
        state = RunFolder(self.folder / run_id).state()
        if state.phase in ENDED or self._is_mine(run_id) or _lives_elsewhere(state, run_id):
            return state
        state = RunFolder(self.folder / run_id).state()  # it may have ended between the two looks
        return state if state.phase in ENDED else replace(state, phase="failed", error=_(LOST))

    def _is_mine(self, run_id: str) -> bool:
        with self._lock:
            return run_id in self._waiting or (self._running is not None and self._running[0] == run_id)

    def ahead_of(self, run_id: str) -> int:
        """How many trainings come before this one; 0 for one that runs or has ended."""
        with self._lock:
            if run_id not in self._waiting:
                return 0
            return self._waiting.index(run_id) + (self._running is not None)

    def stop(self, run_id: str) -> None:
        """End it after the step or picture at hand, and keep its best weights; withdraw it if it is still waiting."""
        run = self.find(run_id)
        if run is None:
            return
        with self._lock:
            if run_id in self._waiting:
                self._waiting.remove(run_id)
                run.change(phase="withdrawn", stopped=True)
                return
        with suppress(OSError):
            run.stop.touch()

    def close(self) -> None:
        """End everything: the running training at once, the waiting ones before they begin. Their states say so."""
        with self._lock:
            self._closed = True
            for run_id in self._waiting:
                _fail(RunFolder(self.folder / run_id), _(CLOSED))
            self._waiting.clear()
            child = self._running[1] if self._running else None
            keeper = self._keeper
        if child is not None:
            child.kill()
        if keeper is not None and keeper is not threading.current_thread():
            keeper.join(GRACE_SECONDS)

    def _keep(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._keeper = None
                    return
                run_id = self._waiting.pop(0)
                run = RunFolder(self.folder / run_id)
                try:
                    child = _start(run)
                except Exception as error:  # a full disk, a folder that is gone: the next ones must get their turn
                    reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
                    _fail(run, _("The training could not be started: {reason}.", reason=reason))
                    continue
                self._running = (run_id, child)
            try:
                self._follow(run, child)
            except Exception as error:
                child.kill()  # never two at a time
                _fail(run, _("An error of the program ended the training: {reason}.", reason=type(error).__name__))
            with self._lock:
                self._running = None

    def _follow(self, run: RunFolder, child: subprocess.Popen[bytes]) -> None:
        """Wait for the child, not for ever, and bury it."""
        limit = threading.Timer(KILLED_AFTER, child.kill)
        limit.daemon = True
        limit.start()
        code = child.wait()
        hung = limit.finished.is_set()
        limit.cancel()
        with suppress(OSError):
            assert child.stdin is not None
            child.stdin.close()
        if run.state().phase in ENDED:
            return
        if self._closed:
            _fail(run, _(CLOSED))
        elif hung:
            _fail(run, _("The training did not end by itself when its time was over. Its best weights so far are kept."))
        else:
            _fail(run, _last_words(code))

    def _make_room(self) -> None:
        """Delete the oldest trainings that have ended, beyond the bounds."""
        with suppress(OSError):
            found = [path for path in self.folder.iterdir() if is_run_id(path.name) and not self._is_mine(path.name)]
            newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
            used = 0
            for number, path in enumerate(newest):
                used += sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                if (number >= MAX_KEPT or used > MAX_KEPT_BYTES) and self.state(path.name).phase in ENDED:
                    shutil.rmtree(path, ignore_errors=True)


def _start(run: RunFolder) -> subprocess.Popen[bytes]:
    """The child. Its input stays open as long as this process lives, and that is how it knows."""
    with run.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "segdemo.training.run", str(run.path)], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C in the server's terminal is meant for the server, which ends its child itself
        )  # fmt: skip


def _fail(run: RunFolder, error: str) -> None:
    """Keep a sentence, where there still is a folder with room for it."""
    with suppress(OSError):
        run.change(phase="failed", error=error)


def _last_words(code: int) -> str:
    """What is to be said of a child that ended without saying it."""
    if code == -signal.SIGKILL:
        return _("The system ended the training, most likely for want of memory. A smaller batch, crop or width works.")
    return _("The training was ended from outside.") if code < 0 else _("The training's process broke off.")


def _lives_elsewhere(state: RunState, run_id: str) -> bool:
    """Whether the process that the state names, another server that waits or its child, is alive and is the one meant:
    numbers of processes are used again."""
    if state.pid in (0, os.getpid()):
        return False
    try:
        os.kill(state.pid, 0)
    except (OSError, OverflowError):
        return False
    with suppress(OSError):
        command = Path(f"/proc/{state.pid}/cmdline").read_bytes()
        return b"segdemo" in command or b"streamlit" in command if state.phase == "waiting" else run_id.encode() in command
    return True


def _linked(source: Path, target: Path) -> Path:
    """The file under another name, without copying it where the file system can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


_queues: dict[Path, RunQueue] = {}
_queues_lock = threading.Lock()


def shared_queue() -> RunQueue:
    """The server's queue, in the cache folder; where that cannot be written, in one for as long as the process lives.

    Which of the two is decided once for each cache folder: a queue must not change its place while trainings are in it.
    """
    folder = cache_folder() / "training"
    with _queues_lock:
        if folder not in _queues:
            _queues[folder] = RunQueue(_writable(folder))
            atexit.register(_queues[folder].close)
        return _queues[folder]


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="segdemo-training-"))
