// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_STORAGE_STORE_CHECKS_H_
#define VARKEEP_TESTS_STORAGE_STORE_CHECKS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/clock.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/file_system.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {

inline constexpr char kDataDir[] = "/data";

inline absl::StatusOr<std::unique_ptr<storage::DirectoryCheckpointStore>>
OpenStore(storage::FileSystem& fs, const std::string& directory = kDataDir) {
  return storage::DirectoryCheckpointStore::Open(&fs, directory, Clock::Real());
}

// Opens the store and writes SampleContents of these revisions.
inline void WriteRevisions(storage::FileSystem& fs,
                           std::initializer_list<uint64_t> revisions) {
  ASSERT_OK_AND_ASSIGN(auto store, OpenStore(fs));
  for (uint64_t revision : revisions) {
    ASSERT_OK(store->Write(SampleContents(revision), nullptr));
  }
}

// Everything in the checkpoint is SampleContents of its revision.
inline void ExpectSample(storage::CheckpointReader& reader, uint64_t revision) {
  const storage::CheckpointContents expected = SampleContents(revision);
  EXPECT_EQ(reader.contents().revision, revision);
  EXPECT_EQ(reader.contents().attributes, expected.attributes);
  ASSERT_EQ(reader.contents().entries.size(), expected.entries.size());
  for (size_t i = 0; i < expected.entries.size(); ++i) {
    const storage::CheckpointEntry& entry = reader.contents().entries[i];
    EXPECT_EQ(entry.path, expected.entries[i].path);
    EXPECT_EQ(entry.dtype, expected.entries[i].dtype);
    EXPECT_EQ(entry.shape, expected.entries[i].shape);
    EXPECT_EQ(entry.attributes, expected.entries[i].attributes);
    if (expected.entries[i].value == nullptr) continue;
    ASSERT_TRUE(reader.HasValue(i));
    EXPECT_THAT(reader.Read(i),
                IsOkAndHolds(TensorEq(expected.entries[i].value)));
  }
}

// Every listed checkpoint is whole; their revisions. Ids are told apart.
inline std::set<uint64_t> WholeRevisions(storage::CheckpointStore& store) {
  std::set<uint64_t> revisions;
  auto infos = store.List();
  EXPECT_OK(infos);
  if (!infos.ok()) return revisions;
  storage::CheckpointId previous = 0;
  for (const storage::CheckpointInfo& info : *infos) {
    EXPECT_GT(info.id, previous);
    previous = info.id;
    auto reader = store.Open(info.id);
    EXPECT_OK(reader);
    if (!reader.ok()) continue;
    ExpectSample(**reader, info.revision);
    revisions.insert(info.revision);
  }
  return revisions;
}

// The bytes of a file, and a file of these bytes instead.
inline std::string ReadFile(storage::FileSystem& fs, const std::string& path) {
  auto file = fs.OpenForRead(path);
  EXPECT_OK(file);
  if (!file.ok()) return "";
  std::string bytes(static_cast<size_t>(*(*file)->Size()), '\0');
  EXPECT_OK((*file)->ReadAt(
      0, std::as_writable_bytes(std::span(bytes.data(), bytes.size()))));
  return bytes;
}

inline void ReplaceFile(storage::FileSystem& fs, const std::string& path,
                        const std::string& bytes) {
  fs.Remove(path).IgnoreError();
  ASSERT_OK_AND_ASSIGN(auto file, fs.Create(path));
  ASSERT_OK(
      file->WriteAt(0, std::as_bytes(std::span(bytes.data(), bytes.size()))));
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_STORAGE_STORE_CHECKS_H_
