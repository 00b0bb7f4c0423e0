# SPDX-License-Identifier: Apache-2.0
"""Files with one field that lies, each after a class of vulnerabilities that
HDF5 1.10 and its successors had: the number in a name is of one that went wrong
in the code that reads this field. The files of those reports are others.
"""
import os
import re
import struct

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

# Types of messages in an object header.
NIL, DATASPACE, DATATYPE, FILL, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION = (
    0x00, 0x01, 0x03, 0x05, 0x08, 0x0B, 0x0C, 0x10)
HUGE = (1 << 62) + 8


def make_whole(path):
    """What all of them were: format 0, with the structures to be damaged."""
    with h5py.File(path, "w") as file:
        group = file.create_group("g")
        for name in ("a", "b", "c"):
            group[name] = np.arange(6, dtype="<f4").reshape(2, 3)
        file["half"] = np.array([0x3F80, 0x4000], dtype="<u2")
        file["half"].attrs["dtype"] = "bfloat16"  # in the global heap
        file.create_dataset("chunked", data=np.arange(64, dtype="<i4"),
                            chunks=(16,), compression="gzip", shuffle=True,
                            fletcher32=True)
        create = h5p.create(h5p.DATASET_CREATE)
        create.set_layout(h5d.COMPACT)
        compact = h5d.create(file.id, b"compact", h5t.STD_I32LE,
                             h5s.create_simple((4,)), create)
        compact.write(h5s.ALL, h5s.ALL, np.arange(4, dtype="<i4"))


class Whole:
    """Where things are in the file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        with h5py.File(path) as file:
            self.headers = {name: h5py.h5o.get_info(file[name].id).addr
                            for name in ("g/a", "half", "chunked", "compact")}

    def number(self, at, size=8):
        return int.from_bytes(self.data[at:at + size], "little")

    def found(self, signature, index=0):
        return [m.start() for m in re.finditer(signature, self.data)][index]

    def message(self, name, wanted):
        """Where the body of an object's message begins."""
        blocks = [(self.headers[name] + 16,
                   self.number(self.headers[name] + 8, 4))]
        for at, size in blocks:
            end = at + size
            while at < end:
                kind, length = struct.unpack_from("<HH", self.data, at)
                if kind == wanted:
                    return at + 8
                if kind == CONTINUATION:
                    blocks.append((self.number(at + 8), self.number(at + 16)))
                at += 8 + length
        raise LookupError(f"{name} has no message {wanted:#x}")

    def chunk_tree(self):
        return self.number(self.message("chunked", LAYOUT) + 3)


