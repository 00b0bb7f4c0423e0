// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_STORE_DRAFT_H_
#define VARKEEP_SERVER_VARIABLES_STORE_DRAFT_H_

#include <cstdint>
#include <cstdlib>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "server/variables/variable_store.h"

namespace varkeep {

// The value of a variable as the operations of one change leave it. They are
// done on a copy, or, if Begin found that to be possible, after the commit: in
// the value itself, or in an overlay of it when others hold it and only rows
// change. For the holder of the variable's writer mutex, from Begin to the end;
// never waits for a journal.
class VariableStore::Draft {
 public:
  Draft(VariableStore* store, Variable* variable)
      : store_(store), variable_(variable), shape_(variable->shape) {}
  // Without the store's mutex. What is begun in place ends.
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // What the operations will change of the value that the variable has.
  struct Extent {
    bool all = false;
    // Of the rows that change: ScatterPageBytes of all scatters together.
    int64_t page_bytes = 0;
  };
  static void Extend(const UpdateMutation& update, const Variable& variable,
                     Extent* extent);
  static void Extend(const ScatterMutation& scatter, const Variable& variable,
                     Extent* extent);

  // Takes the value. REQUIRES: the store's mutex.
  void Begin();
  // The same, and to change it in place if that can be: waits for brief
  // readers.
  void Begin(const Extent& extent);
  // Bytes that the value needs beside those that are there.
  int64_t Growth() const;

  // Checks the operation, and does what can fail of it. Errors as of Apply.
  absl::Status Add(const AssignMutation& assign);
  absl::Status Add(const UpdateMutation& update);
  absl::Status Add(const ScatterMutation& scatter);
  bool changed() const { return changed_; }

  // When they are committed: makes this the value. REQUIRES: the store's mutex.
  void Install(Revision revision);
  // Afterwards, without the mutex: does what is done in place.
  void Finish();
  // Puts the overlay of a value that was begun in place into it.
  void Fold();

 private:
  using Change = std::variant<const UpdateMutation*, const ScatterMutation*>;
  enum class Mode { kCopy, kInPlace, kOverlay };

  ValueType type() const { return {variable_->name, variable_->dtype, shape_}; }
  Mode Choose(const Extent& extent);
  void EndInPlace();
  template <typename Mutation>
  absl::Status AddChange(const Mutation& mutation);
  // On a copy, which is made unless there is one.
  absl::Status Copy(const UpdateMutation& update);
  absl::Status Copy(const ScatterMutation& scatter);
  template <typename Mutation>
  absl::Status CopyAndDo(const Mutation& mutation);
  // Gets what it is going to change into the overlay.
  void Cover(const ScatterMutation& scatter);
  static void Cover(const UpdateMutation&) { std::abort(); }  // Extent::all
  void Do(const UpdateMutation& update);
  void Do(const ScatterMutation& scatter);

  VariableStore* const store_;
  Variable* const variable_;
  Shape shape_;
  StoredValue value_;
  StoredValue old_;  // freed after the mutex is
  Mode mode_ = Mode::kCopy;
  bool owned_ = false;  // nobody else has the copy, or the overlay
  bool changed_ = false;
  int64_t freed_bytes_ = 0;    // when the value is replaced
  int64_t overlay_bytes_ = 0;  // that are added
  std::vector<Change> later_;  // when they are committed
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_STORE_DRAFT_H_
