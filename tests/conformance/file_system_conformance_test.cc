// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/conformance/file_system_suite.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

struct PosixFixture final : FileSystemFixture {
  storage::FileSystem& file_system() override { return fs; }
  std::string directory() override { return dir.path(); }
  TempDir dir;
  storage::PosixFileSystem fs;
};

struct MemoryFixture final : FileSystemFixture {
  MemoryFixture() { fs.MakeDirectory("/data").IgnoreError(); }
  storage::FileSystem& file_system() override { return fs; }
  std::string directory() override { return "/data"; }
  storage::MemoryFileSystem fs;
};

struct FaultInjectingFixture final : FileSystemFixture {
  storage::FileSystem& file_system() override { return fs; }
  std::string directory() override { return base.directory(); }
  MemoryFixture base;
  FaultInjectingFileSystem fs{&base.fs};
};

template <typename Fixture>
FileSystemFixtureFactory Make() {
  return [] { return std::make_unique<Fixture>(); };
}

INSTANTIATE_TEST_SUITE_P(Posix, FileSystemSuite,
                         ::testing::Values(Make<PosixFixture>()));
INSTANTIATE_TEST_SUITE_P(Memory, FileSystemSuite,
                         ::testing::Values(Make<MemoryFixture>()));
INSTANTIATE_TEST_SUITE_P(FaultInjecting, FileSystemSuite,
                         ::testing::Values(Make<FaultInjectingFixture>()));

}  // namespace
}  // namespace varkeep