def damages(whole):
    """(name, offset, bytes to be there)"""
    def put(name, at, value, size):
        return name, at, value.to_bytes(size, "little")

    heap = whole.found(b"HEAP", 1)
    yield put("CVE-2025-2924_local_heap_size", heap + 8, HUGE, 8)
    yield put("CVE-2025-2924_local_heap_free_list", heap + 16, HUGE, 8)
    free = whole.number(heap + 24) + whole.number(heap + 16)
    yield put("CVE-2025-2924_local_heap_free_block", free + 8, HUGE, 8)
    yield put("CVE-2025-2924_local_heap_free_cycle", free,
              whole.number(heap + 16), 8)

    tree = whole.chunk_tree()
    yield put("CVE-2018-11203_chunk_tree_key_offset", tree + 24 + 8, 3, 8)
    yield put("CVE-2018-11203_chunk_tree_key_size", tree + 24, 0xFFFFFFFF, 4)
    yield put("CVE-2018-11203_chunk_tree_entries", tree + 6, 0xFFFF, 2)
    yield put("CVE-2018-13867_chunk_address", tree + 24 + 24, HUGE, 8)
    groups = whole.found(b"TREE", 1)
    yield ("CVE-2025-6857_group_tree_is_its_own_child", groups + 5,
           b"\1" + whole.data[groups + 6:groups + 32]
           + groups.to_bytes(8, "little"))
    node = whole.found(b"SNOD", 0)
    yield put("CVE-2018-13872_symbols", node + 6, 0xFFFF, 2)
    yield put("CVE-2018-13872_symbol_name", node + 8, HUGE, 8)

    layout = whole.message("chunked", LAYOUT)
    yield put("CVE-2018-11207_chunk_dimension_zero", layout + 11, 0, 4)
    yield put("CVE-2018-17237_element_size_zero", layout + 15, 0, 4)
    yield put("CVE-2018-17233_chunk_dimension_negative", layout + 11,
              0xFFFFFFF0, 4)
    yield put("CVE-2018-14033_layout_rank", layout + 2, 0xFF, 1)
    yield put("CVE-2019-9151_compact_size",
              whole.message("compact", LAYOUT) + 2, 4, 2)
    yield put("CVE-2020-10811_compact_size",
              whole.message("compact", LAYOUT) + 2, 0xFFFF, 2)
    yield put("CVE-2018-13867_contiguous_address",
              whole.message("g/a", LAYOUT) + 2, HUGE, 8)
    yield put("CVE-2018-13875_contiguous_size",
              whole.message("g/a", LAYOUT) + 10, 4, 8)

    header = whole.headers["half"]
    size = whole.number(header + 8, 4)
    nil = whole.message("half", NIL)
    yield ("CVE-2018-17234_header_continues_in_itself", nil - 8,
           struct.pack("<HHIQQ", CONTINUATION, whole.number(nil - 6, 2), 0,
                       header + 16, size))
    yield put("CVE-2018-13873_message_size", header + 18, 0xFFF8, 2)
    yield put("CVE-2018-13873_messages", header + 2, 0xFFFF, 2)
    yield put("CVE-2018-13873_header_size", header + 8, 0xFFFFFFF8, 4)

    attribute = whole.message("half", ATTRIBUTE)
    collection = whole.found(b"GCOL")
    reference = whole.data.index(collection.to_bytes(8, "little"), attribute)
    yield put("CVE-2024-32621_global_heap_index", reference + 8, 0x7FFF, 4)
    yield put("CVE-2024-32621_global_heap_length", reference - 4, 0xFFFFFFF,
              4)
    yield put("CVE-2024-29157_global_heap_object_size", collection + 24, HUGE,
              8)
    yield put("CVE-2024-29157_global_heap_size", collection + 8, HUGE, 8)
    yield put("CVE-2018-17435_attribute_name_size", attribute + 2, 0xFFFF, 2)
    yield put("CVE-2018-17435_attribute_type_size", attribute + 4, 0xFFFF, 2)

    space = whole.message("g/a", DATASPACE)
    yield put("CVE-2018-17439_rank", space + 1, 0xFF, 1)
    yield put("CVE-2018-14460_rank", space + 1, 32, 1)
    yield put("CVE-2018-14460_dimension", space + 8, 1 << 63, 8)
    yield put("CVE-2018-14031_datatype_size",
              whole.message("g/a", DATATYPE) + 4, 0, 4)
    yield put("CVE-2018-14031_datatype_class", whole.message("g/a", DATATYPE),
              0x1F, 1)
    yield put("CVE-2018-13868_fill_value_size",
              whole.message("g/a", FILL) + 4, 0x7FFFFFFF, 4)

    filters = whole.message("chunked", FILTERS)
    yield put("CVE-2018-14034_filters", filters + 1, 0xFF, 1)
    yield put("CVE-2018-14034_filters_none", filters + 1, 0, 1)
    yield put("CVE-2018-14034_filter_name_size", filters + 8 + 2, 0xFFF8, 2)
    yield put("CVE-2018-14034_filter_values", filters + 8 + 6, 0xFFFF, 2)


def make(directory):
    os.mkdir(directory)
    path = os.path.join(directory, "whole.h5")
    make_whole(path)
    whole = Whole(path)
    for name, at, instead in damages(whole):
        assert whole.data[at:at + len(instead)] != instead, name
        with open(os.path.join(directory, name + ".h5"), "xb") as file:
            file.write(whole.data[:at] + instead
                       + whole.data[at + len(instead):])
