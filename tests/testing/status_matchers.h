// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_TESTING_STATUS_MATCHERS_H_
#define VARKEEP_TESTS_TESTING_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varkeep {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// EXPECT_THAT(status_or_status_or, IsOk())
MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// EXPECT_THAT(f(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'w'")))
MATCHER_P2(StatusIs, code, message_matcher, "has the code and message") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         ::testing::Matches(message_matcher)(std::string(status.message()));
}

// EXPECT_THAT(f(), IsOkAndHolds(Eq(3)))
MATCHER_P(IsOkAndHolds, value_matcher, "is OK and holds a value that matches") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value_matcher, *arg, result_listener);
}

}  // namespace varkeep

#define ASSERT_OK(expression) ASSERT_THAT(expression, ::varkeep::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT(expression, ::varkeep::IsOk())

// ASSERT_OK_AND_ASSIGN(auto x, F()): fails the test when F() is an error.
#define ASSERT_OK_AND_ASSIGN(declaration, expression)                         \
  ASSERT_OK_AND_ASSIGN_(VARKEEP_TEST_CONCAT_(result_, __LINE__), declaration, \
                        expression)
#define ASSERT_OK_AND_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                                  \
  ASSERT_TRUE(result.ok()) << result.status();                 \
  declaration = *std::move(result)
#define VARKEEP_TEST_CONCAT_(a, b) VARKEEP_TEST_CONCAT_INNER_(a, b)
#define VARKEEP_TEST_CONCAT_INNER_(a, b) a##b

#endif  // VARKEEP_TESTS_TESTING_STATUS_MATCHERS_H_
