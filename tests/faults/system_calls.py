# SPDX-License-Identifier: Apache-2.0
"""What a program asked of the system, in order, as strace saw it."""

import dataclasses
import os
import re

OPTIONS = ("-f", "-y", "-xx", "-s", "4096", "--seccomp-bpf", "-e",
           "trace=openat,pwrite64,write,fdatasync,fsync,rename,renameat,"
           "unlink,unlinkat,sendmsg,writev")

_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")

_HEADERS = 1
_END_STREAM = 1


@dataclasses.dataclass
class Call:
    name: str
    arguments: str
    result: int
    begin: int  # lines of the trace
    end: int

    @property
    def paths(self):
        """Of the file that it works on, or the files that it names."""
        descriptor = _DESCRIPTOR.match(self.arguments)
        if descriptor:
            return [os.fsdecode(_bytes(descriptor[1]))]
        return [os.fsdecode(_bytes(s)) for s in _STRING.findall(self.arguments)]

    @property
    def offset(self):
        return int(self.arguments.rsplit(",", 1)[1])

    @property
    def ends_a_call(self):
        """True when it sends the end of an answer: the trailers of HTTP/2."""
        if self.name not in ("sendmsg", "write", "writev"):
            return False
        data = b"".join(_bytes(s) for s in _STRING.findall(self.arguments))
        at = 0
        while at + 9 <= len(data):
            if data[at + 3] == _HEADERS and data[at + 4] & _END_STREAM:
                return True
            at += 9 + int.from_bytes(data[at:at + 3], "big")
        return False


def _bytes(escaped):
    return bytes.fromhex(escaped.replace("\\x", ""))


def _escaped(path):
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(path))


def renamed(calls, old, new):
    """The calls as if the file `old` had been `new` from its beginning."""
    return [dataclasses.replace(c, arguments=c.arguments.replace(
        _escaped(old), _escaped(new))) for c in calls]


def read(path, failed=False):
    """The calls that succeeded, or those that failed, in the order in which
    they began."""
    calls = []
    unfinished = {}  # by thread
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file):
            thread, text = _LINE.match(line).groups()
            begin = number
            if text.endswith("<unfinished ...>"):
                unfinished[thread] = (number, text[:-len("<unfinished ...>")])
                continue
            resumed = _RESUMED.match(text)
            if resumed:
                begin, first = unfinished.pop(thread)
                text = first + resumed[1]
            call = _CALL.match(text)
            if call and (int(call[3]) < 0) == failed:
                calls.append(Call(call[1], call[2], int(call[3]), begin,
                                  number))
    calls.sort(key=lambda c: c.begin)
    return calls
