// SPDX-License-Identifier: Apache-2.0
//
// Every call to the disk fails once, for ever, half way, or is the last before
// the power goes.
#include <algorithm>

#include "storage/memory_file_system.h"
#include "tests/storage/log/log_testing.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

LogOptions ScriptOptions() { return WithDrafts(SmallSegments(8 << 10), 300); }

// What a script did and was told.
struct Told {
  struct Done {
    uint64_t before = 0;
    uint64_t revision = 0;
    uint32_t entry = 0;
  };
  std::vector<Done> published;
  std::vector<uint32_t> failed;  // entries, since the last published one
  uint64_t durable = 0;          // revision said to be on the disk
  uint64_t checkpoint = 0;
};

// Opens a log, appends, syncs, rolls, drops; and mends the log when it breaks,
// after a checkpoint, if it may. Checks that nothing is published that failed.
Told RunScript(FileSystem* disk, bool may_restart) {
  Told told;
  OpenedLog opened = OpenLog(disk, ScriptOptions());
  if (opened.log == nullptr) return told;
  Log* log = opened.log.get();
  for (uint32_t i = 0; i < 40; ++i) {
    const uint64_t before = log->state().published;
    const Appended appended =
        Append(log, SampleEntry(i),
               i % 3 == 2 ? Durability::kFsync : Durability::kNone);
    EXPECT_EQ(appended.result.ok(), appended.revision != 0);
    if (appended.result.ok()) {
      EXPECT_EQ(appended.revision, before + SampleEntry(i).revisions);
      told.published.push_back({before, appended.revision, i});
      told.failed.clear();
      if (*appended.result == Durability::kFsync) {
        told.durable = appended.revision;
      }
    } else {
      EXPECT_TRUE(absl::IsUnavailable(appended.result.status()) ||
                  absl::IsResourceExhausted(appended.result.status()))
          << appended.result.status();
      told.failed.push_back(i);
    }
    if (may_restart && !log->state().broken.ok()) {
      const uint64_t saved = log->state().published;
      if (log->Restart().ok()) told.checkpoint = told.durable = saved;
    }
    if (i % 10 == 9 && log->Sync().ok()) {
      told.durable = log->state().published;
    }
    if (i == 25) {
      told.checkpoint = log->state().published;
      told.durable = std::max(told.durable, told.checkpoint);
      log->DropThrough(told.checkpoint).IgnoreError();
    }
  }
  return told;
}

// What was published after the checkpoint is back, at least up to `least`, and
// behind it perhaps entries that failed at the end; nothing else.
void ExpectRecovered(const std::vector<LogRecord>& records, const Told& told,
                     uint64_t least, const std::string& where) {
  std::vector<Told::Done> expected;
  for (const Told::Done& done : told.published) {
    if (done.revision > told.checkpoint) expected.push_back(done);
  }
  for (size_t i = 0; i < std::min(records.size(), expected.size()); ++i) {
    ASSERT_EQ(records[i].before, expected[i].before) << where;
    ASSERT_EQ(records[i].revision, expected[i].revision) << where;
    ASSERT_TRUE(SameEntry(records[i].entry, SampleEntry(expected[i].entry)))
        << where;
  }
  for (size_t i = records.size(); i < expected.size(); ++i) {
    ASSERT_GT(expected[i].revision, least) << where;
  }
  auto failed = told.failed.begin();
  for (size_t i = expected.size(); i < records.size(); ++i) {
    while (failed != told.failed.end() &&
           !SameEntry(records[i].entry, SampleEntry(*failed))) {
      ++failed;
    }
    ASSERT_NE(failed, told.failed.end()) << where;
  }
}

// Opens as often as it takes to see that what is recovered stays.
void ExpectUsable(FileSystem* disk, const Told& told, uint64_t least,
                  const std::string& where) {
  size_t count = 0;
  {
    OpenedLog opened = OpenLog(disk, ScriptOptions(), told.checkpoint);
    ASSERT_OK(opened.status) << where;
    ASSERT_NO_FATAL_FAILURE(
        ExpectRecovered(opened.records, told, least, where));
    count = opened.records.size();
    ASSERT_OK(Append(opened.log.get(), Body("more")).result) << where;
  }
  OpenedLog again = OpenLog(disk, ScriptOptions(), told.checkpoint);
  ASSERT_OK(again.status) << where;
  ASSERT_THAT(again.records, SizeIs(count + 1)) << where;
  EXPECT_EQ(again.records.back().entry.body, "more");
}

struct FaultKind {
  std::string name;
  Fault fault;
  bool may_restart = false;
};

