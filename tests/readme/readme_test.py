#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types what README.md and docs/ show, and compares what comes out.

    readme_test.py SOURCE_ROOT PROGRAM_DIRECTORY
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
PROGRAMS = sys.argv.pop(1)
TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blocks(path, language):
    """The fenced code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(path),
                      re.MULTILINE | re.DOTALL)


def commands(block):
    """(command, expected output) pairs of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


class Server:
    """A varkeepd on a socket and a directory of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="varkeep-")
        self.data = os.path.join(self.directory.name, "data")
        self.address = f"unix:{self.directory.name}/socket"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL",  # dies with this process
             f"{PROGRAMS}/varkeepd", "--listen", self.address, "--data-dir",
             self.data, "--checkpoint-interval", "0", "--log-level", "error"])

    def run(self, command):
        path = f"{PROGRAMS}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.directory.name, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            check=False,
            env={**os.environ, "PATH": path, "VARKEEP_SERVER": self.address})
        return done.stdout

    def wait_until_serving(self):
        while "SERVING" not in self.run("varkeep health"):
            if self.process.poll() is not None:
                raise RuntimeError("varkeepd ended")

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.directory.cleanup()
        return status


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(lambda: self.assertEqual(self.server.stop(), 0))
        self.server.wait_until_serving()

    def test_the_tour_shows_what_the_commands_print(self):
        for block in blocks("README.md", "console"):
            for command, expected in commands(block):
                with self.subTest(command):
                    self.assertEqual(TIME.sub("TIME", self.server.run(command)),
                                     TIME.sub("TIME", expected))

        # The tour saved a checkpoint: the page about the format reads it.
        (example,) = blocks("docs/checkpoint_format.md", "python")
        done = subprocess.run(["/usr/bin/python3", "-c", example],
                              cwd=self.server.data, text=True, timeout=60,
                              stdout=subprocess.PIPE, check=True)
        self.assertIn("varkeep checkpoint 4\n", done.stdout)
        self.assertIn("float32 (2, 3)", done.stdout)
        self.assertIn("variables/model/biases:0 (3,)", done.stdout)

    def test_the_example_is_the_quickstart_and_runs(self):
        (example,) = blocks("README.md", "cpp")
        self.assertTrue(read("client/examples/quickstart.cc").endswith(example))
        printed = self.server.run(
            f"{PROGRAMS}/examples/quickstart {self.server.address}")
        self.assertIn("biases[0] = 0.5", printed)


class FilesTest(unittest.TestCase):
    def test_every_file_that_the_pages_name_exists(self):
        named = re.compile(r"`((?:\w+/)+[\w.]+\.(?:h|cc|md|proto|py|yaml))`")
        for page in ("README.md", "docs/architecture.md", "docs/contributing.md",
                     "docs/checkpoint_format.md", "docs/performance.md"):
            for path in named.findall(read(page)):
                with self.subTest(page=page, path=path):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, path)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
