#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Watches a server's system calls: nothing is answered, named or removed
before what it relies on is on the disk.

    sync_order_test.py PROGRAM_DIRECTORY
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

import sync_order
import system_calls

PROGRAMS = sys.argv.pop(1)
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
# A record of it leaves no room for a second in a segment (64 MiB).
LARGE_ELEMENTS = 10 << 20


class TracedServer:
    """A varkeepd under strace, killed at the end of the `with`."""

    def __init__(self, directory, durability):
        self.environment = {**os.environ,
                            "VARKEEP_SERVER": f"unix:{directory}/socket"}
        self.trace = f"{directory}/trace"
        self.strace = subprocess.Popen(
            [*DIE_WITH_PARENT, "strace", *system_calls.OPTIONS, "-o",
             self.trace, *DIE_WITH_PARENT, f"{PROGRAMS}/varkeepd", "--listen", f"unix:{directory}/socket",
             "--data-dir", f"{directory}/data", "--durability", durability,
             "--checkpoint-interval", "0", "--log-level", "warn"],
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        while subprocess.run([f"{PROGRAMS}/varkeep", "health"], check=False,
                             env=self.environment, capture_output=True,
                             ).returncode != 0:
            if self.strace.poll() is not None:
                raise AssertionError("the server cannot be traced; this test "
                                     "needs strace and the right to ptrace: "
                                     + self.strace.stderr.read())
        return self

    def __exit__(self, *unused):
        pid = self.strace.pid
        with open(f"/proc/{pid}/task/{pid}/children",
                  encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        self.strace.communicate()

    def varkeep(self, *arguments, stdin=None):
        subprocess.run([f"{PROGRAMS}/varkeep", *arguments], check=True,
                       env=self.environment, input=stdin, timeout=120,
                       stdout=subprocess.DEVNULL)

    def calls(self):
        return sync_order.with_segments_for_drafts(
            system_calls.read(self.trace))


def npy(elements):
    """A file of float32 zeros."""
    header = ("{'descr': '<f4', 'fortran_order': False, "
              f"'shape': ({elements},), }}").ljust(117) + "\n"
    return (b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
            + header.encode() + bytes(4 * elements))


class SyncOrderTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="varkeep-")
        self.addCleanup(self.directory.cleanup)

    def assert_order(self, check, calls, at_least):
        wrong, tested = check(calls)
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(tested, at_least)

    def assert_seen(self, check, calls, missing):
        """The rule notices when a server does not make these calls."""
        wrong, tested = check([c for c in calls if c.name != missing])
        self.assertGreater(tested, 0)
        self.assertEqual(len(wrong), tested)

    def test_of_changes_and_saves_under_fsync(self):
        with TracedServer(self.directory.name, "fsync") as server:
            server.varkeep("create", "v", "--shape", "3", "--init")
            for number in range(5):
                server.varkeep("set", "v", str(number), "1", "2")
            server.varkeep("create", "large", "--shape", str(LARGE_ELEMENTS))
            for _ in range(3):
                server.varkeep("set", "large", "-", stdin=npy(LARGE_ELEMENTS))
                server.varkeep("save")
            server.varkeep("rm", "v")
            server.varkeep("save")
        calls = server.calls()
        self.assert_order(sync_order.check_acknowledgements, calls, 11)
        self.assert_order(sync_order.check_renames, calls, 10)
        self.assert_order(sync_order.check_cuts, calls, 1)
        self.assert_seen(sync_order.check_acknowledgements, calls, "fdatasync")
        self.assert_seen(sync_order.check_renames, calls, "fdatasync")
        self.assert_seen(sync_order.check_renames, calls, "fsync")
        self.assert_seen(sync_order.check_cuts, calls, "rename")

    def test_of_a_start_after_a_kill(self):
        with TracedServer(self.directory.name, "fsync") as server:
            server.varkeep("create", "v", "--shape", "3", "--init")
            server.varkeep("save")
            server.varkeep("set", "v", "1")
        with TracedServer(self.directory.name, "fsync") as server:
            server.varkeep("set", "v", "2")
            server.varkeep("save")
        calls = server.calls()
        self.assert_order(sync_order.check_acknowledgements, calls, 1)
        self.assert_order(sync_order.check_renames, calls, 3)

    def test_answers_that_do_not_wait_for_the_disk_are_seen(self):
        with TracedServer(self.directory.name, "none") as server:
            server.varkeep("create", "v", "--shape", "3", "--init")
            server.varkeep("set", "v", "1")
        wrong, tested = sync_order.check_acknowledgements(server.calls())
        self.assertGreaterEqual(tested, 2)
        self.assertEqual(len(wrong), tested)


if __name__ == "__main__":
    unittest.main()
