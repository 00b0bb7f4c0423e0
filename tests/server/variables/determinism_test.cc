// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

// Makes random mutations, the same for the same seed. Many of them fail.
class Program {
 public:
  explicit Program(uint32_t seed) : random_(seed) {}

  struct Step {
    Mutation mutation;
    std::optional<RequestId> request;
  };

  Step Next() {
    Step step = {NextMutation(), {}};
    if (Below(3) == 0) step.request = RequestId{1 + Below(2), 1 + Below(20)};
    return step;
  }

 private:
  uint64_t Below(uint64_t end) { return random_() % end; }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }

  std::string Container() { return OneOf<std::string>({"", "", "c"}); }
  std::string Name() {
    return OneOf<std::string>({"a", "b", "a/b", "a-b", "b/c"});
  }
  DType Type() {
    return OneOf({DType::kFloat32, DType::kFloat32, DType::kBfloat16,
                  DType::kInt8, DType::kBool, DType::kComplex64});
  }
  Shape AnyShape() {
    return OneOf({Shape({3}), Shape({3}), Shape({3}), Shape({2, 2}),
                  Shape({3, 700}), Shape({0}), Shape()});
  }
  std::optional<Revision> Version() {
    if (Below(4) != 0) return std::nullopt;
    return Below(12);
  }

  std::shared_ptr<Tensor> Value() {
    const DType dtype = Type();
    std::shared_ptr<Tensor> value = *Tensor::Create(dtype, AnyShape());
    for (std::byte& byte : value->mutable_bytes()) {
      byte = static_cast<std::byte>(Below(dtype == DType::kBool ? 2 : 256));
    }
    return value;
  }

  InitializerSpec Initializer() {
    switch (Below(6)) {
      case 0:
        return OnesInitializer();
      case 1:
        return RandomNormalInitializer();
      case 2:
        return RandomUniformInitializer();
      case 3:
        return VarianceScalingInitializer();
      case 4:
        return OrthogonalInitializer();
      default:
        return ConstantInitializer{Value()};
    }
  }

  VariableSpec Spec() {
    VariableSpec spec = SpecOf(Name(), AnyShape(), Type(), Initializer());
    spec.seeds = {random_(), random_()};
    spec.collections = {OneOf<std::string>({"x", "y"})};
    return spec;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names(1 + Below(4));
    for (std::string& name : names) name = Name();
    return names;
  }

  RestoreMutation Restore() {
    RestoreMutation restore;
    for (const char* name : {"a", "b"}) {
      const TensorRef value = Value();
      VariableInfo info;
      info.container = Container();
      info.spec = SpecOf(name, value->shape(), value->dtype());
      info.run = Below(4);
      restore.items.push_back({info, Below(4) == 0 ? nullptr : value});
    }
    return restore;
  }

  Mutation NextMutation() {
    switch (Below(20)) {
      case 0:
        return DeleteMutation{Container(), Name()};
      case 1:
        if (Below(3) != 0) return Restore();
        return ResetContainerMutation{Container()};
      case 2:
        return AddToCollectionMutation{Container(), Name(), {"x", "z"}};
      case 3:
      case 4:
        return Restore();
      case 5:
      case 6:
      case 7:
      case 8:
        return AssignMutation{Container(), Name(), Value(), Version(),
                              Below(4) != 0};
      case 9:
      case 10:
      case 11:
        return UpdateMutation{Container(), Name(),
                              OneOf({UpdateOp::kAdd, UpdateOp::kSubtract}),
                              Value(), Version()};
      case 12:
      case 13:
      case 14:
      case 15:
        return InitializeMutation{Container(), Names(), Below(2) == 0};
      default:
        return DeclareMutation{Container(), Spec(), Below(4) == 0};
    }
  }

  std::mt19937 random_;
};

// What a client is told, in words.
std::string Answer(const absl::StatusOr<Applied>& applied) {
  if (!applied.ok()) return applied.status().ToString();
  std::string answer = std::to_string(applied->revision);
  if (applied->duplicate) answer += " duplicate";
  if (applied->created) answer += " created";
  for (const std::string& name : applied->names) answer += " " + name;
  return answer + " " + std::to_string(applied->count);
}

TEST(DeterminismTest, TheSameProgramGivesTheSameBits) {
  ThreadPool one(1);
  ThreadPool three(3);
  int64_t succeeded = 0;
  for (uint32_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    VariableStore a({20'000, 40'000}, &one);
    VariableStore b({20'000, 40'000}, &three);
    Program program(seed);
    // One store has readers, so that it updates copies and not in place.
    std::vector<StoreSnapshot> held;
    for (int i = 0; i < 40; ++i) {
      const Program::Step step = program.Next();
      const absl::StatusOr<Applied> applied =
          a.Apply(step.mutation, step.request);
      ASSERT_EQ(Answer(applied), Answer(b.Apply(step.mutation, step.request)));
      succeeded += applied.ok() ? 1 : 0;
      held.push_back(b.Snapshot());
    }

    ExpectSameSnapshot(a.Snapshot(), b.Snapshot());
    EXPECT_EQ(a.usage().value_bytes, b.usage().value_bytes);
    EXPECT_EQ(a.usage().uninitialized, b.usage().uninitialized);
    ASSERT_FALSE(HasFailure());
  }
  // The programs do something.
  EXPECT_GT(succeeded, 10'000);
}

TEST(DeterminismTest, WhatIsCountedIsWhatIsThere) {
  ThreadPool pool(2);
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    VariableStore store({20'000, 40'000}, &pool);
    Program program(seed);
    for (int i = 0; i < 40; ++i) {
      const Program::Step step = program.Next();
      store.Apply(step.mutation, step.request).IgnoreError();
      int64_t bytes = 0;
      int64_t uninitialized = 0;
      const StoreSnapshot snapshot = store.Snapshot();
      for (const StoreSnapshot::Variable& variable : snapshot.variables) {
        bytes += variable.value == nullptr ? 0 : variable.value->size_bytes();
        uninitialized += variable.value == nullptr ? 1 : 0;
        ASSERT_EQ(variable.info.initialized, variable.value != nullptr);
        ASSERT_LE(variable.info.version, snapshot.revision);
        if (variable.value != nullptr) {
          ASSERT_EQ(variable.info.spec.shape, variable.value->shape());
        }
      }
      const StoreUsage usage = store.usage();
      ASSERT_EQ(usage.variables,
                static_cast<int64_t>(snapshot.variables.size()));
      ASSERT_EQ(usage.value_bytes, bytes);
      ASSERT_EQ(usage.uninitialized, uninitialized);
      ASSERT_LE(bytes, 40'000);
    }
  }
}

}  // namespace
}  // namespace varkeep
