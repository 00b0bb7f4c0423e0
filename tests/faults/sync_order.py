# SPDX-License-Identifier: Apache-2.0
"""In which order a server must ask the system to store what it writes.

Each function gives sentences about what is wrong and how often its rule was
put to the test.
"""

import os
import re

import system_calls

SEGMENT = re.compile(r"log-\d+$")
DRAFT = re.compile(r"log-draft-\d+\.tmp$")
FIRST_RECORD = 4096  # storage/log/log_format.h


def with_segments_for_drafts(calls):
    """A draft becomes a segment; here it has that one's temporary name."""
    for rename in [c for c in calls if c.name in ("rename", "renameat")]:
        source, target = rename.paths[-2:]
        if DRAFT.search(source):
            calls = system_calls.renamed(calls, source, target + ".tmp")
    return calls


def _final(path):
    """The name that a file will have."""
    return path.removesuffix(".tmp")


def _synced(calls, path, after, before):
    """Whether the file or directory was synced between two lines."""
    return any(c.name in ("fdatasync", "fsync") and c.begin > after
               and c.end < before and _final(c.paths[0]) == path
               for c in calls)


def _is_record(call):
    return (call.name == "pwrite64"
            and SEGMENT.search(_final(call.paths[0]))
            and call.offset >= FIRST_RECORD)


def check_acknowledgements(calls):
    """An answer leaves after what the log got before it is on the disk.

    For a server that serves one client, which waits for each answer.
    """
    wrong, tested = [], 0
    written = {}  # path to last line
    for call in calls:
        if _is_record(call):
            written[_final(call.paths[0])] = call.end
        if not call.ends_a_call or not written:
            continue
        tested += 1
        for path, line in written.items():
            if not _synced(calls, path, line, call.begin):
                wrong.append(f"line {call.begin}: an answer leaves before what "
                             f"{path} got in line {line} is on the disk")
        written.clear()
    return wrong, tested


def check_renames(calls):
    """A file is on the disk before it gets its name, and the name is before
    anything relies on it: an answer, another name, a removal, a record."""
    wrong, tested = [], 0
    for rename in calls:
        if rename.name not in ("rename", "renameat"):
            continue
        tested += 1
        source, target = rename.paths[-2:]
        writes = [c for c in calls if c.name == "pwrite64"
                  and c.paths[0] == source and c.end < rename.begin]
        if not writes or not _synced(calls, target, writes[-1].end,
                                     rename.begin):
            wrong.append(f"line {rename.begin}: {target} gets its name before "
                         "it is on the disk")
        relying = next((c for c in calls if c.begin > rename.end
                        and _relies(c, target)), None)
        if relying and not _synced(calls, os.path.dirname(target), rename.end,
                                   relying.begin):
            wrong.append(f"line {relying.begin}: {relying.name} relies on the "
                         f"name {target}, which is not on the disk yet")
    return wrong, tested


def _relies(call, target):
    if call.ends_a_call:
        return True
    if call.name in ("rename", "renameat", "unlink", "unlinkat"):
        return True
    return call.name == "pwrite64" and call.paths[0] == target


def check_cuts(calls):
    """A segment with records goes when two checkpoints that are younger than
    its last record are complete, in the manifest and on the disk."""
    wrong, tested = [], 0
    for unlink in calls:
        if unlink.name not in ("unlink", "unlinkat"):
            continue
        path = unlink.paths[-1]
        records = [c for c in calls if _is_record(c) and _final(c.paths[0]) == path
                   and c.end < unlink.begin]
        if not records:
            continue
        tested += 1
        manifests = [c for c in calls if c.name in ("rename", "renameat")
                     and records[-1].end < c.begin and c.end < unlink.begin
                     and c.paths[-1].endswith("/MANIFEST.json")]
        if len(manifests) < 2 or not _synced(
                calls, os.path.dirname(manifests[-1].paths[-1]),
                manifests[-1].end, unlink.begin):
            wrong.append(f"line {unlink.begin}: {path} is removed before two "
                         "checkpoints have what is in it")
    return wrong, tested
