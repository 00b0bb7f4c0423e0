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

// What a save gives. Errors are copied: the distribution's absl counts their
// holders where the thread sanitizer does not look.
inline std::future<absl::StatusOr<storage::CheckpointInfo>> StartSave(
    Checkpointer& checkpointer, storage::CheckpointProgress progress = {}) {
  using Result = absl::StatusOr<storage::CheckpointInfo>;
  auto saved = std::make_shared<std::promise<Result>>();
  checkpointer.Save(std::move(progress), [saved](Result result) {
    saved->set_value(result.ok() ? std::move(result)
                                 : absl::Status(result.status().code(),
                                                result.status().message()));
  });
  return saved->get_future();
}

// A store of variables with a checkpointer that keeps checkpoints in memory.
class CheckpointerTest : public StoreTest {
 protected:
  using SaveResult = absl::StatusOr<storage::CheckpointInfo>;

  CheckpointerTest() { Start({}); }

  void Start(const Checkpointer::Options& options) {
    checkpointer_.reset();
    checkpointer_ = std::make_unique<Checkpointer>(
        &store_, &committer_, &checkpoints_, nullptr, &clock_, options);
  }

  std::future<SaveResult> Save(storage::CheckpointProgress progress = {}) {
    return StartSave(*checkpointer_, std::move(progress));
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
        id, [&](absl::Status status) { deleted.set_value(std::move(status)); });
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
