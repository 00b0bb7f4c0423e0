// SPDX-License-Identifier: Apache-2.0
//
// Every call to the disk of a run fails, once or for ever, whole or half way,
// with every kind of error: what was acknowledged is there after the next
// start, and what failed is there whole or not at all.
#include "storage/memory_file_system.h"
#include "tests/faults/script.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fault_injecting_file_system.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using storage::MemoryFileSystem;

struct Kind {
  const char* name;
  absl::StatusCode code = absl::StatusCode::kInternal;
  const char* reason = "Input/output error";
  bool sticky = false;
  bool short_write = false;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;

const Kind kKinds[] = {
    {"EioOnce"},
    {.name = "EioForEver", .sticky = true},
    {.name = "EioHalfWay", .short_write = true},
    {.name = "FullOnce", .code = kFull, .reason = "No space left on device"},
    {.name = "FullForEver",
     .code = kFull,
     .reason = "No space left on device",
     .sticky = true},
    {.name = "FullHalfWay",
     .code = kFull,
     .reason = "No space left on device",
     .short_write = true},
    {.name = "NoDescriptors", .code = kFull, .reason = "Too many open files"},
};

class IoFaultTest : public ::testing::TestWithParam<Kind> {
 protected:
  static Fault FaultAt(int64_t k) {
    const Kind& kind = GetParam();
    return {k, kind.code, kind.reason, kind.sticky, kind.short_write, {}};
  }
};

TEST_P(IoFaultTest, OfTheRunLosesNothingAcknowledged) {
  const std::vector<std::optional<Mutation>> script = ScriptedRun();
  int64_t failures = 0;
  for (int64_t k = 1;; ++k) {
    MemoryFileSystem base;
    FaultInjectingFileSystem disk(&base);
    absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(&disk);
    ASSERT_OK(life);
    disk.Inject(FaultAt(k));

    RunResult result = RunScript(script, *std::move(life));

    if (!disk.happened()) break;
    SCOPED_TRACE(disk.calls()[static_cast<size_t>(k - 1)]);
    disk.Heal();
    failures += result.failed;
    life = Life::Begin(&disk);
    ASSERT_OK(life);
    ExpectRecovered(result, life->get());
    if (HasFailure()) return;
  }
  EXPECT_GT(failures, 20);
}

TEST_P(IoFaultTest, OfTheStartLosesNothing) {
  MemoryFileSystem base;
  FaultInjectingFileSystem disk(&base);
  absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(&disk);
  ASSERT_OK(life);
  RunResult result = RunScript(ScriptedRun(), *std::move(life));
  ASSERT_EQ(result.failed, 0);
  int64_t refused = 0;
  for (int64_t k = 1;; ++k) {
    disk.Inject(FaultAt(k));
    life = Life::Begin(&disk);
    if (!disk.happened()) break;
    SCOPED_TRACE(disk.calls()[static_cast<size_t>(k - 1)]);
    disk.Heal();
    if (!life.ok()) {
      ++refused;
      life = Life::Begin(&disk);
    }
    ASSERT_OK(life);
    ExpectSameSnapshot((*life)->store().Snapshot(), result.acknowledged);
    if (HasFailure()) return;
    life->reset();
  }
  EXPECT_GT(refused, 5);
  disk.Heal();
  ExpectRecovered(result, life->get());
}

INSTANTIATE_TEST_SUITE_P(Kinds, IoFaultTest, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) {
                           return std::string(kind.param.name);
                         });

}  // namespace
}  // namespace varkeep
