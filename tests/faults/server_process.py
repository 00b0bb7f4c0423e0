# SPDX-License-Identifier: Apache-2.0
"""A server of its own for a test, and the command line to talk to it."""

import ctypes
import json
import os
import re
import signal
import subprocess
import urllib.request

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
PR_SET_PTRACER = 0x59616d61
PR_SET_PTRACER_ANY = -1
LIBC = ctypes.CDLL(None)


class Server:
    """A varkeepd that may be traced, killed at the end of the `with`. Saves
    only when asked."""

    def __init__(self, programs, directory, *flags):
        self.programs = programs
        self.data = f"{directory}/data"
        self.address = f"unix:{directory}/socket"
        self.messages = f"{directory}/messages"
        with open(self.messages, "w", encoding="utf-8") as messages:
            self.process = subprocess.Popen(
                [*DIE_WITH_PARENT, f"{programs}/varkeepd",
                 "--listen", self.address, "--data-dir", self.data,
                 "--checkpoint-interval", "0", *flags], stderr=messages,
                preexec_fn=self.prepare)

    @staticmethod
    def prepare():
        """In the new process."""
        LIBC.prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)

    def __enter__(self):
        self.wait_until_serving()
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait_until_serving(self):
        while self.varkeep("health").returncode != 0:
            if self.process.poll() is not None:
                with open(self.messages, encoding="utf-8") as messages:
                    raise AssertionError(messages.read())

    def varkeep(self, *arguments):
        return subprocess.run(
            [f"{self.programs}/varkeep", "--server", self.address, *arguments],
            check=False, capture_output=True, text=True, timeout=120)

    def change(self, *arguments):
        done = self.varkeep(*arguments)
        assert done.returncode == 0, done.stderr

    def value(self):
        return self.varkeep("get", "v").stdout.strip()

    def status(self):
        return json.loads(self.varkeep("--output", "json", "status").stdout)

    def metric(self, name):
        """`name` may have labels."""
        with open(self.messages, encoding="utf-8") as messages:
            url = re.search(r"metrics at (\S+)", messages.read())[1]
        with urllib.request.urlopen(url, timeout=60) as answer:
            return float(re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(),
                                   re.MULTILINE)[1])

    def segments(self):
        return sorted(f"{self.data}/log/{name}"
                      for name in os.listdir(f"{self.data}/log"))
