// SPDX-License-Identifier: Apache-2.0
//
// Entries that are written while their tensor arrives.
#include <algorithm>
#include <thread>

#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::NotNull;
using ::testing::SizeIs;

// An entry of one tensor of `bytes` bytes, which are 0 still.
struct Arriving {
  explicit Arriving(int64_t bytes, std::string body = "{}")
      : tensor(Tensor::Create(DType::kUint8, Shape({bytes})).value()) {
    std::ranges::fill(tensor->mutable_bytes(), std::byte{0});
    entry.body = std::move(body);
    entry.tensors = {tensor};
  }

  // The next bytes come in.
  void Receive(LogDraft* draft, int64_t bytes) {
    for (int64_t i = 0; i < bytes; ++i, ++received) {
      tensor->mutable_bytes()[static_cast<size_t>(received)] =
          static_cast<std::byte>(received * 7 + received / 4096);
    }
    if (draft != nullptr) draft->Extend(received);
  }

  std::shared_ptr<Tensor> tensor;
  LogEntry entry;
  int64_t received = 0;
};

std::vector<std::string> Files(FileSystem* disk, const std::string& directory) {
  return disk->List(directory).value();
}

TEST(LogDraftTest, WhatArrivedInPartsComesBackAmongTheOthers) {
  for (const int64_t bytes : {int64_t{1}, int64_t{4096}, int64_t{9'000'001}}) {
    TempDir dir;
    PosixFileSystem disk;
    LogOptions options = WithDrafts(SmallSegments());
    options.directory = dir.path() + "/log";
    Arriving large(bytes, R"({"name":"large"})");
    {
      OpenedLog opened = OpenLog(&disk, options);
      ASSERT_OK(opened.status);
      EXPECT_EQ(Append(opened.log.get(), Body("before")).revision, 1u);
      auto draft = opened.log->Draft(large.entry);
      ASSERT_THAT(draft, NotNull());
      large.Receive(draft.get(), bytes / 2);
      // Others do not wait for it.
      EXPECT_EQ(Append(opened.log.get(), Body("meanwhile")).revision, 2u);
      large.Receive(draft.get(), bytes - bytes / 2);
      large.entry.draft = draft.get();
      uint64_t revision = 0;
      ASSERT_OK(opened.log->Append(large.entry, Durability::kFsync,
                                   [&](uint64_t at) { revision = at; }));
      EXPECT_EQ(revision, 3u);
      EXPECT_EQ(opened.log->state().synced, 3u);
      EXPECT_EQ(Append(opened.log.get(), Body("after")).revision, 4u);
    }
    OpenedLog again = OpenLog(&disk, options);
    ASSERT_OK(again.status);
    ASSERT_THAT(again.records, SizeIs(4));
    EXPECT_EQ(again.records[1].entry.body, "meanwhile");
    EXPECT_TRUE(SameEntry(again.records[2].entry, large.entry));
    EXPECT_EQ(again.records[3].entry.body, "after");
  }
}

TEST(LogDraftTest, GivenUpItLeavesNothing) {
  MemoryFileSystem disk;
  OpenedLog opened = OpenLog(&disk, WithDrafts(SmallSegments()));
  const auto files = Files(&disk, kLogDirectory);
  Arriving large(10 << 20);
  auto draft = opened.log->Draft(large.entry);
  large.Receive(draft.get(), 5 << 20);
  draft.reset();
  EXPECT_EQ(Files(&disk, kLogDirectory), files);
  EXPECT_EQ(Append(opened.log.get(), Body("a")).revision, 1u);
}

