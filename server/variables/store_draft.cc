// SPDX-License-Identifier: Apache-2.0
#include "server/variables/store_draft.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/status_macros.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

namespace varkeep {
namespace {

// Readers of smaller values do not wait for updates: the value is copied.
constexpr int64_t kInPlaceBytes = 64 << 10;

// True when there is no other reference. The copy that comes and goes orders
// what former holders read before what the caller writes: use_count() alone
// does not.
template <typename T>
bool IsUnshared(std::shared_ptr<T>& value) {
  if (value.use_count() != 1) return false;
  std::shared_ptr<T> probe = value;
  probe.reset();
  return true;
}

absl::Status CheckChange(const UpdateMutation& update, const ValueType& type) {
  return CheckUpdate(type, update.operand->dtype(), update.operand->shape());
}

absl::Status CheckChange(const ScatterMutation& scatter,
                         const ValueType& type) {
  const auto check = scatter.nd ? CheckScatterNd : CheckScatter;
  return check(scatter.op, type.dtype, type.shape, *scatter.indices,
               *scatter.updates);
}

}  // namespace

void VariableStore::Draft::Extend(const UpdateMutation&, const Variable&,
                                  Extent* extent) {
  extent->all = true;
}

void VariableStore::Draft::Extend(const ScatterMutation& scatter,
                                  const Variable& variable, Extent* extent) {
  const int64_t bytes = ScatterPageBytes(scatter.nd, variable.dtype,
                                         variable.shape, *scatter.indices);
  if (__builtin_add_overflow(extent->page_bytes, bytes, &extent->page_bytes)) {
    extent->page_bytes = std::numeric_limits<int64_t>::max();
  }
}

void VariableStore::Draft::Begin() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  freed_bytes_ = ReplacedValues::BytesFreedWith(variable_->value.tensor);
  value_ = variable_->value;
}

void VariableStore::Draft::Begin(const Extent& extent)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mode_ = Choose(extent);
  if (mode_ == Mode::kOverlay) {
    std::shared_ptr<TensorOverlay>& overlay = variable_->value.overlay;
    owned_ = overlay != nullptr && IsUnshared(overlay);
    overlay_bytes_ = extent.page_bytes;
    if (overlay != nullptr && !owned_) overlay_bytes_ += overlay->size_bytes();
  }
  Begin();
}

VariableStore::Draft::Mode VariableStore::Draft::Choose(const Extent& extent)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  StoredValue& value = variable_->value;
  const int64_t bytes = BytesOf(value.tensor);
  if (bytes < kInPlaceBytes) return Mode::kCopy;
  // Those who waited for the update before go first. Others do not wait as long
  // as `updating` is not set: they become no more.
  while (variable_->waiting_brief_readers > 0) {
    store_->readers_gone_.Wait(&store_->mutex_);
  }
  // With more than half of its pages in an overlay, copying all is no dearer.
  const int64_t overlaid =
      value.overlay == nullptr ? 0 : value.overlay->size_bytes();
  const bool overlays =
      !extent.all && extent.page_bytes <= bytes / 2 - overlaid;
  const bool held = value.tensor.use_count() > 1 + variable_->brief_readers;
  const bool waited_for =
      variable_->waiting_readers > 0 || store_->waiting_snapshots_ > 0;
  if (held ? !overlays : extent.all && waited_for) return Mode::kCopy;
  variable_->updating = true;
  ++store_->updates_in_place_;
  while (variable_->brief_readers > 0) {
    store_->readers_gone_.Wait(&store_->mutex_);
  }
  if (IsUnshared(value.tensor)) return Mode::kInPlace;
  if (overlays) return Mode::kOverlay;
  EndInPlace();  // a brief reader kept it
  return Mode::kCopy;
}

void VariableStore::Draft::EndInPlace() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  variable_->updating = false;
  --store_->updates_in_place_;
  store_->settled_.NotifyAll();
}

VariableStore::Draft::~Draft() {
  value_ = {};
  old_ = {};
  if (mode_ == Mode::kCopy) return;
  MutexLock lock(&store_->mutex_);
  EndInPlace();
}

int64_t VariableStore::Draft::Growth() const {
  if (mode_ == Mode::kInPlace) return 0;
  if (mode_ == Mode::kOverlay) return overlay_bytes_;
  return BytesOf(value_.tensor) - freed_bytes_;
}

