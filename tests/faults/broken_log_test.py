#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Syncs of a running server's log fail: changes are refused, nothing that was
acknowledged is lost, and the server resumes by itself.

    broken_log_test.py PROGRAM_DIRECTORY
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

import server_process
import sync_order
import system_calls

PROGRAMS = sys.argv.pop(1)
UNAVAILABLE = 3  # exit code


class FailingSyncs:
    """Every sync of a running server fails during the `with`, or those of one
    file."""

    def __init__(self, server, trace, path=None):
        self.trace = trace
        self.strace = subprocess.Popen(
            [*server_process.DIE_WITH_PARENT, "strace", "-f", "-y", "-xx", "-o", trace,
             "-e", "trace=fdatasync,fsync",
             "-e", "inject=fdatasync,fsync:error=EIO",
             *(["-P", path] if path else []), "-p", str(server.process.pid)],
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        first = self.strace.stderr.readline()
        if "attached" not in first:
            raise AssertionError("the server cannot be traced; this test needs "
                                 "strace and the right to ptrace: " + first)
        return self

    def __exit__(self, *unused):
        self.strace.send_signal(signal.SIGTERM)
        self.strace.communicate()

    def failed(self):
        """The files whose syncs failed, in order."""
        return [c.paths[0]
                for c in system_calls.read(self.trace, failed=True)]


class BrokenLogTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="varkeep-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def server(self):
        return server_process.Server(
            PROGRAMS, self.directory, "--metrics-listen", "127.0.0.1:0",
            "--durability", "fsync")

    def trace(self):
        return f"{self.directory}/trace"

    def assert_refused(self, done):
        self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
        self.assertIn("the log is broken", done.stderr)
        self.assertIn("Input/output error", done.stderr)

    def test_changes_are_refused_until_syncs_work_again(self):
        with self.server() as server:
            server.change("create", "v", "--shape", "3", "--init")
            server.change("set", "v", "1", "2", "3")
            before = server.status()
            segments = server.segments()
            with FailingSyncs(server, self.trace()) as disk:
                self.assert_refused(
                    server.varkeep("--timeout", "1", "set", "v", "9"))
                self.assert_refused(server.varkeep("--timeout", "1", "create",
                                                   "refused", "--shape", "3"))
                while server.varkeep("health").returncode == 0:
                    pass  # told by a thread of its own
                broken = server.status()
                metric = server.metric("varkeep_log_broken")
                refused = server.metric(
                    'varkeep_changes_refused_total{reason="log_broken"}')
                self.assertEqual(server.value(), "[1 2 3]")
                self.assertIn("NOT_SERVING", server.varkeep("health").stdout)
            server.wait_until_serving()
            self.assertEqual(server.metric("varkeep_log_broken"), 0)
            self.assertEqual(server.status()["log_error"], "")
            self.assertEqual(server.value(), "[1 2 3]")
            server.change("set", "v", "4", "5", "6")
            after = server.status()
            self.assertNotEqual(server.segments()[-1], segments[-1])
        self.assertIn("Input/output error", broken["log_error"])
        self.assertEqual(broken["revision"], before["revision"])
        self.assertEqual(metric, 1)
        self.assertEqual(refused, 2)
        of_segments = [path for path in disk.failed()
                       if sync_order.SEGMENT.search(path)]
        self.assertEqual(of_segments, segments[-1:])

        with self.server() as server:
            self.assertEqual(server.value(), "[4 5 6]")
            now = server.status()
            self.assertEqual(now["revision"], after["revision"])
            self.assertEqual(now["variables"], 1)

    def test_a_segment_whose_sync_failed_is_left_for_ever(self):
        with self.server() as server:
            server.change("create", "v", "--shape", "3", "--init")
            server.change("set", "v", "1", "2", "3")
            segment = server.segments()[-1]
            with FailingSyncs(server, self.trace(), segment) as disk:
                self.assert_refused(server.varkeep("set", "v", "9"))
                while server.varkeep("set", "v", "4").returncode != 0:
                    self.assertEqual(server.value(), "[1 2 3]")
                server.change("save")
                server.change("set", "v", "5", "6", "7")
            self.assertEqual(disk.failed(), [segment])
            self.assertNotEqual(server.segments()[-1], segment)
        with self.server() as server:
            self.assertEqual(server.value(), "[5 6 7]")


if __name__ == "__main__":
    unittest.main()