std::vector<FaultKind> FaultKinds() {
  std::vector<FaultKind> kinds;
  for (bool sticky : {false, true}) {
    for (bool short_write : {false, true}) {
      for (bool restart : {false, true}) {
        const std::string name =
            absl::StrCat(sticky, " ", short_write, " ", restart);
        Fault fault;
        fault.sticky = sticky;
        fault.short_write = short_write;
        kinds.push_back({"error " + name, fault, restart});
        fault.code = absl::StatusCode::kResourceExhausted;
        fault.reason = "No space left on device";
        kinds.push_back({"disk full " + name, fault, restart});
      }
    }
  }
  return kinds;
}

TEST(LogFaultTest, EveryFailingCallLosesNothingAcknowledged) {
  for (FaultKind& kind : FaultKinds()) {
    for (int64_t k = 1;; ++k) {
      const std::string where = absl::StrCat(kind.name, ", call ", k);
      MemoryFileSystem base;
      FaultInjectingFileSystem disk(&base);
      kind.fault.at = k;
      disk.Inject(kind.fault);
      const Told told = RunScript(&disk, kind.may_restart);
      if (!disk.happened()) break;
      disk.Heal();
      const uint64_t all =
          told.published.empty() ? 0 : told.published.back().revision;

      ASSERT_NO_FATAL_FAILURE(ExpectUsable(&disk, told, all, where));
    }
  }
}

TEST(LogFaultTest, EveryFailingCallThenAPowerCutLosesNothingDurable) {
  for (FaultKind& kind : FaultKinds()) {
    for (int64_t k = 1;; ++k) {
      const std::string where = absl::StrCat(kind.name, ", call ", k);
      MemoryFileSystem base;
      FaultInjectingFileSystem disk(&base);
      kind.fault.at = k;
      disk.Inject(kind.fault);
      const Told told = RunScript(&disk, kind.may_restart);
      if (!disk.happened()) break;
      disk.Heal();
      base.LosePower(static_cast<uint32_t>(k % 5));

      ASSERT_NO_FATAL_FAILURE(ExpectUsable(&disk, told, told.durable, where));
    }
  }
}

TEST(LogFaultTest, PowerCutAtEveryCallAndAgainWhileRecovering) {
  for (uint32_t seed : {0u, 1u, 2u}) {
    for (int64_t k = 1;; ++k) {
      auto cut = [&](MemoryFileSystem* base, FaultInjectingFileSystem* disk) {
        disk->Inject(CutPowerAt(k, base, seed));
        return RunScript(disk, false);
      };
      int64_t recovery_calls = 1;
      bool happened = true;
      for (int64_t j = 0; j <= recovery_calls; ++j) {
        const std::string where =
            absl::StrCat("seed ", seed, ", call ", k, ", then ", j);
        MemoryFileSystem base;
        FaultInjectingFileSystem disk(&base);
        const Told told = cut(&base, &disk);
        happened = disk.happened();
        if (!happened) break;
        disk.Inject(CutPowerAt(j, &base, seed == 0 ? 0 : seed + 100));
        OpenLog(&disk, ScriptOptions(), told.checkpoint);
        // The salts are random, so the number of calls may differ a little.
        if (j == 0) recovery_calls = static_cast<int64_t>(disk.calls().size());
        disk.Heal();
        ASSERT_NO_FATAL_FAILURE(ExpectUsable(&disk, told, told.durable, where));
      }
      if (!happened) break;
    }
  }
}

TEST(LogFaultTest, BrokenLogRefusesUntilRestart) {
  MemoryFileSystem base;
  FaultInjectingFileSystem disk(&base);
  OpenedLog opened = OpenLog(&disk);
  Log* log = opened.log.get();
  ASSERT_OK(Append(log, Body("a")).result);
  disk.Inject(FailAt(2));  // the sync, after the write

  const Appended failed = Append(log, Body("void"));
  const Appended refused = Append(log, Body("refused"), Durability::kNone);

  for (const Appended& appended : {failed, refused}) {
    EXPECT_EQ(appended.revision, 0u);
    EXPECT_THAT(appended.result, StatusIs(absl::StatusCode::kUnavailable,
                                          HasSubstr("Input/output error")));
  }
  EXPECT_THAT(log->Sync(), StatusIs(absl::StatusCode::kUnavailable,
                                    HasSubstr("Input/output error")));
  EXPECT_FALSE(log->state().broken.ok());
  // The file whose sync failed was not synced again.
  const std::vector<std::string> calls = disk.calls();
  EXPECT_EQ(std::count_if(calls.begin(), calls.end(),
                          [](const std::string& call) {
                            return call.starts_with("sync /");
                          }),
            1);

  ASSERT_OK(log->Restart());

  EXPECT_OK(log->state().broken);
  EXPECT_EQ(Append(log, Body("b")).revision, 2u);
  opened.log.reset();
  OpenedLog again = OpenLog(&base);
  ASSERT_THAT(again.records, SizeIs(2));
  EXPECT_EQ(again.records[1].entry.body, "b");
}

