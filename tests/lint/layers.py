# SPDX-License-Identifier: Apache-2.0
"""The rings of docs/architecture.md as data: who may use whom.

One row for each target: the files it owns (first matching row wins), the
targets of the project it may include and link, and the external families it
may use beyond the standard library, abseil and threads.
"""

import dataclasses
import fnmatch


@dataclasses.dataclass(frozen=True)
class Layer:
    name: str
    files: tuple
    uses: frozenset
    external: frozenset


def _layer(name, files, uses="", external=""):
    return Layer(name, tuple(files.split()), frozenset(uses.split()),
                 frozenset(external.split()))


# An external family is known by its headers and by its CMake targets.
EXTERNAL_HEADERS = {
    "grpc": ("grpcpp/*", "grpc/*", "*.grpc.pb.h"),
    "protobuf": ("google/protobuf/*", "google/rpc/*", "*.pb.h"),
    "hdf5": ("hdf5.h", "hdf5_hl.h", "H5*.h"),
    "gtest": ("gtest/*", "gmock/*"),
    "cli11": ("CLI/*",),
    "eigen": ("Eigen/*", "unsupported/Eigen/*"),
    "json": ("nlohmann/*",),
    "spdlog": ("spdlog/*",),
    "seccomp": ("seccomp.h",),
}
EXTERNAL_TARGETS = {
    "grpc": ("gRPC::*",),
    "protobuf": ("protobuf::*",),
    "hdf5": ("hdf5::*", "*HDF5_*"),
    "gtest": ("GTest::*",),
    "cli11": ("CLI11::*",),
    "eigen": ("Eigen3::*",),
    "json": ("nlohmann_json::*",),
    "spdlog": ("spdlog::*",),
    "seccomp": ("seccomp::*",),
}
_EVERYTHING = "base tensor proto grpc_proto codec grpc_status file_system " \
    "checkpoint_api checkpoint_index hdf5_checkpoint checkpoint_store log " \
    "import import_helper initializers names variables scopes durability " \
    "service metrics server client cli offline"
_ANY_EXTERNAL = " ".join(EXTERNAL_HEADERS)

LAYERS = (
    # Values in memory.
    _layer("base", "base/*"),
    _layer("tensor", "tensor/*", "base", "eigen"),

    # The wire. proto and grpc_proto are generated from proto/varkeep/v1.
    _layer("grpc_proto", "varkeep/v1/*.grpc.pb.h", "proto", "grpc protobuf"),
    _layer("proto", "varkeep/v1/*.pb.h", "", "protobuf"),
    _layer("grpc_status", "proto/grpc_status* proto/grpc_lifetime*", "base",
           "grpc"),
    _layer("codec", "proto/*", "proto tensor base", "protobuf"),

    # The domain.
    _layer("initializers", "server/initializers/*", "tensor base",
           "eigen json"),
    _layer("names", "server/variables/names.*", "base"),
    _layer("variables", "server/variables/*",
           "names initializers tensor base"),
    _layer("scopes", "server/scopes/*",
           "variables names initializers tensor base"),

    # The disk.
    _layer("file_system", "storage/*file_system*", "base"),
    _layer("checkpoint_api", "storage/checkpoint.* storage/checkpoint_store.*",
           "tensor base"),
    _layer("checkpoint_index", "storage/checkpoint_index.*",
           "checkpoint_api tensor base"),
    _layer("hdf5_checkpoint", "storage/hdf5/*",
           "checkpoint_index checkpoint_api file_system tensor base",
           "hdf5 json"),
    _layer("log", "storage/log/*", "file_system tensor base"),
    _layer("varkeep-import-helper", "storage/import/helper/main.cc",
           "import_helper import hdf5_checkpoint file_system tensor base",
           "hdf5"),
    _layer("import_helper", "storage/import/helper/*",
           "import hdf5_checkpoint checkpoint_api file_system tensor base",
           "hdf5 seccomp"),
    _layer("import", "storage/import/*", "tensor base"),
    _layer("checkpoint_store", "storage/*",
           "checkpoint_index checkpoint_api hdf5_checkpoint file_system tensor "
           "base", "json"),

    # Where they meet, and the edge.
    _layer("durability", "server/durability/*",
           "scopes variables names initializers checkpoint_api log file_system "
           "tensor base", "json spdlog"),
    _layer("service", "server/service/*",
           "durability scopes variables names initializers codec grpc_status "
           "grpc_proto proto checkpoint_api log tensor base",
           "grpc protobuf spdlog"),
    _layer("metrics", "server/metrics/*",
           "durability scopes variables initializers names checkpoint_api log "
           "tensor base", "prometheus"),
    _layer("varkeepd", "server/main.cc", "server base", "cli11 spdlog"),
    _layer("server", "server/server* server/version.h",
           "grpc_status service metrics durability scopes variables initializers "
           "checkpoint_store checkpoint_api log file_system tensor base",
           "grpc cli11 spdlog"),

    # The other end.
    _layer("varkeep", "client/cli/main.cc", "offline cli", "cli11"),
    _layer("offline", "client/cli/offline_* client/cli/import_*",
           "cli client import checkpoint_store checkpoint_api log file_system "
           "tensor base", "cli11 json"),
    _layer("cli", "client/cli/*", "client codec tensor base", "cli11 json"),
    _layer("examples", "client/examples/*", "client tensor base",
           "cli11 eigen"),
    _layer("client", "client/*",
           "codec grpc_status grpc_proto proto tensor base", "grpc protobuf"),

    # Tests may use everything. Helpers may be split: testing, testing_server.
    _layer("testing", "tests/testing/*", _EVERYTHING, _ANY_EXTERNAL),
    _layer("tests", "tests/*", _EVERYTHING + " testing", _ANY_EXTERNAL),
)

# Stricter than the row: files (but not those after "!") may not include these
# headers, and why.
FORBIDDEN = (
    ("client/*.h !client/internal/grpc_*", EXTERNAL_HEADERS["grpc"],
     "gRPC stays in the client's transport"),
    ("client/*.h !client/internal/*",
     EXTERNAL_HEADERS["protobuf"] + ("client/internal/*",),
     "users of the client library see neither protobuf nor its inside"),
    ("client/cli/* client/examples/*", ("client/internal/*",),
     "they use the client library as any user would"),
    ("proto/tensor_*", EXTERNAL_HEADERS["grpc"],
     "the codec serves any transport: gRPC stays in proto/grpc_status"),
)

BY_NAME = {layer.name: layer for layer in LAYERS}


def layer_of_file(path):
    """The layer that owns a file of the project, or None."""
    for layer in LAYERS:
        if _matches(path, layer.files):
            return layer
    return None


def family_of(name, table):
    """The external family that a header or CMake target belongs to."""
    for family, patterns in table.items():
        if _matches(name, patterns):
            return family
    return None


def forbidden(path, header):
    """The rule of FORBIDDEN that an include breaks, or None."""
    for files, headers, rule in FORBIDDEN:
        wanted = [word for word in files.split() if word[0] != "!"]
        exempt = [word[1:] for word in files.split() if word[0] == "!"]
        if (_matches(path, wanted) and not _matches(path, exempt)
                and _matches(header, headers)):
            return rule
    return None


def _matches(text, patterns):
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
