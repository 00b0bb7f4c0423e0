# SPDX-License-Identifier: Apache-2.0
"""Makes HDF5 files that a stranger could send: make_files.py DIRECTORY.

good.h5 is as Keras writes weights; the others are each bad in their own way.
"""
import os
import sys
import zlib

import damaged_files
import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

DIRECTORY = sys.argv[1]


def new(name, **options):
    return h5py.File(os.path.join(DIRECTORY, name + ".h5"), "w", **options)


def good():
    with new("good") as file:
        file.attrs["layer_names"] = [b"dense", b"dense_1"]
        dense = file.create_group("dense/dense")
        dense.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        dense["kernel:0"] = np.arange(6, dtype="<f4").reshape(2, 3)
        dense["bias:0"] = np.array([1, 2, 3], dtype=">f4")
        other = file.create_group("other")
        other["half"] = np.array([0.5, -2], dtype="<f2")
        other["double"] = np.array(2.5, dtype=">f8")
        for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
            other[name] = np.array([1, 2], dtype=">" + name)
        other["bool"] = np.array([True, False, True])
        other["complex"] = np.array([1 + 2j], dtype="<c8")
        other["null"] = h5py.Empty("f4")
        other["nothing"] = np.zeros((2, 0), dtype="<i4")
        other.create_dataset("chunked", data=np.arange(1000, dtype="<i4"),
                             chunks=(100,), compression="gzip", shuffle=True,
                             fletcher32=True)
    with new("small") as file:
        file["a/b"] = np.arange(4, dtype="<f4")
        file.create_dataset("c", data=np.arange(64, dtype="<i4"), chunks=(16,),
                            compression="gzip", fletcher32=True)
    with new("latest", libver="latest") as file:
        file["a/b"] = np.arange(4, dtype="<f4")
    with new("bfloat16") as file:
        file["v"] = np.array([0x3F80, 0x4000], dtype="<u2")
        file["v"].attrs["dtype"] = "bfloat16"
    with new("checkpoint") as file:
        file["variables/foo/v:0"] = np.arange(3, dtype="<f4")
        file["variables/w:0"] = np.float64(7)
        file["containers/other/variables/x:0"] = np.float32(1)


def other_places():
    with new("external_storage") as file:
        # Declares 4 EB, of which the first bytes are the host's name.
        space = h5s.create_simple((1 << 62,))
        create = h5p.create(h5p.DATASET_CREATE)
        create.set_external(b"/etc/hostname", 0, 1 << 62)
        h5d.create(file.id, b"leak", h5t.STD_U8LE, space, create)
    with new("external_link") as file:
        file["link"] = h5py.ExternalLink("good.h5", "/dense")
    with new("soft_link") as file:
        file["real"] = np.zeros(3)
        file["link"] = h5py.SoftLink("/real")
    with new("virtual") as file:
        layout = h5py.VirtualLayout(shape=(100,), dtype="f4")
        layout[:] = h5py.VirtualSource("good.h5", "dense/dense/bias:0",
                                       shape=(100,))
        file.create_virtual_dataset("v", layout)


def overlong_chunks(file, chunks, stream):
    chunk = 64 << 10
    data = file.create_dataset("v", (chunks * chunk,), "u1", chunks=(chunk,),
                               compression="gzip")
    for i in range(chunks):
        data.id.write_direct_chunk((i * chunk,), stream)


def bombs():
    with new("declared_bomb") as file:
        file.create_dataset("bomb", shape=(1 << 59,), dtype="<f8",
                            chunks=(1024,))
    with new("deflate_bomb") as file:
        file.create_dataset("bomb", data=np.zeros(1 << 27, dtype="u1"),
                            chunks=(1 << 24,), compression="gzip",
                            compression_opts=9)
    # Streams that go on behind the end of their chunk.
    with new("memory") as file:
        compressor = zlib.compressobj(1)
        stream = b"".join(compressor.compress(bytes(1 << 20))
                          for _ in range(1100)) + compressor.flush()
        overlong_chunks(file, 1, stream)
    with new("time") as file:
        overlong_chunks(file, 2000, zlib.compress(bytes(16 << 20), 9))
    with new("chunk_bomb") as file:
        file.create_dataset("bomb", shape=(1,), maxshape=(None,), dtype="u1",
                            chunks=((1 << 32) - 1,))
    with new("many_objects") as file:
        for i in range(3000):
            file.create_group(f"g{i}")
    with new("deep") as file:
        group = file
        for _ in range(200):
            group = group.create_group("g")


def types():
    with new("vlen") as file:
        file.create_dataset("v", (2,), dtype=h5py.vlen_dtype(np.int32))
    with new("string") as file:
        file["v"] = "text"
    with new("reference") as file:
        file.create_dataset("v", (2,), dtype=h5py.ref_dtype)
    with new("compound") as file:
        file["v"] = np.zeros(2, dtype=[("x", "f4"), ("y", "i4")])
    with new("enumeration") as file:
        file.create_dataset("v", (2,),
                            dtype=h5py.enum_dtype({"A": 0, "B": 1}, "i1"))
    with new("rank9") as file:
        file["v"] = np.zeros((1,) * 9)
    with new("filter") as file:
        file.create_dataset("v", data=np.zeros(64), chunks=(64,),
                            compression="lzf")
    with new("scaleoffset") as file:
        file.create_dataset("v", data=np.arange(64), scaleoffset=0)
    with new("not_bool") as file:
        file["v"] = np.array([True, False, True])
        where = file["v"].id.get_offset()
    with open(os.path.join(DIRECTORY, "not_bool.h5"), "r+b") as raw:
        raw.seek(where)
        raw.write(b"\x07")


def names_and_links():
    with new("bad_utf8") as file:
        h5d.create(file.id, b"\xff\xfe", h5t.STD_U8LE, h5s.create(h5s.SCALAR))
    with new("control") as file:
        h5d.create(file.id, b"a\x1b[2Jb", h5t.STD_U8LE,
                   h5s.create(h5s.SCALAR))
    with new("cycle") as file:
        inner = file.create_group("a/b")
        inner["back"] = file["a"]
    with new("self") as file:
        file["root"] = file["/"]
    with new("shared") as file:
        file["v"] = np.zeros(3)
        file["w"] = file["v"]
    with new("collision") as file:
        file["a b"] = np.zeros(3)
        file["a:b"] = np.zeros(3)
    with new("underscore") as file:
        file["_a"] = np.zeros(3)
    with new("user_block", userblock_size=512) as file:
        file["v"] = np.zeros(3)


damaged_files.make(os.path.join(DIRECTORY, "damaged"))
good()
other_places()
bombs()
types()
names_and_links()
