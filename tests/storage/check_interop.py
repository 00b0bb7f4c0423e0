# SPDX-License-Identifier: Apache-2.0
"""Reads a checkpoint with h5py and compares it with files of raw bytes.

check_interop.py CHECKPOINT DIRECTORY: for each dataset /dtypes/<dtype>/<case>
the directory holds its bytes as <dtype>.<case>, and as big those of
/variables/big:0. Fails with an exception.
"""
import json
import os
import sys

import h5py
import numpy as np

SHAPES = {"scalar": (), "empty": (2, 0), "vector": (64,),
          "rank8": (1, 2, 1, 2, 1, 2, 1, 2)}


def numpy_dtype(name):
    return np.dtype("uint16" if name == "bfloat16" else name)


def check_dataset(file, directory, dtype, case):
    dataset = file[f"dtypes/{dtype}/{case}"]
    assert dataset.dtype == numpy_dtype(dtype), (dtype, dataset.dtype)
    assert dataset.shape == SHAPES[case], (dtype, case, dataset.shape)
    assert dataset.attrs.get("dtype") == ("bfloat16" if dtype == "bfloat16"
                                          else None)
    with open(os.path.join(directory, f"{dtype}.{case}"), "rb") as raw:
        assert np.asarray(dataset[()]).tobytes() == raw.read(), (dtype, case)
    assert dataset.chunks is None


def check_attributes(attrs):
    assert attrs["true"] is np.True_ or attrs["true"] == np.bool_(True)
    assert attrs["true"].dtype == np.dtype(bool)
    assert attrs["false"].dtype == np.dtype(bool) and not attrs["false"]
    assert attrs["int"] == -5 and attrs["int"].dtype == np.int64
    assert attrs["uint"] == 2**64 - 1 and attrs["uint"].dtype == np.uint64
    assert attrs["text"] == "gr\u00fc\u00df" and isinstance(attrs["text"], str)
    assert attrs["no text"] == ""
    assert list(attrs["list"]) == ["a", "", "\u4e2d"]
    assert list(attrs["no list"]) == [] and attrs["no list"].shape == (0,)


def crc32c(data):
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def check_json(text):
    assert isinstance(text, str)
    assert json.loads(text) == {
        "true": True, "false": False, "int": -5, "uint": 2**64 - 1,
        "text": "gr\u00fc\u00df", "no text": "", "list": ["a", "", "\u4e2d"],
        "no list": []}


def main():
    checkpoint, directory = sys.argv[1:]
    with h5py.File(checkpoint, "r") as file:
        assert file.attrs["format"] == "varkeep checkpoint"
        assert file.attrs["format_version"] == 2
        assert file.attrs["revision"] == 12
        assert file.attrs["created"].endswith("Z") or "+" in file.attrs["created"]
        cases = [name for name in os.listdir(directory) if "." in name]
        for name in cases:
            dtype, case = name.split(".")
            check_dataset(file, directory, dtype, case)
        check_json(file["variables/a:0"].attrs["attributes"])
        check_attributes(file.attrs)
        null = file["variables/null:0"]
        assert null.shape is None and null[()] == h5py.Empty("f")
        assert list(null.attrs["shape"]) == [2, 3]
        assert len(file["variables/scalar_null:0"].attrs["shape"]) == 0
        big = file["variables/big:0"]
        large = file["variables/large:0"]
        assert large.id.get_offset() % 4096 == 0
        assert large[...].tobytes() == bytes(range(256)) * 4096
        assert big.attrs["value_version"] == 7
        assert crc32c(np.asarray(big[()]).tobytes()) == big.attrs["crc32c"]
        check_json(big.attrs["attributes"])
        with open(os.path.join(directory, "big"), "rb") as raw:
            assert big[()].tobytes() == raw.read()
    print("checked", len(cases))


main()
