// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/sessionless.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/scopes/variable_request.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

// The container that a call without a session is about.
class Target {
 public:
  Target(Declarer* declarer, absl::string_view container,
         const Request& request)
      : declarer_(declarer), container_(container), request_(request) {}

  absl::StatusOr<std::optional<VariableInfo>> Find(absl::string_view name) {
    absl::StatusOr<VariableInfo> info = declarer_->Find(container_, name);
    if (absl::IsNotFound(info.status())) return std::nullopt;
    if (!info.ok()) return info.status();
    return *std::move(info);
  }

  absl::StatusOr<Applied> Declare(const VariableSpec& spec, bool must_create) {
    return declarer_->Declare(
        Mutation(DeclareMutation{std::string(container_), spec, must_create}),
        request_);
  }

  // What Declare made or attached to.
  absl::StatusOr<Declared> Result(absl::string_view name, bool created) {
    ASSIGN_OR_RETURN(VariableInfo info, declarer_->Find(container_, name));
    return Declared{std::move(info), created};
  }

 private:
  Declarer* const declarer_;
  const absl::string_view container_;
  const Request& request_;
};

absl::StatusOr<VariableSpec> SeededSpecOf(
    const VariableRequest& wanted, const std::function<uint64_t()>& entropy) {
  ASSIGN_OR_RETURN(VariableSpec spec, SpecOf(wanted));
  ResolveSpecSeeds(std::nullopt, 0, entropy, &spec);
  return spec;
}

// reuse=False. The container decides in one step, so that of two callers one
// gets the error.
absl::StatusOr<Declared> GetNew(const VariableRequest& wanted,
                                const std::function<uint64_t()>& entropy,
                                Target* target) {
  absl::StatusOr<VariableSpec> spec = SeededSpecOf(wanted, entropy);
  if (!spec.ok()) {
    // That it exists comes before what creating it lacks.
    ASSIGN_OR_RETURN(std::optional<VariableInfo> found,
                     target->Find(wanted.name));
    return found.has_value() ? AlreadyExists(wanted.name) : spec.status();
  }
  absl::StatusOr<Applied> applied = target->Declare(*spec, true);
  if (absl::IsAlreadyExists(applied.status())) {
    return AlreadyExists(wanted.name);
  }
  if (!applied.ok()) return applied.status();
  return target->Result(wanted.name, true);
}

// "w", "w_1", ...: names that were seen in the container while looking for a
// free one.
class FreeName {
 public:
  FreeName(std::string base, Target* target)
      : base_(std::move(base)), target_(target) {}

  std::string At(uint64_t i) const {
    return i == 0 ? base_ : absl::StrCat(base_, "_", i);
  }

  // The index of a free name behind a used one, or 0. Looks at few names
  // however many are used; where names in between were deleted it may not find
  // the first.
  absl::StatusOr<uint64_t> Find(uint64_t used_below) {
    uint64_t used = used_below;  // indexes below `used` count as used
    uint64_t free = used;
    for (uint64_t step = 1;; step *= 2) {
      ASSIGN_OR_RETURN(bool is_used, IsUsed(free));
      if (!is_used) break;
      used = free + 1;
      free = used + step - 1;
    }
    while (used < free) {
      const uint64_t middle = used + (free - used) / 2;
      ASSIGN_OR_RETURN(bool is_used, IsUsed(middle));
      if (is_used) {
        used = middle + 1;
      } else {
        free = middle;
      }
    }
    return free;
  }

  // The variable that the commit `revision` declared, among the names below
  // `end`.
  absl::StatusOr<Declared> DeclaredAt(Revision revision, uint64_t end) {
    for (uint64_t i = 0; i < end; ++i) {
      ASSIGN_OR_RETURN(std::optional<VariableInfo> info, target_->Find(At(i)));
      if (info.has_value() && info->declared == revision) {
        return Declared{*std::move(info), true};
      }
    }
    return absl::NotFoundError(absl::StrCat(
        "the variable that this request declared at revision ", revision,
        " as '", Shorten(base_), "' cannot be found any more"));
  }

 private:
  absl::StatusOr<bool> IsUsed(uint64_t i) {
    ASSIGN_OR_RETURN(std::optional<VariableInfo> info, target_->Find(At(i)));
    return info.has_value();
  }

  const std::string base_;
  Target* const target_;
};

// A name that is taken as it is.
absl::StatusOr<Declared> CreateLiteral(const VariableSpec& spec,
                                       Target* target) {
  absl::StatusOr<Applied> applied = target->Declare(spec, true);
  if (absl::IsAlreadyExists(applied.status())) return DuplicateName(spec.name);
  if (!applied.ok()) return applied.status();
  return target->Result(spec.name, true);
}

}  // namespace

absl::StatusOr<Declared> GetVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const Request& request,
    const std::function<uint64_t()>& entropy) {
  RETURN_IF_ERROR(CheckContainerName(container));
  ASSIGN_OR_RETURN(VariableRequest wanted, ReadGetVariable(scope, args));
  Target target(declarer, container, request);
  if (scope.reuse == Reuse::kCreate) return GetNew(wanted, entropy, &target);

  ASSIGN_OR_RETURN(std::optional<VariableInfo> found, target.Find(wanted.name));
  if (found.has_value()) {
    RETURN_IF_ERROR(
        scope.reuse == Reuse::kReuse
            ? CheckShared(wanted.name, wanted.shape, wanted.dtype, found->spec)
            : CheckShared(wanted, found->spec));
    return Declared{*std::move(found), false};
  }
  if (scope.reuse == Reuse::kReuse) return DoesNotExist(wanted.name);
  ASSIGN_OR_RETURN(VariableSpec spec, SeededSpecOf(wanted, entropy));
  ASSIGN_OR_RETURN(Applied applied, target.Declare(spec, false));
  return target.Result(spec.name, applied.created);
}

absl::StatusOr<Declared> CreateVariableWithoutSession(
    Declarer* declarer, absl::string_view container, const Scope& scope,
    const VariableArguments& args, const Request& request,
    const std::function<uint64_t()>& entropy) {
  RETURN_IF_ERROR(CheckContainerName(container));
  ASSIGN_OR_RETURN(VariableRequest wanted, ReadCreateVariable(scope, args));
  ASSIGN_OR_RETURN(VariableSpec spec, SeededSpecOf(wanted, entropy));
  Target target(declarer, container, request);
  if (wanted.literal) return CreateLiteral(spec, &target);

  FreeName names(spec.name, &target);
  for (uint64_t used_below = 0;;) {
    ASSIGN_OR_RETURN(const uint64_t i, names.Find(used_below));
    spec.name = names.At(i);
    RETURN_IF_ERROR(CheckOpName(spec.name));
    absl::StatusOr<Applied> applied = target.Declare(spec, true);
    if (applied.ok()) {
      return applied->duplicate ? names.DeclaredAt(applied->revision, i)
                                : target.Result(spec.name, true);
    }
    if (!absl::IsAlreadyExists(applied.status())) return applied.status();
    used_below = i + 1;  // another caller took it
  }
}

absl::StatusOr<VariableInfo> AddToCollectionsWithoutSession(
    Declarer* declarer, const std::string& container,
    const std::vector<std::string>& keys, const std::string& name,
    const Request& request) {
  for (const std::string& key : keys) RETURN_IF_ERROR(CheckCollectionKey(key));
  RETURN_IF_ERROR(
      declarer->Declare(AddToCollectionMutation{container, name, keys}, request)
          .status());
  return declarer->Find(container, name);
}

}  // namespace varkeep
