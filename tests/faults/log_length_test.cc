// SPDX-License-Identifier: Apache-2.0
//
// How long the log gets: saves cut it, and it asks for saves.
#include <thread>

#include "storage/memory_file_system.h"
#include "tests/faults/life.h"
#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

constexpr int64_t kElements = 1000;

class LogLengthTest : public ::testing::Test {
 protected:
  void Begin(const Checkpointer::Options& checkpointing) {
    LifeOptions options;
    options.checkpointing = checkpointing;
    absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(&disk_, options);
    ASSERT_OK(life);
    life_ = *std::move(life);
    if (life_->store().Find("", "v").ok()) return;
    ASSERT_OK(
        life_->Apply(DeclareMutation{"", SpecOf("v", Shape({kElements})), {}}));
  }
  // Some segments full.
  void Change() {
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> values(kElements, static_cast<float>(i));
      ASSERT_OK(life_->Apply(
          AssignMutation{"", "v", Of<float>({kElements}, values), {}, true}));
    }
  }
  void SaveAfterChanges() {
    Change();
    ASSERT_OK(life_->Save());
  }
  int64_t Segments() const { return life_->log_state().segments; }

  storage::MemoryFileSystem disk_;
  std::unique_ptr<Life> life_;
};

TEST_F(LogLengthTest, ItLeadsFromTheCheckpointBeforeTheNewest) {
  Begin({});
  SaveAfterChanges();
  const int64_t whole = Segments();
  ASSERT_GT(whole, 3) << "there is no checkpoint before the newest";

  for (int i = 0; i < 3; ++i) {
    SaveAfterChanges();
    EXPECT_GT(Segments(), 3) << "the changes between the two are there";
    EXPECT_LE(Segments(), whole + 1) << "those before are not";
  }
}

TEST_F(LogLengthTest, WithOneCheckpointItLeadsFromThat) {
  Checkpointer::Options options;
  options.retention.max_to_keep = 1;
  Begin(options);

  SaveAfterChanges();

  EXPECT_EQ(Segments(), 1);
}

TEST_F(LogLengthTest, ALongOneIsSavedByItself) {
  Checkpointer::Options options;
  options.log_limit_bytes = 10'000;
  options.log_check_interval = absl::Milliseconds(1);
  Begin(options);

  Change();

  while (life_->checkpoints() == 0) std::this_thread::yield();
}

TEST_F(LogLengthTest, OneThatWouldTakeLongToReplayIsSavedByItself) {
  Checkpointer::Options options;
  options.log_limit_time = absl::Nanoseconds(1);
  options.log_check_interval = absl::Milliseconds(1);
  Begin(options);

  while (life_->checkpoints() == 0) std::this_thread::yield();
}

TEST_F(LogLengthTest, InitializersThatAReplayRunsAgainCount) {
  Checkpointer::Options options;
  options.log_limit_time = absl::Milliseconds(100);
  options.log_check_interval = absl::Milliseconds(1);
  Begin(options);
  VariableSpec spec = SpecOf("drawn", Shape({1 << 20}));
  spec.initializer = RandomNormalInitializer();
  ASSERT_OK(life_->Apply(DeclareMutation{"", spec, {}}));

  // As changes alone, so many short ones would not take half as long.
  for (int i = 0; i < 10'000 && life_->checkpoints() == 0; ++i) {
    ASSERT_OK(life_->Apply(InitializeMutation{"", {"drawn"}, true}));
  }

  EXPECT_GT(life_->checkpoints(), 0);
}

TEST_F(LogLengthTest, WhatAStartReplayedCounts) {
  Begin({});
  Change();
  life_.reset();
  Checkpointer::Options options;
  options.log_limit_bytes = 10'000;
  options.log_check_interval = absl::Milliseconds(1);
  options.replayed_bytes = 80'000;
  Begin(options);

  while (life_->checkpoints() == 0) std::this_thread::yield();
}

}  // namespace
}  // namespace varkeep