TEST(LogDraftTest, ADraftOfSomethingElseIsNotUsed) {
  MemoryFileSystem disk;
  const LogOptions options = WithDrafts(SmallSegments());
  Arriving one(100);
  Arriving other(100);
  one.Receive(nullptr, 100);
  {
    OpenedLog opened = OpenLog(&disk, options);
    auto append = [&](LogEntry entry, LogDraft* draft) {
      entry.draft = draft;
      ASSERT_OK(opened.log->Append(entry, Durability::kFsync, [](uint64_t) {}));
    };
    auto draft = opened.log->Draft(other.entry);
    other.Receive(draft.get(), 100);
    append(one.entry, draft.get());
    LogEntry renamed = other.entry;
    renamed.body = "{ }";
    append(renamed, draft.get());
    auto unfinished = opened.log->Draft(one.entry);
    unfinished->Extend(99);
    append(one.entry, unfinished.get());
  }
  OpenedLog again = OpenLog(&disk, options);
  ASSERT_THAT(again.records, SizeIs(3));
  EXPECT_TRUE(SameEntry(again.records[0].entry, one.entry));
  EXPECT_EQ(again.records[1].entry.body, "{ }");
  EXPECT_TRUE(SameEntry(again.records[2].entry, one.entry));
}

TEST(LogDraftTest, SmallEntriesAndOthersHaveNone) {
  MemoryFileSystem disk;
  LogOptions options = SmallSegments();
  options.draft_bytes = 100;
  OpenedLog opened = OpenLog(&disk, options);
  EXPECT_THAT(opened.log->Draft(Arriving(99).entry), IsNull());
  EXPECT_THAT(opened.log->Draft(Body("a")), IsNull());
  LogEntry two = Arriving(100).entry;
  two.tensors.push_back(two.tensors[0]);
  EXPECT_THAT(opened.log->Draft(two), IsNull());
}

TEST(LogDraftTest, WhatACrashLeftIsRemoved) {
  MemoryFileSystem disk;
  const LogOptions options = WithDrafts(SmallSegments());
  { OpenLog(&disk, options); }
  ASSERT_OK(disk.Create(absl::StrCat(kLogDirectory, "/log-draft-7.tmp")));
  OpenedLog again = OpenLog(&disk, options);
  ASSERT_OK(again.status);
  EXPECT_THAT(Files(&disk, kLogDirectory),
              ElementsAre("log-00000000000000000001"));
}

// The draft cannot be made, so the entry is written in the ordinary way.
TEST(LogDraftTest, WhenItsFileFailsTheEntryIsWrittenWithoutIt) {
  MemoryFileSystem memory;
  FaultInjectingFileSystem disk(&memory);
  const LogOptions options = WithDrafts(SmallSegments());
  Arriving large(100);
  {
    OpenedLog opened = OpenLog(&disk, options);
    disk.Inject(FailAt(1));
    EXPECT_EQ(Append(opened.log.get(), large.entry).revision, 1u);
    EXPECT_OK(opened.log->state().broken);
  }
  OpenedLog again = OpenLog(&memory, options);
  ASSERT_THAT(again.records, SizeIs(1));
  EXPECT_TRUE(SameEntry(again.records[0].entry, large.entry));
}

TEST(LogDraftTest, ManyAtOnceKeepTheirOrder) {
  MemoryFileSystem disk;
  const LogOptions options = WithDrafts(SmallSegments());
  constexpr int kThreads = 4;
  constexpr int kEach = 20;
  {
    OpenedLog opened = OpenLog(&disk, options);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          Arriving entry(i % 2 == 0 ? 5000 : 1, absl::StrCat(t, " ", i));
          auto draft = i % 4 == 3 ? nullptr : opened.log->Draft(entry.entry);
          entry.Receive(draft.get(), entry.entry.tensors[0]->size_bytes());
          entry.entry.draft = draft.get();
          EXPECT_OK(opened.log->Append(
              entry.entry, i % 3 == 0 ? Durability::kFsync : Durability::kNone,
              [](uint64_t) {}));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  OpenedLog again = OpenLog(&disk, options);
  ASSERT_OK(again.status);
  std::vector<int> next(kThreads);
  for (const LogRecord& record : again.records) {
    const int thread = record.entry.body[0] - '0';
    const Arriving expected(1, absl::StrCat(thread, " ", next[thread]++));
    EXPECT_EQ(absl::StripTrailingAsciiWhitespace(record.entry.body),
              expected.entry.body);
  }
  EXPECT_THAT(next, ElementsAre(kEach, kEach, kEach, kEach));
}

}  // namespace
}  // namespace varkeep::storage
