// SPDX-License-Identifier: Apache-2.0
//
// Looking and reading. What changes the store is in store_mutations.cc.
#include "server/variables/variable_store.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/store_variable.h"
#include "server/variables/value_check.h"

namespace varkeep {
namespace {

bool InScope(absl::string_view name, absl::string_view scope) {
  return scope.empty() || name == scope ||
         (name.size() > scope.size() && name[scope.size()] == '/');
}

// As it is now.
absl::StatusOr<VersionedValue> ValueOf(absl::string_view container,
                                       const VariableRecord& variable,
                                       std::string name) {
  if (variable.deleted) return NoSuchVariableError(container, name);
  const auto& [tensor, overlay] = variable.value;
  if (tensor == nullptr) return UninitializedError(name);
  return VersionedValue{tensor, variable.version, std::move(name), overlay};
}

}  // namespace

VariableStore::VariableStore(const StoreLimits& limits, ThreadPool* pool)
    : limits_(limits), pool_(pool) {}

VariableStore::~VariableStore() = default;

VariablePtr VariableStore::Get(absl::string_view container,
                               absl::string_view name) const {
  auto variables = containers_.find(container);
  if (variables == containers_.end()) return nullptr;
  return variables->second.Find(name);
}

absl::StatusOr<VariablePtr> VariableStore::Require(
    absl::string_view container, absl::string_view name) const {
  VariablePtr variable = Get(container, name);
  if (variable == nullptr) return NoSuchVariableError(container, name);
  return variable;
}

absl::StatusOr<VariablePtr> VariableStore::Lookup(
    absl::string_view container, absl::string_view name) const {
  MutexLock lock(&mutex_);
  return Require(container, name);
}

absl::StatusOr<VariableInfo> VariableStore::Find(absl::string_view container,
                                                 absl::string_view name) const {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(VariablePtr variable, Require(container, name));
  return variable->Info();
}

std::vector<VariableInfo> VariableStore::List(const ListQuery& query) const {
  std::vector<VariableInfo> page;
  MutexLock lock(&mutex_);
  for (const auto& [container, index] : containers_) {
    if (query.container && *query.container != container) continue;
    const bool resumed = query.after && query.after->container == container;
    if (query.after && container < query.after->container) continue;
    const VariableIndex::Ordered& variables = index.ordered();
    auto at = resumed ? variables.upper_bound(query.after->spec.name)
                      : variables.lower_bound(query.scope);
    for (; at != variables.end(); ++at) {
      const Variable& variable = **at;
      if (!variable.name.starts_with(query.scope)) break;
      // "foo-bar" sorts between "foo" and "foo/bar" but is not in scope foo.
      if (!InScope(variable.name, query.scope)) continue;
      if (page.size() == query.limit) return page;
      page.push_back(variable.Info());
    }
  }
  return page;
}

std::vector<std::string> VariableStore::Collection(
    absl::string_view container, absl::string_view key) const {
  std::vector<std::pair<Revision, std::string>> members;
  {
    MutexLock lock(&mutex_);
    auto variables = containers_.find(container);
    if (variables == containers_.end()) return {};
    for (const Variable* variable : variables->second.ordered()) {
      if (std::ranges::count(variable->traits->collections, key) > 0) {
        members.emplace_back(variable->declared, variable->name);
      }
    }
  }
  std::ranges::sort(members);
  std::vector<std::string> names;
  for (auto& [declared, name] : members) names.push_back(std::move(name));
  return names;
}

void VariableStore::WaitUntilSettled(
    const std::vector<VariablePtr>& variables) const {
  if (updates_in_place_ == 0) return;
  for (const VariablePtr& variable : variables) ++variable->waiting_readers;
  while (std::ranges::any_of(variables, &Variable::updating)) {
    settled_.Wait(&mutex_);
  }
  for (const VariablePtr& variable : variables) --variable->waiting_readers;
  readers_gone_.NotifyAll();
}

void VariableStore::LetReadersGoFirst(
    const std::vector<VariablePtr>& variables) {
  while (waiting_snapshots_ > 0 ||
         std::ranges::any_of(variables, [](const VariablePtr& variable) {
           return variable->waiting_readers > 0;
         })) {
    readers_gone_.Wait(&mutex_);
  }
}

absl::StatusOr<VersionedValue> VariableStore::Read(
    absl::string_view container, absl::string_view name) const {
  ASSIGN_OR_RETURN(Cut cut, ReadCut(container, {std::string(name)}));
  return std::move(cut.values[0]);
}

absl::StatusOr<Cut> VariableStore::ReadCut(
    absl::string_view container, std::vector<std::string> names) const {
  PreparedRead read(container, std::move(names));
  Cut cut;
  cut.values.reserve(read.names().size());
  for (const std::string& name : read.names()) {
    cut.values.push_back({nullptr, 0, name});
  }
  auto at = cut.values.begin();
  ASSIGN_OR_RETURN(cut.revision, ReadCut(&read, [&](const StoredValue& value,
                                                    Revision version) {
                     at->value = value.tensor;
                     at->overlay = value.overlay;
                     at->version = version;
                     ++at;
                   }));
  return cut;
}

absl::StatusOr<Revision> VariableStore::ReadCut(PreparedRead* read,
                                                TakeValue take) const {
  std::vector<VariablePtr> found;  // freed after the mutex is
  MutexLock lock(&mutex_);
  const uint64_t layout_before = std::exchange(read->layout_, 0);
  if (layout_before != layout_ ||
      (updates_in_place_ > 0 &&
       std::ranges::any_of(read->variables_, &Variable::updating))) {
    RETURN_IF_ERROR(Find(read, &found));
  }
  read->layout_ = layout_;
  read->same_layout_ = layout_before == layout_;
  for (const Variable* variable : read->variables_) {
    take(variable->value, variable->version);
  }
  return usage_.revision;
}

absl::Status VariableStore::Find(PreparedRead* read,
                                 std::vector<VariablePtr>* found) const {
  found->reserve(read->names_.size());
  for (const std::string& name : read->names_) {
    ASSIGN_OR_RETURN(VariablePtr variable, Require(read->container_, name));
    found->push_back(std::move(variable));
  }
  WaitUntilSettled(*found);
  read->variables_.clear();
  read->variables_.reserve(found->size());
  for (const VariablePtr& variable : *found) {
    RETURN_IF_ERROR(CheckAlive(*variable));
    if (variable->value.tensor == nullptr) {
      return UninitializedError(variable->name);
    }
    read->variables_.push_back(variable.get());
  }
  return absl::OkStatus();
}

// From when it may begin until it goes.
class VariableStore::BriefRead {
 public:
  // Waits for the update in place that is under way.
  BriefRead(const VariableStore* store,
            VariablePtr variable) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : store_(store),
        variable_(std::move(variable)) {
    ++variable_->waiting_brief_readers;
    while (variable_->updating) store_->settled_.Wait(&store_->mutex_);
    if (--variable_->waiting_brief_readers == 0) {
      store_->readers_gone_.NotifyAll();
    }
    ++variable_->brief_readers;
  }
  ~BriefRead() {
    MutexLock lock(&store_->mutex_);
    if (--variable_->brief_readers == 0) {
      store_->readers_gone_.NotifyAll();
    }
  }
  BriefRead(const BriefRead&) = delete;
  BriefRead& operator=(const BriefRead&) = delete;

