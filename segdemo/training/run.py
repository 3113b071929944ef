"""A training as a process of its own: `python -m segdemo.training.run FOLDER` reads the spec there and reports there.

It steps back behind everything else on the machine (lower priority, one thread less than there are cores, first to go
when memory runs out), ends when its server does, and says in a sentence why it failed if it does.
"""

import os
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

__all__ = ["NICENESS", "main"]

NICENESS = 10  # $SEGDEMO_TRAINING_NICENESS is another, 0 to 19
FIRST_TO_GO = "900"  # of −1000 … 1000: whom Linux ends first when memory runs out


def main(folder: Path) -> int:
    """Run the training that the folder asks for. The exit code is 0 if it finished."""
    step_back()
    from segdemo.errors import SegdemoError
    from segdemo.text import _
    from segdemo.training.run_folder import RunFolder

    run = RunFolder(folder)
    run.change(phase="reading", pid=os.getpid())  # importing torch takes a while
    try:
        from segdemo.training.run_work import work

        work(run)
    except SegdemoError as error:
        run.change(phase="failed", stopped=run.stop.exists(), error=str(error).replace(f"{folder}{os.sep}", ""))
    except Exception as error:  # whatever it was, the page must be able to say that it is over
        traceback.print_exc()  # into the log, which no page shows: it is full of paths
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        sentence = _no_memory(error) or _("An error of the program ended the training: {reason}.", reason=reason)
        run.change(phase="failed", error=sentence)
    return 0 if run.state().phase == "finished" else 1


def step_back() -> None:
    """Leave the machine to others: before torch is imported, which asks for the number of threads then."""
    with suppress(OSError, AttributeError, ValueError):
        os.nice(int(os.environ.get("SEGDEMO_TRAINING_NICENESS", NICENESS)))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(max(1, cores - 1))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")


def end_with_the_server() -> None:
    """The server holds the other end of our input: when it ends, however it ends, there is nothing more to read."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 64):  # without sys.stdin, whose lock a thread that waits would keep at the very end
                pass
        os._exit(3)

    threading.Thread(target=wait, daemon=True, name="server-watch").start()


def _no_memory(error: Exception) -> str:
    from segdemo.text import _

    words = ("not enough memory", "can't allocate memory", "out of memory")
    if isinstance(error, MemoryError) or any(word in str(error).lower() for word in words):
        return _("There was not enough memory. A smaller batch, crop or width works.")
    return ""


if __name__ == "__main__":
    end_with_the_server()
    sys.exit(main(Path(sys.argv[1])))
