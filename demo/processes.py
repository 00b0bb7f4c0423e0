# SPDX-License-Identifier: Apache-2.0
"""The processes of the demo: one server, some workers, and tools that end."""

import ctypes
import re
import signal
import subprocess
import threading
import time

STOP_SECONDS = 60
LISTENING = re.compile(r"listening on (\S+:\d+)")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failure(Exception):
    """Why the demo cannot go on, in a sentence."""


def _die_with_parent():
    # Nothing outlives the demo, not even when it is killed itself.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(command, **streams):
    try:
        # A session of its own: ctrl-C reaches the demo alone, which stops its
        # processes in order.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                start_new_session=True,
                                preexec_fn=_die_with_parent, **streams)
    except FileNotFoundError:
        raise Failure(f"there is no {command[0]}; run ./dev build") from None


def _tail(path, count=15):
    with open(path, encoding="utf-8", errors="replace") as log:
        return "".join(log.readlines()[-count:])


def run_tool(command):
    """What a program prints; Failure with what it complained of."""
    try:
        done = subprocess.run(command, check=False, capture_output=True,
                              text=True, timeout=60)
    except FileNotFoundError:
        raise Failure(f"there is no {command[0]}; run ./dev build") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}: "
                      f"{done.stderr.strip()}")
    return done.stdout


def stop_all(processes):
    for process in processes:
        process.kill()


class Server:
    """varkeepd on a loopback port that it keeps when it is started again."""

    def __init__(self, program, data_dir, log):
        self.address = "127.0.0.1:0"
        self._command = [program, "--data-dir", data_dir,
                         "--checkpoint-interval", "1s"]
        self._log = log
        self._process = None

    def start(self, deadline):
        """Returns once it listens; `address` then has the port it found."""
        with open(self._log, "ab") as log:
            offset = log.tell()
            self._process = _start(self._command + ["--listen", self.address],
                                   stdout=log, stderr=log)
        while True:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                log.seek(offset)
                match = LISTENING.search(log.read())
            if match:
                self.address = match[1]
                return
            self.check_alive()
            if time.monotonic() > deadline:
                raise Failure("varkeepd does not say that it listens:\n"
                              + _tail(self._log))
            time.sleep(0.02)

    def check_alive(self):
        if self._process.poll() is not None:
            raise Failure(f"varkeepd ended with {self._process.returncode}:\n"
                          + _tail(self._log))

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self):
        """As an operator stops it: it saves and exits with 0."""
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(STOP_SECONDS) != 0:
            self.check_alive()


class Worker:
    """One process that trains, and what it last said of its progress.

    A step ends when the server has acknowledged its push, so `step` is also the
    number of pushes acknowledged.
    """

    def __init__(self, number, command, log, steps):
        self.number = number
        self.steps = steps
        self.step = 0
        self.loss = None
        self.accuracy = None
        self._finished = False
        self._log = log
        with open(log, "wb") as stderr:
            self._process = _start(command, stdout=subprocess.PIPE,
                                   stderr=stderr, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            said = dict(word.split("=", 1) for word in line.split()
                        if "=" in word)
            self.step = int(said.get("step", self.step))
            self.loss = said.get("loss", self.loss)
            self.accuracy = said.get("accuracy", self.accuracy)
            if "test_accuracy" in said:
                self._finished = True
                self.step = self.steps

    def running(self):
        if self._process.poll() is None:
            return True
        self._reader.join()
        return False

    def check_finished(self):
        if self._process.returncode != 0 or not self._finished:
            raise Failure(f"worker {self.number} ended with "
                          f"{self._process.returncode}:\n" + _tail(self._log))

    def kill(self):
        self._process.kill()
        self._process.wait()
