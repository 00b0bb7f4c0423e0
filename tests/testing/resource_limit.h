// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_RESOURCE_LIMIT_H_
#define VARKEEP_TESTS_TESTING_RESOURCE_LIMIT_H_

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace varkeep {

// A limit of this process while it lives.
class ResourceLimit {
 public:
  ResourceLimit(__rlimit_resource resource, rlim_t limit)
      : resource_(resource) {
    EXPECT_EQ(::getrlimit(resource_, &before_), 0);
    const rlimit now{limit, before_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &now), 0);
  }
  ~ResourceLimit() { ::setrlimit(resource_, &before_); }
  ResourceLimit(const ResourceLimit&) = delete;
  ResourceLimit& operator=(const ResourceLimit&) = delete;

 private:
  const __rlimit_resource resource_;
  rlimit before_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_TESTING_RESOURCE_LIMIT_H_
