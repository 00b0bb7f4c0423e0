#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts in surroundings that are not as they should be.

    start_test.py PROGRAM_DIRECTORY
"""

import os
import subprocess
import sys
import tempfile
import unittest

import server_process

PROGRAMS = sys.argv.pop(1)
NOBODY = "65534"
STREAMS = (0, 1, 2)


class ServerWithoutStreams(server_process.Server):
    """As `varkeepd <&- >&- 2>&-`."""

    @staticmethod
    def prepare():
        for stream in STREAMS:
            os.close(stream)


class StartTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="varkeep-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        os.chmod(self.directory, 0o755)

    def start(self, data):
        """Of somebody whom the permissions of files concern."""
        become = (["setpriv", "--reuid", NOBODY, "--regid", NOBODY,
                   "--clear-groups"] if os.geteuid() == 0 else [])
        return subprocess.run(
            [*become, f"{PROGRAMS}/varkeepd", "--data-dir", data,
             "--listen", f"unix:{self.directory}/socket"], check=False,
            stderr=subprocess.PIPE, text=True, timeout=60)

    def assert_refused(self, data, *reasons):
        done = self.start(data)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for part in ("cannot start", data, *reasons):
            self.assertIn(part, done.stderr)

    def test_a_directory_that_cannot_be_written_is_refused(self):
        for name, mode in (("readonly", 0o555), ("closed", 0o000)):
            data = f"{self.directory}/{name}"
            os.mkdir(data, mode)
            self.assert_refused(data, "PERMISSION_DENIED", "Permission denied")
            self.assert_refused(f"{data}/missing", "PERMISSION_DENIED",
                                "cannot make directory")

    def test_a_file_in_place_of_the_directory_is_refused(self):
        data = f"{self.directory}/file"
        with open(data, "x", encoding="ascii"):
            pass
        self.assert_refused(data, "Not a directory")

    def test_without_standard_streams_no_message_gets_into_a_file(self):
        with ServerWithoutStreams(PROGRAMS, self.directory) as server:
            pid = server.process.pid
            for stream in STREAMS:
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{stream}"),
                                 "/dev/null")
            server.change("create", "v", "--shape", "3", "--init")
            for number in range(5):
                server.change("set", "v", str(number), "1", "2")
                server.change("save")
            server.change("set", "v", "7", "8", "9")
        verified = subprocess.run(
            [f"{PROGRAMS}/varkeep", "verify", server.data], check=False,
            capture_output=True, text=True, timeout=60)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        with server_process.Server(PROGRAMS, self.directory) as server:
            self.assertEqual(server.value(), "[7 8 9]")


if __name__ == "__main__":
    unittest.main()
