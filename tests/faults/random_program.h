// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FAULTS_RANDOM_PROGRAM_H_
#define VARKEEP_TESTS_FAULTS_RANDOM_PROGRAM_H_

#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/memory_file_system.h"
#include "tests/faults/life.h"
#include "tests/server/variables/store_testing.h"

namespace varkeep {

// Draws changes of few variables, so that they often meet; some are refused.
class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {}

  Mutation Next() {
    switch (Below(12)) {
      case 0:
        return DeclareMutation{Container(), Spec(), Below(4) == 0};
      case 1:
        return InitializeMutation{"", {Name(), Name()}, Below(2) == 0};
      case 2:
      case 3:
        return Assign();
      case 4:
        return Scatter();
      case 5:
      case 6:
        return Transaction();
      case 7:
        return Below(3) == 0 ? Mutation(DeleteMutation{"", Name()})
                             : Mutation(Update());
      case 8:
        if (Below(8) == 0) return ResetContainerMutation{Container()};
        return AddToCollectionMutation{"", Name(), {"a", "b"}};
      default:
        return Update();
    }
  }
  // Now and then the id of an earlier request.
  Request NextRequest() {
    if (Below(3) == 0) return {};
    if (Below(8) == 0 && sequence_ > 1) {
      return RequestId{1, 1 + Below(static_cast<uint32_t>(sequence_))};
    }
    return RequestId{1 + Below(3), ++sequence_};
  }
  uint32_t Below(uint32_t limit) {
    return static_cast<uint32_t>(random_()) % limit;
  }

 private:
  std::string Name() { return absl::StrCat("v", Below(5)); }
  std::string Container() { return Below(5) == 0 ? "other" : ""; }
  Shape SomeShape() { return Below(4) == 0 ? Shape({3, 2}) : Shape({6}); }
  TensorRef Value() {
    std::vector<float> values(6);
    // Not exact in binary: the order of additions shows in the last bits.
    for (float& value : values) value = static_cast<float>(Below(1000)) / 7;
    return Of<float>(SomeShape(), values);
  }
  VariableSpec Spec() {
    return Below(2) == 0 ? RandomSpecOf(Name(), SomeShape(), Below(1000))
                         : SpecOf(Name(), SomeShape(), DType::kFloat32,
                                  OnesInitializer());
  }
  AssignMutation Assign() { return {"", Name(), Value(), {}, Below(2) == 0}; }
  UpdateMutation Update() {
    return {"",
            Name(),
            Below(2) == 0 ? UpdateOp::kAdd : UpdateOp::kSubtract,
            Value(),
            {}};
  }
  ScatterMutation Scatter() {
    return {"",
            Name(),
            Below(2) == 0 ? ScatterOp::kAdd : ScatterOp::kUpdate,
            false,
            Of<int32_t>({2}, {static_cast<int32_t>(Below(6)),
                              static_cast<int32_t>(Below(6))}),
            Of<float>({2}, {1.1f, 2.2f}),
            {}};
  }
  TransactionMutation Transaction() {
    TransactionMutation transaction;
    transaction.operations = {Assign(), Update(), Scatter()};
    return transaction;
  }

  std::mt19937 random_;
  uint64_t sequence_ = 0;
};

inline LifeOptions Unsynced() {
  LifeOptions options;
  options.durability = Durability::kNone;
  return options;
}

inline std::unique_ptr<Life> BeginLife(storage::MemoryFileSystem* disk) {
  absl::StatusOr<std::unique_ptr<Life>> life = Life::Begin(disk, Unsynced());
  EXPECT_OK(life);
  return life.ok() ? *std::move(life) : nullptr;
}

// Changes that took effect.
inline int DoSome(int count, RandomProgram* program, Life* life) {
  int done = 0;
  for (int i = 0; i < count; ++i) {
    const Mutation mutation = program->Next();
    if (life->Apply(mutation, program->NextRequest()).ok()) ++done;
  }
  return done;
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_FAULTS_RANDOM_PROGRAM_H_
