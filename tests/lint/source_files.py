# SPDX-License-Identifier: Apache-2.0
"""Which files the checks look at."""

import os


def project_root():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.dirname(os.path.dirname(here))


def project_files(root, endings):
    """Paths below root with one of the endings; not build/, nothing hidden."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders
                      if not name.startswith(".")
                      and not (folder == root and name == "build")]
        found += [os.path.relpath(os.path.join(folder, name), root)
                  for name in files if name.endswith(tuple(endings))]
    return sorted(found)
