# SPDX-License-Identifier: Apache-2.0
"""Shows progress: bars that move on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time

PLAIN_SECONDS = 1.0
BAR_WIDTH = 30


class Display:
    def __init__(self, out=sys.stdout):
        self._out = out
        self._terminal = out.isatty() and os.environ.get("TERM") != "dumb"
        self._color = self._terminal and "NO_COLOR" not in os.environ
        self._started = time.monotonic()
        self._bars = 0  # lines of bars on the screen, below what was said
        self._last_plain = 0.0

    def say(self, who, what):
        """One event, which stays above the bars."""
        self._erase_bars()
        self._write(f"{self._clock()}  {self._bold(who)}: {what}\n")

    def progress(self, workers, last=False):
        if self._terminal:
            self._erase_bars()
            for worker in workers:
                self._write(self._bar(worker) + "\n")
            self._bars = 0 if last else len(workers)
        elif last or time.monotonic() - self._last_plain >= PLAIN_SECONDS:
            self._last_plain = time.monotonic()
            self._write(f"{self._clock()}  " + "  |  ".join(
                f"worker {worker.number}: {_state(worker)}"
                for worker in workers) + "\n")

    def end(self):
        """Leaves the bars where they are."""
        self._bars = 0

    def _bar(self, worker):
        filled = BAR_WIDTH * worker.step // max(worker.steps, 1)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        if self._color:
            bar = f"\x1b[32m{bar}\x1b[0m"
        text = f" {_state(worker)}"
        # A bar that wraps could not be erased.
        room = shutil.get_terminal_size().columns - BAR_WIDTH - 20
        return f"{self._clock()}  worker {worker.number} {bar}{text[:room]}"

    def _erase_bars(self):
        if self._bars:
            self._write(f"\x1b[{self._bars}F\x1b[J")
            self._bars = 0

    def _clock(self):
        return f"{time.monotonic() - self._started:6.1f} s"

    def _bold(self, text):
        return f"\x1b[1m{text}\x1b[0m" if self._color else text

    def _write(self, text):
        self._out.write(text)
        self._out.flush()


def _state(worker):
    state = f"step {worker.step:>4}/{worker.steps}"
    if worker.accuracy is not None:
        accuracy, loss = float(worker.accuracy), float(worker.loss)
        state += f" accuracy {accuracy:.3f} loss {loss:.3f}"
    return state
