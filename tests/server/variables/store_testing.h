// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_VARIABLES_STORE_TESTING_H_
#define VARKEEP_TESTS_SERVER_VARIABLES_STORE_TESTING_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "server/variables/variable_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {

// A variable of float32 zeros unless told otherwise.
inline VariableSpec SpecOf(std::string name, const Shape& shape = {},
                           DType dtype = DType::kFloat32,
                           InitializerSpec initializer = ZerosInitializer()) {
  VariableSpec spec;
  spec.name = std::move(name);
  spec.dtype = dtype;
  spec.shape = shape;
  spec.initializer = std::move(initializer);
  return spec;
}

// Draws standard normal numbers.
inline VariableSpec RandomSpecOf(std::string name, const Shape& shape,
                                 uint64_t seed = 7) {
  VariableSpec spec = SpecOf(std::move(name), shape, DType::kFloat32,
                             RandomNormalInitializer());
  spec.seeds = {seed, seed + 1};
  return spec;
}

// The mutations in one line each, for the default container.
inline absl::StatusOr<Applied> Declare(VariableStore& store,
                                       const VariableSpec& spec,
                                       const std::string& container = "") {
  return store.Apply(DeclareMutation{container, spec, false});
}
inline absl::StatusOr<Applied> Initialize(VariableStore& store,
                                          const std::vector<std::string>& names,
                                          bool force = false) {
  return store.Apply(InitializeMutation{"", names, force});
}
inline absl::StatusOr<Applied> Assign(
    VariableStore& store, const std::string& name, TensorRef value,
    std::optional<Revision> expected_version = {}) {
  return store.Apply(
      AssignMutation{"", name, std::move(value), expected_version, true});
}
inline absl::StatusOr<Applied> Add(
    VariableStore& store, const std::string& name, TensorRef operand,
    std::optional<Revision> expected_version = {}) {
  return store.Apply(UpdateMutation{"", name, UpdateOp::kAdd,
                                    std::move(operand), expected_version});
}
// Adds a number to both columns of a row.
inline ScatterMutation AddToRow(const std::string& name, int64_t row,
                                float value) {
  return {"",
          name,
          ScatterOp::kAdd,
          /*nd=*/false,
          Of<int64_t>({1}, {row}),
          Of<float>({1, 2}, {value, value}),
          {}};
}
inline absl::StatusOr<Applied> Delete(VariableStore& store,
                                      const std::string& name) {
  return store.Apply(DeleteMutation{"", name});
}

// Declares a variable of the value's dtype and shape and assigns the value.
inline void Put(VariableStore& store, const std::string& name, TensorRef value,
                const std::string& container = "") {
  ASSERT_OK(
      Declare(store, SpecOf(name, value->shape(), value->dtype()), container));
  ASSERT_OK(
      store.Apply(AssignMutation{container, name, std::move(value), {}, true}));
}

// All of a value, also where it has an overlay.
inline TensorRef WholeOf(const TensorRef& value,
                         const std::shared_ptr<const TensorOverlay>& overlay) {
  if (overlay == nullptr) return value;
  return *TensorView(*value, overlay.get()).Copy();
}

// The value; null and a failed test when there is none.
inline TensorRef ValueOf(const VariableStore& store, const std::string& name,
                         const std::string& container = "") {
  absl::StatusOr<VersionedValue> read = store.Read(container, name);
  EXPECT_OK(read);
  return read.ok() ? WholeOf(read->value, read->overlay) : nullptr;
}

// Everything of two snapshots is equal, bit by bit.
inline void ExpectSameVariable(const VariableInfo& a, const VariableInfo& b) {
  EXPECT_EQ(a.container, b.container);
  EXPECT_EQ(a.spec.name, b.spec.name);
  EXPECT_EQ(a.spec.dtype, b.spec.dtype);
  EXPECT_EQ(a.spec.shape, b.spec.shape);
  EXPECT_EQ(a.spec.trainable, b.spec.trainable);
  EXPECT_EQ(a.spec.collections, b.spec.collections);
  EXPECT_EQ(InitializerToJson(a.spec.initializer),
            InitializerToJson(b.spec.initializer));
  TensorRef value = InitializerValue(a.spec.initializer);
  ASSERT_EQ(value == nullptr, InitializerValue(b.spec.initializer) == nullptr);
  if (value != nullptr) {
    EXPECT_THAT(value, TensorEq(InitializerValue(b.spec.initializer)));
  }
  EXPECT_EQ(a.spec.seeds.seed, b.spec.seeds.seed);
  EXPECT_EQ(a.spec.seeds.seed2, b.spec.seeds.seed2);
  EXPECT_EQ(a.spec.regularizer, b.spec.regularizer);
  EXPECT_EQ(a.spec.caching_device, b.spec.caching_device);
  EXPECT_EQ(a.spec.constraint, b.spec.constraint);
  EXPECT_EQ(a.spec.creator, b.spec.creator);
  EXPECT_EQ(a.initialized, b.initialized);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.declared, b.declared);
  EXPECT_EQ(a.run, b.run);
}

inline void ExpectSameSnapshot(const StoreSnapshot& a, const StoreSnapshot& b) {
  EXPECT_EQ(a.revision, b.revision);
  ASSERT_EQ(a.variables.size(), b.variables.size());
  for (size_t i = 0; i < a.variables.size(); ++i) {
    SCOPED_TRACE(a.variables[i].info.spec.name);
    ExpectSameVariable(a.variables[i].info, b.variables[i].info);
    ASSERT_EQ(a.variables[i].value == nullptr, b.variables[i].value == nullptr);
    if (a.variables[i].value != nullptr) {
      EXPECT_THAT(
          WholeOf(a.variables[i].value, a.variables[i].overlay),
          TensorEq(WholeOf(b.variables[i].value, b.variables[i].overlay)));
    }
  }
  EXPECT_EQ(a.requests.forgotten, b.requests.forgotten);
  ASSERT_EQ(a.requests.entries.size(), b.requests.entries.size());
  for (size_t i = 0; i < a.requests.entries.size(); ++i) {
    EXPECT_EQ(a.requests.entries[i].id.client, b.requests.entries[i].id.client);
    EXPECT_EQ(a.requests.entries[i].id.sequence,
              b.requests.entries[i].id.sequence);
    EXPECT_EQ(a.requests.entries[i].revision, b.requests.entries[i].revision);
  }
}

// A store with two threads for initializers.
class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(const StoreLimits& limits = {}) : store_(limits, &pool_) {}

  ThreadPool pool_{2};
  VariableStore store_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_VARIABLES_STORE_TESTING_H_
