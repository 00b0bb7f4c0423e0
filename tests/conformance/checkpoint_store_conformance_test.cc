// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_checkpoint_store.h"
#include "storage/memory_checkpoint_store.h"
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/conformance/checkpoint_store_suite.h"
#include "tests/testing/temp_dir.h"

namespace varkeep {
namespace {

using storage::DirectoryCheckpointStore;

struct PosixDirectoryFixture final : CheckpointStoreFixture {
  storage::CheckpointStore& store() override { return **opened; }
  TempDir dir;
  storage::PosixFileSystem fs;
  absl::StatusOr<std::unique_ptr<DirectoryCheckpointStore>> opened =
      DirectoryCheckpointStore::Open(&fs, dir.path() + "/data", Clock::Real());
};

struct MemoryDirectoryFixture final : CheckpointStoreFixture {
  storage::CheckpointStore& store() override { return **opened; }
  storage::MemoryFileSystem fs;
  absl::StatusOr<std::unique_ptr<DirectoryCheckpointStore>> opened =
      DirectoryCheckpointStore::Open(&fs, "/data", Clock::Real());
};

struct MemoryFixture final : CheckpointStoreFixture {
  storage::CheckpointStore& store() override { return memory; }
  storage::MemoryCheckpointStore memory{Clock::Real()};
};

template <typename Fixture>
CheckpointStoreFixtureFactory Make() {
  return [] { return std::make_unique<Fixture>(); };
}

INSTANTIATE_TEST_SUITE_P(PosixDirectory, CheckpointStoreSuite,
                         ::testing::Values(Make<PosixDirectoryFixture>()));
INSTANTIATE_TEST_SUITE_P(MemoryDirectory, CheckpointStoreSuite,
                         ::testing::Values(Make<MemoryDirectoryFixture>()));
INSTANTIATE_TEST_SUITE_P(Memory, CheckpointStoreSuite,
                         ::testing::Values(Make<MemoryFixture>()));

}  // namespace
}  // namespace varkeep
