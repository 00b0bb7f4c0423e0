// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_SCOPES_FAKE_DECLARER_H_
#define VARKEEP_TESTS_SERVER_SCOPES_FAKE_DECLARER_H_

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/scopes/declarer.h"

namespace varkeep {

// Declarations in a map, without values. Thread-safe.
class FakeDeclarer : public Declarer {
 public:
  absl::StatusOr<Applied> Declare(const Mutation& mutation,
                                  const Request& request) override {
    if (before_declare) std::exchange(before_declare, nullptr)();
    MutexLock lock(&mutex_);
    if (!fail.ok()) return fail;
    const auto id = request.id
                        ? std::pair(request.id->client, request.id->sequence)
                        : std::pair(uint64_t{0}, uint64_t{0});
    if (const auto it = requests_.find(id); it != requests_.end()) {
      return Done(it->second, /*duplicate=*/true);
    }
    ++declarations_;
    absl::StatusOr<Applied> applied;
    if (const auto* declare = std::get_if<DeclareMutation>(&mutation)) {
      applied = DeclareVariable(*declare);
    } else if (const auto* add =
                   std::get_if<AddToCollectionMutation>(&mutation)) {
      applied = AddToCollections(*add);
    } else {
      return absl::InternalError("not a declaration");
    }
    if (applied.ok() && id.first != 0) requests_[id] = applied->revision;
    return applied;
  }

  absl::StatusOr<VariableInfo> Find(absl::string_view container,
                                    absl::string_view name) override {
    MutexLock lock(&mutex_);
    ++finds_;
    const auto it = variables_.find(Key(container, name));
    if (it == variables_.end()) return absl::NotFoundError("no such variable");
    return it->second;
  }

  void Delete(absl::string_view container, absl::string_view name) {
    MutexLock lock(&mutex_);
    variables_.erase(Key(container, name));
  }

  size_t size() const {
    MutexLock lock(&mutex_);
    return variables_.size();
  }
  int finds() const {
    MutexLock lock(&mutex_);
    return finds_;
  }
  // Declare calls that were not duplicates.
  int declarations() const {
    MutexLock lock(&mutex_);
    return declarations_;
  }

  // Set by tests on one thread: what Declare answers, and what it calls once
  // before it looks.
  absl::Status fail;
  std::function<void()> before_declare;

 private:
  static Applied Done(Revision revision, bool duplicate = false,
                      bool created = false) {
    Applied applied;
    applied.revision = revision;
    applied.duplicate = duplicate;
    applied.created = created;
    return applied;
  }
  static std::pair<std::string, std::string> Key(absl::string_view container,
                                                 absl::string_view name) {
    return {std::string(container), std::string(name)};
  }

  absl::StatusOr<Applied> DeclareVariable(const DeclareMutation& declare)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto key = Key(declare.container, declare.spec.name);
    const auto it = variables_.find(key);
    if (it == variables_.end()) {
      VariableInfo info;
      info.container = declare.container;
      info.spec = declare.spec;
      info.declared = ++revision_;
      variables_[key] = info;
      return Done(revision_, /*duplicate=*/false, /*created=*/true);
    }
    if (declare.must_create) return absl::AlreadyExistsError("exists");
    const VariableSpec& found = it->second.spec;
    if (found.dtype != declare.spec.dtype ||
        !(found.shape == declare.spec.shape)) {
      return absl::InvalidArgumentError("container and declaration differ");
    }
    return Applied{};
  }

  absl::StatusOr<Applied> AddToCollections(const AddToCollectionMutation& add)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto it = variables_.find(Key(add.container, add.name));
    if (it == variables_.end()) return absl::NotFoundError("no such variable");
    std::vector<std::string>& keys = it->second.spec.collections;
    for (const std::string& key : add.keys) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        keys.push_back(key);
      }
    }
    return Done(++revision_);
  }

  mutable Mutex mutex_;
  std::map<std::pair<std::string, std::string>, VariableInfo> variables_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<uint64_t, uint64_t>, Revision> requests_
      ABSL_GUARDED_BY(mutex_);
  Revision revision_ ABSL_GUARDED_BY(mutex_) = 0;
  int finds_ ABSL_GUARDED_BY(mutex_) = 0;
  int declarations_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_SCOPES_FAKE_DECLARER_H_
