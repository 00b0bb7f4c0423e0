#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an #include or a CMake link that layers.py does not permit.

    check_layers.py [ROOT]

Prints one line for each violation: file:line: what, and which rule.
"""

import os
import re
import sys

from layers import (BY_NAME, EXTERNAL_HEADERS, EXTERNAL_TARGETS, family_of,
                    forbidden, layer_of_file)
from source_files import project_files, project_root

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
CALL = re.compile(r"(\w+)\s*\(([^()]*)\)")
COMMENT = re.compile(r"#[^\n]*")
# Words of a CMake link list that are no targets.
KEYWORDS = {"PUBLIC", "PRIVATE", "INTERFACE", "DEPS", "PRIVATE_DEPS"}
NO_LAYER = "belongs to no layer; give it a row in tests/lint/layers.py"


def check_include(path, header, exists):
    """The broken rule of one #include, or None."""
    layer = layer_of_file(path)
    if layer is None:
        return NO_LAYER
    rule = forbidden(path, header)
    if rule is not None:
        return f"includes {header}, but {rule}"
    generated = header.startswith("varkeep/v1/")
    if generated or exists(header):
        owner = layer_of_file(header)
        if owner is None:
            return f"includes {header}, which {NO_LAYER}"
        return _check_use(layer, owner.name, f"includes {header}")
    family = family_of(header, EXTERNAL_HEADERS)
    if family is not None and family not in layer.external:
        return _no_external(layer, f"includes {header}", family)
    if exists(os.path.join(os.path.dirname(path), header)):
        return f"includes {header} without its path from the project's root"
    return None


def check_link(layer, target):
    """The broken rule of one linked CMake target, or None."""
    match = re.fullmatch(r"varkeep(?:::|_)(\w+)", target)
    if match:
        if match[1] == "warnings":
            return None
        if match[1] not in BY_NAME:
            return f"links {target}, which {NO_LAYER}"
        return _check_use(layer, match[1], f"links {target}")
    family = family_of(target, EXTERNAL_TARGETS)
    if family is not None and family not in layer.external:
        return _no_external(layer, f"links {target}", family)
    return None


def _check_use(layer, used, what):
    if used == layer.name or used in layer.uses:
        return None
    allowed = ", ".join(sorted(layer.uses)) or "nothing"
    return f"{what}: {layer.name} may not use {used} (it may use {allowed})"


def _no_external(layer, what, family):
    owners = [name for name, other in BY_NAME.items()
              if family in other.external and not name.startswith("test")]
    return (f"{what}: {layer.name} may not use {family} "
            f"(only {', '.join(owners) or 'tests'} may)")


def cmake_links(text):
    """(line, target, linked target) for every link of a CMakeLists.txt."""
    text = COMMENT.sub(lambda match: " " * len(match[0]), text)
    for call in CALL.finditer(text):
        command = call[1].lower()
        if command not in ("varkeep_library", "varkeep_test",
                           "target_link_libraries"):
            continue
        words = list(re.finditer(r"[^\s\"]+", call[2]))
        if not words:
            continue
        # varkeep_library and varkeep_test link only what follows *DEPS.
        linking = command == "target_link_libraries"
        for word in words[1:]:
            if word[0] in KEYWORDS:
                linking = True
            elif re.fullmatch(r"[A-Z_]+", word[0]):
                linking = False
            elif linking:
                offset = call.start(2) + word.start()
                yield text.count("\n", 0, offset) + 1, words[0][0], word[0]


def layer_of_target(path, target):
    if path.startswith("tests/") and not path.startswith("tests/testing/"):
        return BY_NAME["tests"]
    if path.startswith("client/examples/"):
        return BY_NAME["examples"]
    return BY_NAME.get(re.sub(r"^varkeep(::|_)", "", target))


def violations(root):
    """Yields (path, line, message)."""
    def exists(header):
        return os.path.exists(os.path.join(root, header))

    for path in project_files(root, (".h", ".cc")):
        with open(os.path.join(root, path), encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                match = INCLUDE.match(line)
                broken = match and check_include(path, match[1], exists)
                if broken:
                    yield path, number, broken
    for path in project_files(root, ("CMakeLists.txt",)):
        with open(os.path.join(root, path), encoding="utf-8") as source:
            text = source.read()
        for number, target, linked in cmake_links(text):
            layer = layer_of_target(path, target)
            broken = (f"target {target} {NO_LAYER}" if layer is None
                      else check_link(layer, linked))
            if broken:
                yield path, number, broken


def main(arguments):
    root = arguments[0] if arguments else project_root()
    found = sorted(set(violations(root)))
    for path, number, message in found:
        print(f"{path}:{number}: {message}")
    if not found:
        print("check_layers: every include and link is permitted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
