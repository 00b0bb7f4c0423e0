// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CONFORMANCE_CHECKPOINT_STORE_SUITE_H_
#define VARKEEP_TESTS_CONFORMANCE_CHECKPOINT_STORE_SUITE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "storage/checkpoint_store.h"

namespace varkeep {

// An empty checkpoint store under test.
struct CheckpointStoreFixture {
  virtual ~CheckpointStoreFixture() = default;
  virtual storage::CheckpointStore& store() = 0;
};

using CheckpointStoreFixtureFactory =
    std::function<std::unique_ptr<CheckpointStoreFixture>()>;

// What every CheckpointStore promises. Instantiate it with a factory for each.
class CheckpointStoreSuite
    : public ::testing::TestWithParam<CheckpointStoreFixtureFactory> {
 protected:
  CheckpointStoreSuite() : fixture_(GetParam()()) {}
  storage::CheckpointStore& store() { return fixture_->store(); }

 private:
  const std::unique_ptr<CheckpointStoreFixture> fixture_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CONFORMANCE_CHECKPOINT_STORE_SUITE_H_