TEST(LogFaultTest, RestartThatFailsCanBeRepeated) {
  for (int64_t k = 1;; ++k) {
    MemoryFileSystem base;
    FaultInjectingFileSystem disk(&base);
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(Append(opened.log.get(), Body("a")).result);
    disk.Inject(FailAt(1));
    ASSERT_FALSE(Append(opened.log.get(), Body("void")).result.ok());
    disk.Inject(FailAt(k));
    const absl::Status first = opened.log->Restart();
    if (!disk.happened()) {
      EXPECT_OK(first);
      break;
    }
    disk.Heal();

    ASSERT_OK(opened.log->Restart());

    EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 2u) << k;
    opened.log.reset();
    EXPECT_THAT(OpenLog(&base).records, SizeIs(2)) << k;
  }
}

TEST(LogFaultTest, FullDiskRefusesAndResumesByItself) {
  MemoryFileSystem disk(int64_t{1} << 20);
  OpenedLog opened = OpenLog(&disk);
  Log* log = opened.log.get();
  uint64_t published = 0;
  for (int cycle = 0; cycle < 5; ++cycle) {
    Appended appended{Durability::kNone};
    do {
      LogEntry entry = Body("x");
      entry.tensors = {RandomTensor(DType::kUint8, {20000}, 1)};
      appended = Append(log, entry);
      published += appended.result.ok() ? 1 : 0;
      EXPECT_EQ(appended.revision, appended.result.ok() ? published : 0);
    } while (appended.result.ok());
    EXPECT_THAT(appended.result,
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("No space left on device")));
    EXPECT_OK(log->state().broken);
    EXPECT_EQ(log->state().published, published);
    ASSERT_OK(log->DropThrough(published));
  }
  EXPECT_GT(published, 100u);
}

TEST(LogFaultTest, SmallDiskGetsSmallSegments) {
  MemoryFileSystem disk(int64_t{3} << 20);
  const LogOptions options = SmallSegments(64 << 20);
  {
    OpenedLog opened = OpenLog(&disk, options);
    ASSERT_OK(opened.status);
    LogEntry entry = Body("x");
    entry.tensors = {RandomTensor(DType::kUint8, {1500000}, 1)};
    ASSERT_OK(Append(opened.log.get(), entry).result);
  }
  EXPECT_THAT(OpenLog(&disk, options).records, SizeIs(1));
}

// Others need room as well: checkpoints, and the files beside them.
TEST(LogFaultTest, ASegmentLeavesMostOfASmallDiskFree) {
  constexpr int64_t kCapacity = 8 << 20;
  for (const int64_t segment_bytes : {kCapacity, 2 * kCapacity}) {
    MemoryFileSystem disk(kCapacity);

    OpenedLog opened = OpenLog(&disk, SmallSegments(segment_bytes));

    ASSERT_OK(opened.status);
    EXPECT_THAT(disk.FreeBytes("/"), IsOkAndHolds(kCapacity / 4 * 3));
  }
}

// A quota: what the system says is free is not all for us.
TEST(LogFaultTest, AReservationThatIsRefusedIsMadeSmaller) {
  MemoryFileSystem base;
  FaultInjectingFileSystem disk(&base);
  const LogOptions options = SmallSegments(4 << 20);
  disk.Inject({});
  OpenLog(&disk, options);
  const std::vector<std::string> calls = disk.calls();
  const auto reserve = std::find_if(
      calls.begin(), calls.end(),
      [](const std::string& call) { return call.starts_with("reserve "); });
  ASSERT_NE(reserve, calls.end());
  MemoryFileSystem fresh;
  FaultInjectingFileSystem limited(&fresh);
  Fault fault = FailAt(reserve - calls.begin() + 1);
  fault.code = absl::StatusCode::kResourceExhausted;
  limited.Inject(fault);

  OpenedLog opened = OpenLog(&limited, options);

  EXPECT_TRUE(limited.happened());
  ASSERT_OK(opened.status);
  EXPECT_EQ(Append(opened.log.get(), Body("a")).revision, 1u);
}

TEST(LogFaultTest, FullDiskIsOpenedAndGoesOnWhenThereIsRoom) {
  MemoryFileSystem disk(int64_t{200} << 10);
  {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(Append(opened.log.get(), Body("a")).result);
  }
  const std::string ballast = "/data/ballast";
  WriteWhole(&disk, ballast, std::vector<std::byte>(100 << 10));
  {
    OpenedLog opened = OpenLog(&disk);
    ASSERT_OK(opened.status);
    EXPECT_THAT(opened.records, SizeIs(1));
    EXPECT_THAT(Append(opened.log.get(), Body("b")).result,
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("No space left")));

    ASSERT_OK(disk.Remove(ballast));

    EXPECT_EQ(Append(opened.log.get(), Body("b")).revision, 2u);
  }
  EXPECT_THAT(OpenLog(&disk).records, SizeIs(2));
}

}  // namespace
}  // namespace varkeep::storage
