"""Faults for a real ExaBGP: put this directory on PYTHONPATH and name a file in EXABGP_FAULTS.

Python imports a ``sitecustomize`` before anything else. In ExaBGP's process, and in no other,
this one makes the wall clock and the answers to the agent do what the file says, as JSON:

    {"clock": 3600}                 the wall clock is set forwards by an hour
    {"clock": 3600, "bare": true}   and ExaBGP runs by it, as it would without our launcher
    {"answers": ["drop"]}           the next answer is lost; "late", "error" and "spin" likewise
    {"answers": ["drop", "..."]}    and so is every other one

Where EXABGP_SLEEPS names a file, it grows by a byte whenever ExaBGP sleeps between two turns.
Where EXABGP_IMPORTS names one, it grows by a line for each module that ExaBGP's process looks for.

Where CHECKER_FAULT names a file, a process that checks settings does what is in it: "hang", or
"die", which is what a node without memory does to it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

LATE = 6.0
"""Seconds; the agent waits for five."""

_wall = time.time


def _told() -> dict[str, Any]:
    try:
        return dict(json.loads(Path(os.environ["EXABGP_FAULTS"]).read_text()))
    except (OSError, ValueError):
        return {}


def _next_fault() -> str:
    told = _told()
    if told.get("bare"):
        time.time = _faulty_clock
    first, *rest = told.get("answers") or [""]
    if first and rest != ["..."]:
        fresh = Path(os.environ["EXABGP_FAULTS"] + ".fresh")
        fresh.write_text(json.dumps({**told, "answers": rest}))
        fresh.replace(os.environ["EXABGP_FAULTS"])
    return str(first)


def _faulty_clock() -> float:
    return _wall() + float(_told().get("clock", 0))


def _make_answers_faulty() -> None:
    from exabgp.reactor.api import processes  # noqa: PLC0415 - in ExaBGP's process only

    answer = processes.Processes._answer

    def faulty(self: Any, service: str, string: str, force: bool = False) -> None:
        match _next_fault():
            case "drop":
                pass
            case "error":
                answer(self, service, "error", force)
            case "late":
                threading.Timer(LATE, answer, (self, service, string, force)).start()
            case "spin":
                while True:
                    pass
            case _:
                answer(self, service, string, force)

    processes.Processes._answer = faulty


def _count_sleeps() -> None:
    sleep = time.sleep

    def counted(seconds: Any) -> None:
        with Path(os.environ["EXABGP_SLEEPS"]).open("ab") as file:
            file.write(b".")
        sleep(seconds)

    time.sleep = counted


def _note_imports() -> None:
    path = os.environ["EXABGP_IMPORTS"]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "import":
            with open(path, "a") as file:  # noqa: PTH123 - pathlib would import something itself
                file.write(f"{arguments[0]}\n")

    sys.addaudithook(note)


def _fail_as_checker() -> None:
    match Path(os.environ["CHECKER_FAULT"]).read_text():
        case "hang":
            time.sleep(600)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            pass


if "exabgp_k8s.settings" in sys.orig_argv and "CHECKER_FAULT" in os.environ:
    _fail_as_checker()
if "server" in sys.orig_argv and "EXABGP_SLEEPS" in os.environ:
    _count_sleeps()
if "server" in sys.orig_argv and "EXABGP_IMPORTS" in os.environ:
    _note_imports()
if "server" in sys.orig_argv and "EXABGP_FAULTS" in os.environ:
    time.time = _faulty_clock
    _make_answers_faulty()
