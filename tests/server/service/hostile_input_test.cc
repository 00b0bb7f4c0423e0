// SPDX-License-Identifier: Apache-2.0
//
// Requests that no honest client sends. Each gets a precise error, changes
// nothing, and leaves the connection and the server in order.
#include <gmock/gmock.h>

#include <limits>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;
using Stub = v1::VariableService::Stub;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class HostileInputTest : public ::testing::Test {
 protected:
  absl::Status Get(const v1::GetVariableRequest& request) {
    return Stubs::Call(stubs_.variables.get(), &Stub::GetVariable, request)
        .status();
  }

  static v1::GetVariableRequest Request(const std::string& name) {
    v1::GetVariableRequest request;
    request.mutable_variable()->set_name(name);
    request.mutable_variable()->mutable_shape()->add_dims(2);
    return request;
  }

  void TearDown() override {
    EXPECT_OK(stubs_.Declare("fine", {1})) << "the server serves on";
    ASSERT_OK_AND_ASSIGN(
        v1::StatusResponse status,
        Stubs::Call(stubs_.admin.get(), &v1::AdminService::Stub::Status,
                    v1::StatusRequest()));
    EXPECT_EQ(status.variables(), 1) << "nothing else was declared";
  }

  InProcessServer server_{
      [](ServerOptions* options) { options->max_variable_bytes = 1 << 20; }};
  Stubs stubs_{server_};
};

TEST_F(HostileInputTest, NamesThatAreNotNames) {
  EXPECT_THAT(Get(Request("")), StatusIs(kInvalid, HasSubstr("name")));
  for (const char* name : {"a b", "x:1", "_x", "a\nb", "\x01", "ü", "a\\b"}) {
    EXPECT_THAT(Get(Request(name)).code(), kInvalid) << name;
  }
}

TEST_F(HostileInputTest, ANameOfAMegabyteAndOneOfAHundred) {
  absl::Status status = Get(Request(std::string(1 << 20, 'a')));
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_LT(status.message().size(), 1100u);
  EXPECT_EQ(Get(Request(std::string(100 << 20, 'a'))).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(HostileInputTest, ShapesThatCannotBe) {
  v1::GetVariableRequest request = Request("v");
  request.mutable_variable()->mutable_shape()->set_dims(0, -7);
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("-7")));
  request.mutable_variable()->mutable_shape()->set_dims(
      0, std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("2^63")));
  request.mutable_variable()->mutable_shape()->set_dims(0, 1);
  for (int i = 0; i < 100000; ++i) {
    request.mutable_variable()->mutable_shape()->add_dims(1);
  }
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("rank 100001")));
}

TEST_F(HostileInputTest, LargerThanTheLargestVariable) {
  v1::GetVariableRequest request = Request("v");
  request.mutable_variable()->mutable_shape()->set_dims(0, 1 << 20);
  EXPECT_THAT(Get(request),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("4194304 bytes"),
                             HasSubstr("the largest variable has 1048576"))));
}

TEST_F(HostileInputTest, UnknownEnumValues) {
  v1::GetVariableRequest request = Request("v");
  request.mutable_variable()->set_dtype(static_cast<v1::DType>(4711));
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("4711")));
  request = Request("v");
  request.mutable_scope()->set_reuse(static_cast<v1::Reuse>(9));
  EXPECT_THAT(Get(request),
              StatusIs(kInvalid, HasSubstr("The reuse parameter must be True "
                                           "or False or None.")));
  request = Request("v");
  request.mutable_variable()->set_synchronization(
      static_cast<v1::Synchronization>(8));
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("synchronization")));
}

TEST_F(HostileInputTest, InitializersThatCannotRun) {
  v1::GetVariableRequest request = Request("v");
  v1::Initializer* initializer =
      request.mutable_variable()->mutable_initializer();
  initializer->mutable_random_normal()->set_stddev(
      std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("stddev")));
  initializer->mutable_variance_scaling()->set_scale(0);
  EXPECT_THAT(Get(request),
              StatusIs(kInvalid, HasSubstr("`scale` must be positive float")));
  initializer->mutable_variance_scaling()->set_scale(1);
  initializer->mutable_variance_scaling()->set_mode("x");
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("mode")));
  v1::Tensor* value = initializer->mutable_constant()->mutable_value();
  value->set_dtype(v1::DTYPE_INT64);
  value->set_data("1234567");
  EXPECT_EQ(Get(request).code(), kInvalid);
}

TEST_F(HostileInputTest, CollectionsThatAreNotTexts) {
  v1::GetVariableRequest request = Request("v");
  request.mutable_variable()->mutable_collections()->add_keys("");
  EXPECT_EQ(Get(request).code(), kInvalid);
  for (int i = 0; i < 1000; ++i) {
    request.mutable_variable()->mutable_collections()->add_keys(
        "k" + std::to_string(i));
  }
  EXPECT_EQ(Get(request).code(), kInvalid);
}

TEST_F(HostileInputTest, RequestIdsWithoutAClient) {
  v1::GetVariableRequest request = Request("v");
  request.mutable_request_id()->set_sequence(1);
  EXPECT_THAT(Get(request), StatusIs(kInvalid, HasSubstr("request id")));
}

TEST_F(HostileInputTest, SessionsThatDoNotExist) {
  v1::GetVariableRequest request = Request("v");
  request.set_session_id("nope");
  EXPECT_THAT(Get(request), StatusIs(absl::StatusCode::kAborted,
                                     "Session nope is not found."));
}

TEST_F(HostileInputTest, ScopeFiltersThatAreNoExpressions) {
  v1::GetCollectionRequest request;
  request.set_key("variables");
  request.set_scope("(((");
  EXPECT_THAT(
      Stubs::Call(stubs_.variables.get(), &Stub::GetCollection, request),
      StatusIs(kInvalid, HasSubstr("'((('")));
}

}  // namespace
}  // namespace varkeep