 private:
  const VariableStore* const store_;
  const VariablePtr variable_;
};

absl::Status VariableStore::ReadBriefly(
    absl::string_view container, absl::string_view name,
    absl::FunctionRef<absl::Status(VersionedValue)> use) const {
  std::optional<BriefRead> read;  // goes after the value
  VersionedValue value;
  {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(VariablePtr variable, Require(container, name));
    read.emplace(this, variable);
    ASSIGN_OR_RETURN(value, ValueOf(container, *variable, std::string(name)));
  }
  return use(std::move(value));
}

StoreSnapshot VariableStore::Snapshot() const {
  StoreSnapshot snapshot;
  MutexLock lock(&mutex_);
  ++waiting_snapshots_;
  while (updates_in_place_ > 0) settled_.Wait(&mutex_);
  --waiting_snapshots_;
  readers_gone_.NotifyAll();
  snapshot.revision = usage_.revision;
  snapshot.variables.reserve(static_cast<size_t>(usage_.variables));
  for (const auto& [container, members] : containers_) {
    for (const Variable* variable : members.ordered()) {
      snapshot.variables.push_back(
          {variable->Info(), variable->value.tensor, variable->value.overlay});
    }
  }
  snapshot.requests = requests_.Save();
  return snapshot;
}

StoreUsage VariableStore::usage() const {
  MutexLock lock(&mutex_);
  StoreUsage usage = usage_;
  usage.replaced_value_bytes = replaced_.HeldBytes() + overlay_bytes_;
  return usage;
}

bool VariableStore::IsReady(const Watch& watch) const {
  return std::ranges::all_of(
      watch.names, [&](const std::string& name) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        VariablePtr variable = Get(watch.container, name);
        return variable != nullptr && variable->value.tensor != nullptr;
      });
}

uint64_t VariableStore::WatchInitialized(absl::string_view container,
                                         std::vector<std::string> names,
                                         std::function<void(Revision)> ready) {
  uint64_t id = 0;
  {
    MutexLock lock(&mutex_);
    id = ++last_watch_;
    Watch watch{std::string(container), std::move(names), std::move(ready)};
    if (IsReady(watch)) {
      ready_.push_back({id, std::move(watch.ready), usage_.revision});
    } else {
      watches_.emplace(id, std::move(watch));
    }
  }
  CallReady();
  return id;
}

void VariableStore::CancelWatch(uint64_t id) {
  MutexLock lock(&mutex_);
  watches_.erase(id);
  std::erase_if(ready_,
                [id](const ReadyWatch& ready) { return ready.id == id; });
}

void VariableStore::CallReady() {
  // One at a time: what is taken out here cannot be taken back any more.
  for (;;) {
    ReadyWatch ready;
    {
      MutexLock lock(&mutex_);
      if (ready_.empty()) return;
      ready = std::move(ready_.front());
      ready_.pop_front();
    }
    ready.call(ready.revision);
  }
}

}  // namespace varkeep
