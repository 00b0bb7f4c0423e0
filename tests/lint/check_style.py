#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on what the project's style forbids and no compiler sees.

    check_style.py [ROOT]

Prints one line for each violation: file:line: what, and which rule.
"""

import os
import re
import sys

from source_files import project_files, project_root

SPDX = "SPDX-License-Identifier: Apache-2.0"
MAX_LINES = {".cc": 500, ".h": 250}
SLEEP = re.compile(r"\b(sleep_for|sleep_until|SleepFor|u?sleep|nanosleep)\s*\(")
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
# Words that the rules themselves have to spell out.
EXEMPT = "tests/lint/"


def check_length(path, lines):
    limit = MAX_LINES.get(os.path.splitext(path)[1])
    if limit and len(lines) > limit:
        yield limit + 1, f"{len(lines)} lines; a file has at most {limit}"


def check_licence(path, lines):
    # The first line of a script is its interpreter.
    if not any(SPDX in line for line in lines[:2]):
        yield 1, f"starts without its licence line ({SPDX})"


def check_guard(path, lines):
    if not path.endswith(".h"):
        return
    guard = "VARKEEP_" + re.sub(r"[/.]", "_", path).upper() + "_"
    wanted = [f"#ifndef {guard}", f"#define {guard}"]
    code = [line.strip() for line in lines if line.startswith("#")][:2]
    if code != wanted:
        yield 2, f"include guard is not {guard}"


def check_sleep(path, lines):
    if not (path.startswith("tests/") and path.endswith((".h", ".cc"))):
        return
    for number, line in enumerate(lines, 1):
        match = SLEEP.search(line.split("//")[0])
        if match:
            yield number, (f"{match[1]} in a test; wait for the event itself, "
                           "or use a fake clock")


def check_todo(path, lines):
    for number, line in enumerate(lines, 1):
        match = TODO.search(line)
        if match:
            yield number, f"{match[1]} without an issue, as in TODO(#12)"


CHECKS = (check_length, check_licence, check_guard, check_sleep, check_todo)


def violations(root):
    """Yields (path, line, message)."""
    for path in project_files(root, (".h", ".cc", ".py", ".proto", ".sh")):
        with open(os.path.join(root, path), encoding="utf-8") as source:
            lines = source.read().splitlines()
        for check in CHECKS:
            if check is check_todo and path.startswith(EXEMPT):
                continue
            for number, message in check(path, lines):
                yield path, number, message


def main(arguments):
    root = arguments[0] if arguments else project_root()
    found = sorted(set(violations(root)))
    for path, number, message in found:
        print(f"{path}:{number}: {message}")
    if not found:
        print("check_style: nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
