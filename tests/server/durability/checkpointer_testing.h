// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_DURABILITY_CHECKPOINTER_TESTING_H_
#define VARKEEP_TESTS_SERVER_DURABILITY_CHECKPOINTER_TESTING_H_

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/durability/checkpointer.h"
#include "storage/memory_checkpoint_store.h"
#include "tests/server/variables/store_testing.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/gated_checkpoint_store.h"

namespace varkeep {

// A store of variables with a checkpointer that keeps checkpoints in memory.
class CheckpointerTest : public StoreTest {
 protected:
  using SaveResult = absl::StatusOr<storage::CheckpointInfo>;

  CheckpointerTest() { Start({}); }

  void Start(const Checkpointer::Options& options) {
    checkpointer_.reset();
    checkpointer_ = std::make_unique<Checkpointer>(
        &store_, &committer_, &checkpoints_, &clock_, options);
  }

  std::future<SaveResult> Save(storage::CheckpointProgress progress = {}) {
    auto saved = std::make_shared<std::promise<SaveResult>>();
    checkpointer_->Save(std::move(progress), [saved](SaveResult result) {
      saved->set_value(std::move(result));
    });
    return saved->get_future();
  }
  storage::CheckpointId SavedId() {
    SaveResult saved = checkpointer_->SaveAndWait();
    EXPECT_OK(saved);
    return saved.ok() ? saved->id : 0;
  }

  absl::StatusOr<RestoreReport> Restore(const RestoreOptions& options) {
    std::promise<absl::StatusOr<RestoreReport>> restored;
    checkpointer_->Restore(options, [&](absl::StatusOr<RestoreReport> report) {
      restored.set_value(std::move(report));
    });
    return restored.get_future().get();
  }
  absl::StatusOr<Checkpointer::Description> Describe(storage::CheckpointId id) {
    std::promise<absl::StatusOr<Checkpointer::Description>> described;
    checkpointer_->Describe(
        id, [&](absl::StatusOr<Checkpointer::Description> description) {
          described.set_value(std::move(description));
        });
    return described.get_future().get();
  }
  absl::Status DeleteCheckpoint(storage::CheckpointId id) {
    std::promise<absl::Status> deleted;
    checkpointer_->Delete(
        id, [&](absl::Status status) { deleted.set_value(status); });
    return deleted.get_future().get();
  }

  std::vector<storage::CheckpointId> Listed() {
    std::vector<storage::CheckpointId> ids;
    absl::StatusOr<std::vector<storage::CheckpointInfo>> listed =
        checkpointer_->List();
    EXPECT_OK(listed);
    for (const storage::CheckpointInfo& info : *listed) ids.push_back(info.id);
    return ids;
  }

  // The value that a checkpoint has for a variable; null when it has none.
  TensorRef SavedValue(storage::CheckpointId id, const std::string& name) {
    absl::StatusOr<std::unique_ptr<storage::CheckpointReader>> reader =
        checkpoints_.Open(id);
    EXPECT_OK(reader);
    absl::StatusOr<StoreSnapshot> snapshot = DecodeSnapshot(reader->get());
    EXPECT_OK(snapshot);
    for (const StoreSnapshot::Variable& variable : snapshot->variables) {
      if (variable.info.spec.name == name) return variable.value;
    }
    return nullptr;
  }

  FakeClock clock_;
  storage::MemoryCheckpointStore memory_{&clock_};
  GatedCheckpointStore checkpoints_{&memory_};
  Committer committer_{&store_};
  std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_DURABILITY_CHECKPOINTER_TESTING_H_
