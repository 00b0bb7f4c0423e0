// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/script.h"

#include <algorithm>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

// Three records of it do not fit in a segment of a Life.
constexpr int64_t kElements = 1200;

TensorRef Filled(float number) {
  return Of<float>({kElements}, std::vector<float>(kElements, number));
}

Mutation AssignTo(const std::string& name, TensorRef value) {
  return AssignMutation{"", name, std::move(value), {}, true};
}
Mutation AddTo(const std::string& name, TensorRef delta) {
  return UpdateMutation{"", name, UpdateOp::kAdd, std::move(delta), {}};
}

TransactionMutation Both(float number) {
  TransactionMutation both;
  both.operations = {
      AssignMutation{"", "v", Filled(number), {}, true},
      UpdateMutation{"", "w", UpdateOp::kSubtract, Filled(number), {}},
      ScatterMutation{"",
                      "v",
                      ScatterOp::kAdd,
                      false,
                      Of<int32_t>({2}, {3, 5}),
                      Of<float>({2}, {1, 2}),
                      {}}};
  return both;
}

// Values, versions and requests, but not the counter of all revisions.
bool SameContents(const StoreSnapshot& a, const StoreSnapshot& b) {
  return std::equal(
             a.variables.begin(), a.variables.end(), b.variables.begin(),
             b.variables.end(),
             [](const auto& x, const auto& y) {
               return x.info.spec.name == y.info.spec.name &&
                      x.info.container == y.info.container &&
                      x.info.version == y.info.version &&
                      x.info.declared == y.info.declared &&
                      x.info.run == y.info.run &&
                      x.info.spec.collections == y.info.spec.collections &&
                      (x.value == nullptr) == (y.value == nullptr) &&
                      (x.value == nullptr || BitwiseEqual(*x.value, *y.value));
             }) &&
         std::equal(a.requests.entries.begin(), a.requests.entries.end(),
                    b.requests.entries.begin(), b.requests.entries.end(),
                    [](const auto& x, const auto& y) {
                      return x.id == y.id && x.revision == y.revision;
                    });
}

}  // namespace

std::vector<std::optional<Mutation>> ScriptedRun() {
  const Shape shape({kElements});
  return {
      DeclareMutation{"", SpecOf("v", shape), false},
      DeclareMutation{"", RandomSpecOf("random", Shape({100})), false},
      InitializeMutation{"", {"v", "random"}, false},
      AssignTo("v", Filled(1)),
      AddTo("v", Filled(2)),
      std::nullopt,
      DeclareMutation{"", SpecOf("w", shape), false},
      AssignTo("w", Filled(3)),
      Both(4),
      AddTo("w", Filled(5)),
      std::nullopt,
      AddToCollectionMutation{"", "w", {"losses"}},
      DeleteMutation{"", "random"},
      AddTo("v", Filled(6)),
      DeclareMutation{"other", SpecOf("v", Shape({2})), false},
      std::nullopt,
      AddTo("w", Filled(7)),
      ResetContainerMutation{"other"},
      Both(8),
  };
}

RunResult RunScript(const std::vector<std::optional<Mutation>>& script,
                    std::unique_ptr<Life> life) {
  RunResult result;
  const Mutation* unknown = nullptr;
  Request unknown_request;
  uint64_t sequence = 0;
  result.states.push_back(life->store().Snapshot());
  for (const std::optional<Mutation>& step : script) {
    if (!step.has_value()) {
      if (life->Save().ok()) {
        result.saved = result.states.size() - 1;
      } else {
        ++result.failed;
      }
      continue;
    }
    const Request request(RequestId{1, ++sequence});
    const StoreSnapshot before = life->store().Snapshot();
    absl::Status status = life->Apply(*step, request).status();
    if (status.ok()) {
      result.states.push_back(life->store().Snapshot());
      continue;
    }
    ++result.failed;
    ExpectSameSnapshot(life->store().Snapshot(), before);
    if (absl::IsUnavailable(status) && unknown == nullptr) {
      unknown = &*step;
      unknown_request = request;
    }
  }
  life->LeaveDisk();
  result.acknowledged = life->store().Snapshot();
  if (unknown != nullptr &&
      life->store().Apply(*unknown, unknown_request).ok()) {
    result.or_else = life->store().Snapshot();
  }
  return result;
}

void ExpectPrefix(const RunResult& result, Life* life) {
  const StoreSnapshot found = life->store().Snapshot();
  const bool known = std::any_of(
      result.states.begin() + static_cast<int64_t>(result.saved),
      result.states.end(),
      [&](const StoreSnapshot& state) { return SameContents(found, state); });
  EXPECT_TRUE(known || (result.or_else && SameContents(found, *result.or_else)))
      << "revision " << found.revision << ", acknowledged "
      << result.acknowledged.revision << ", saved "
      << result.states[result.saved].revision;
}

void ExpectRecovered(const RunResult& result, Life* life) {
  const StoreSnapshot found = life->store().Snapshot();
  if (!result.or_else || !SameContents(found, *result.or_else)) {
    ExpectSameSnapshot(found, result.acknowledged);
  }
  absl::StatusOr<Applied> applied =
      life->Apply(DeclareMutation{"", SpecOf("next"), false});
  ASSERT_OK(applied);
  EXPECT_GT(applied->revision, result.acknowledged.revision);
}

}  // namespace varkeep
