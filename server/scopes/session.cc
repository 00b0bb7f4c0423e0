// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/variables/names.h"

namespace varkeep {

// Every member that changes the session first asks everything that can fail,
// the declarer last, and then changes what must change.

Session::Session(std::string id, SessionOptions options, Declarer* declarer,
                 std::function<uint64_t()> entropy)
    : id_(std::move(id)),
      options_(std::move(options)),
      declarer_(declarer),
      entropy_(std::move(entropy)) {}

Session::~Session() = default;

absl::StatusOr<std::optional<VariableInfo>> Session::FindInContainer(
    absl::string_view name) {
  absl::StatusOr<VariableInfo> info = declarer_->Find(options_.container, name);
  if (absl::IsNotFound(info.status())) return std::nullopt;
  if (!info.ok()) return info.status();
  return *std::move(info);
}

absl::StatusOr<std::optional<Declared>> Session::Answered(
    const Request& request) {
  if (!request.id) return std::nullopt;
  if (request.id->client == 0 || request.id->sequence == 0) {
    return absl::InvalidArgumentError(
        "a request id has a client and a sequence, neither is 0");
  }
  const AnswerMemory::Answer* answer = answers_.Find(*request.id);
  if (answer == nullptr) return std::nullopt;
  ASSIGN_OR_RETURN(VariableInfo info,
                   declarer_->Find(options_.container, answer->op_name));
  return Declared{std::move(info), answer->created};
}

void Session::Remember(const Request& request, const Declared& answer) {
  if (!request.id) return;
  answers_.Record(*request.id, {answer.info.spec.name, answer.created});
}

absl::StatusOr<std::string> Session::NewName(
    const VariableRequest& wanted) const {
  if (names_.Full()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the session has used ", NameTable::kMaxNames, " names"));
  }
  if (!wanted.literal) {
    const std::string name = names_.Peek(wanted.name);
    RETURN_IF_ERROR(CheckOpName(name));
    return name;
  }
  if (declared_.contains(wanted.name)) return DuplicateName(wanted.name);
  return wanted.name;
}

absl::StatusOr<Declared> Session::DeclareNew(const VariableRequest& wanted,
                                             std::optional<std::string> op_name,
                                             const Request& request) {
  ASSIGN_OR_RETURN(VariableSpec spec, SpecOf(wanted));
  RETURN_IF_ERROR(collections_.CheckRoom(spec.collections.size()));
  if (op_name.has_value()) {
    spec.name = *op_name;
  } else {
    ASSIGN_OR_RETURN(spec.name, NewName(wanted));
  }
  const OpCost cost =
      InitializerOpCost(spec.initializer, spec.dtype, spec.shape,
                        wanted.is_get_variable, wanted.explicit_dtype);
  ResolveSpecSeeds(options_.graph_seed, ops_ + cost.seed_position, entropy_,
                   &spec);
  spec.creator = options_.creator;
  DeclareMutation mutation{.container = options_.container, .spec = spec};
  ASSIGN_OR_RETURN(Applied applied,
                   declarer_->Declare(Mutation(std::move(mutation)), request));
  ASSIGN_OR_RETURN(VariableInfo info,
                   declarer_->Find(options_.container, spec.name));
  if (applied.duplicate) {
    // Another session's answer: it was not compared with this spec.
    RETURN_IF_ERROR(CheckShared(spec.name, PartialShape(spec.shape), spec.dtype,
                                info.spec));
  }
  Adopt(wanted, spec.name, spec.collections);
  ops_ += cost.ops;
  return Declared{std::move(info), applied.created};
}

void Session::Adopt(const VariableRequest& wanted, const std::string& op_name,
                    const std::vector<std::string>& collections) {
  if (wanted.is_get_variable) keys_[wanted.name] = op_name;
  // A variable that was deleted in the container and declared again has its
  // place here.
  if (!declared_.insert(op_name).second) return;
  // The same name that Peek gave, or one that is used as it is.
  if (op_name == wanted.name) {
    names_.Use(op_name);
  } else {
    names_.Unique(wanted.name);
  }
  names_.MarkVariable(op_name, InitialValueOf(wanted));
  declarations_.push_back(op_name);
  collections_.Add(collections, op_name);
}

absl::StatusOr<Declared> Session::CreateVariable(const Scope& scope,
                                                 const VariableArguments& args,
                                                 const Request& request) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Declared> answered, Answered(request));
  if (answered.has_value()) return *std::move(answered);
  ASSIGN_OR_RETURN(VariableRequest wanted, ReadCreateVariable(scope, args));
  ASSIGN_OR_RETURN(Declared declared,
                   DeclareNew(wanted, std::nullopt, request));
  Remember(request, declared);
  return declared;
}

std::vector<std::string> Session::Collection(absl::string_view key) const {
  MutexLock lock(&mutex_);
  return collections_.List(key);
}

absl::StatusOr<VariableInfo> Session::AddToCollections(
    const std::vector<std::string>& keys, absl::string_view name,
    const Request& request) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(std::optional<Declared> answered, Answered(request));
  if (answered.has_value()) return std::move(answered->info);
  ASSIGN_OR_RETURN(VariableInfo info,
                   declarer_->Find(options_.container, StripOutput(name)));
  ASSIGN_OR_RETURN(std::vector<std::string> added,
                   CollectionsToAdd(keys, info.spec.collections));
  RETURN_IF_ERROR(collections_.CheckRoom(added.size()));
  AddToCollectionMutation mutation{
      .container = options_.container, .name = info.spec.name, .keys = added};
  RETURN_IF_ERROR(
      declarer_->Declare(Mutation(std::move(mutation)), request).status());
  ASSIGN_OR_RETURN(info, declarer_->Find(options_.container, info.spec.name));
  collections_.Add(added, info.spec.name);
  Remember(request, {info, false});
  return info;
}

std::vector<std::string> Session::Declarations() const {
  MutexLock lock(&mutex_);
  return declarations_;
}

}  // namespace varkeep