absl::Status VariableStore::Draft::Add(const AssignMutation& assign) {
  RETURN_IF_ERROR(CheckAssign(type(), assign.value->dtype(),
                              assign.value->shape(), assign.validate_shape));
  shape_ = assign.value->shape();
  value_ = {Adopt(assign.value)};
  owned_ = false;  // the mutation holds it too
  changed_ = true;
  return absl::OkStatus();
}

template <typename Mutation>
absl::Status VariableStore::Draft::AddChange(const Mutation& mutation) {
  if (value_.tensor == nullptr) return UninitializedError(variable_->name);
  RETURN_IF_ERROR(CheckChange(mutation, type()));
  switch (mode_) {
    case Mode::kCopy:
      RETURN_IF_ERROR(Copy(mutation));
      break;
    case Mode::kInPlace:
      Fold();
      later_.push_back(&mutation);
      break;
    case Mode::kOverlay:
      Cover(mutation);
      later_.push_back(&mutation);
      break;
  }
  changed_ = true;
  return absl::OkStatus();
}

absl::Status VariableStore::Draft::Add(const UpdateMutation& update) {
  return AddChange(update);
}

absl::Status VariableStore::Draft::Add(const ScatterMutation& scatter) {
  return AddChange(scatter);
}

absl::Status VariableStore::Draft::Copy(const UpdateMutation& update) {
  if (owned_ || value_.overlay != nullptr) return CopyAndDo(update);
  ASSIGN_OR_RETURN(value_.tensor, Updated(update.op, *value_.tensor,
                                          *update.operand, store_->pool_));
  owned_ = true;
  return absl::OkStatus();
}

absl::Status VariableStore::Draft::Copy(const ScatterMutation& scatter) {
  return CopyAndDo(scatter);
}

template <typename Mutation>
absl::Status VariableStore::Draft::CopyAndDo(const Mutation& mutation) {
  if (!owned_) {
    const TensorView view(*value_.tensor, value_.overlay.get());
    ASSIGN_OR_RETURN(value_.tensor, view.Copy(store_->pool_));
    value_.overlay = nullptr;
    owned_ = true;
  }
  Do(mutation);
  return absl::OkStatus();
}

void VariableStore::Draft::Fold() {
  if (mode_ != Mode::kInPlace || value_.overlay == nullptr) return;
  value_.overlay->ApplyTo(value_.tensor.get());
  value_.overlay = nullptr;
  MutexLock lock(&store_->mutex_);
  old_.overlay = std::exchange(variable_->value.overlay, nullptr);
}

void VariableStore::Draft::Cover(const ScatterMutation& scatter) {
  if (!owned_) {
    value_.overlay =
        value_.overlay == nullptr
            ? std::make_shared<TensorOverlay>(&store_->overlay_bytes_)
            : std::make_shared<TensorOverlay>(*value_.overlay);
    owned_ = true;
  }
  CoverRows(scatter.nd, *scatter.indices, *value_.tensor, value_.overlay.get());
}

void VariableStore::Draft::Do(const UpdateMutation& update) {
  UpdateInPlace(update.op, *update.operand, value_.tensor.get(), store_->pool_);
}

void VariableStore::Draft::Do(const ScatterMutation& scatter) {
  if (mode_ == Mode::kOverlay) {
    ScatterIntoOverlay(scatter.op, scatter.nd, *scatter.indices,
                       *scatter.updates, shape_, value_.overlay.get());
  } else {
    ScatterInPlace(scatter.op, scatter.nd, *scatter.indices, *scatter.updates,
                   value_.tensor.get());
  }
}

void VariableStore::Draft::Install(Revision revision)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  variable_->shape = shape_;
  old_ = store_->SetValue(variable_, value_, revision);
}

void VariableStore::Draft::Finish() {
  for (const Change& change : later_) {
    std::visit([this](const auto* mutation) { Do(*mutation); }, change);
  }
}

void VariableStore::FoldOverlays() {
  if (overlay_bytes_ == 0) return;
  std::vector<VariablePtr> overlaid;
  {
    MutexLock lock(&mutex_);
    for (const auto& [container, members] : containers_) {
      for (const Variable* variable : members.ordered()) {
        if (variable->value.overlay == nullptr) continue;
        overlaid.push_back(members.Find(variable->name));
      }
    }
  }
  for (const VariablePtr& variable : overlaid) {
    Writers writers({variable});
    Draft draft(this, variable.get());
    {
      MutexLock lock(&mutex_);
      draft.Begin({.all = true});
    }
    draft.Fold();
  }
}

}  // namespace varkeep
