# SPDX-License-Identifier: Apache-2.0
"""Reads a checkpoint with h5py and compares it with files of raw bytes.

check_interop.py CHECKPOINT DIRECTORY: for each dataset /dtypes/<dtype>/<case>
the directory holds its bytes as <dtype>.<case>, and as big those of
/variables/big:0. Fails with an exception.
"""
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
    assert dataset.attrs["dtype"] == dtype
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


def main():
    checkpoint, directory = sys.argv[1:]
    with h5py.File(checkpoint, "r") as file:
        assert file.attrs["format"] == "varkeep checkpoint"
        assert file.attrs["format_version"] == 1
        assert file.attrs["revision"] == 12
        assert file.attrs["created"].endswith("Z") or "+" in file.attrs["created"]
        cases = [name for name in os.listdir(directory) if "." in name]
        for name in cases:
            dtype, case = name.split(".")
            check_dataset(file, directory, dtype, case)
        check_attributes(file["variables/a:0"].attrs)
        check_attributes(file.attrs)
        null = file["variables/null:0"]
        assert null.shape is None and null[()] == h5py.Empty("f")
        assert list(null.attrs["shape"]) == [2, 3]
        assert len(file["variables/scalar_null:0"].attrs["shape"]) == 0
        big = file["variables/big:0"]
        assert big.id.get_offset() % 4096 == 0
        assert big.attrs["value_version"] == 7
        check_attributes(big.attrs)
        with open(os.path.join(directory, "big"), "rb") as raw:
            assert big[()].tobytes() == raw.read()
    print("checked", len(cases))


main()
