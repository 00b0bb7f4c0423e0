// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadValuesTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const Tensor& tensor) {
    ASSERT_OK(stubs_.Declare(name, tensor.shape()));
    ASSERT_OK(stubs_.Assign({AssignMessage(name, tensor)}));
  }

  absl::StatusOr<v1::ReadValuesResponse> ReadOne(
      const v1::ReadValueRequest& request) {
    grpc::ClientContext context;
    auto reader = stubs_.variables->ReadValue(&context, request);
    v1::ReadValuesResponse message;
    reader->Read(&message);
    grpc::Status status = reader->Finish();
    if (!status.ok()) return FromGrpc(status);
    return message;
  }

  InProcessServer server_;
  Stubs stubs_{server_};
};

TEST_F(ReadValuesTest, ManyValuesComeInTheOrderAskedFor) {
  Put("a", *Of<float>({2}, {1, 2}));
  Put("b/c", *Of<float>({}, {3}));
  ASSERT_OK_AND_ASSIGN(auto messages, stubs_.Read({"b/c:0", "a", "b/c"}));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].headers_size(), 3);
  EXPECT_EQ(messages[0].headers(0).name(), "b/c");
  EXPECT_GE(messages[0].revision(), messages[0].headers(0).version());
  EXPECT_EQ(messages[0].data().size(), 16u);
}

TEST_F(ReadValuesTest, ASliceIsABoxOfTheValue) {
  Put("m", *Of<float>({2, 3}, {0, 1, 2, 3, 4, 5}));
  v1::ReadValueRequest request;
  request.set_name("m");
  SliceToProto({{0, 1}, {2, -1}}, request.mutable_slice());
  ASSERT_OK_AND_ASSIGN(auto message, ReadOne(request));
  EXPECT_THAT(message.headers(0).shape().dims(), ElementsAre(2, 2));
  const float* data = reinterpret_cast<const float*>(message.data().data());
  EXPECT_THAT(std::vector<float>(data, data + 4), ElementsAre(1, 2, 4, 5));

  SliceToProto({{0, 1}, {2, 3}}, request.mutable_slice());
  EXPECT_THAT(ReadOne(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("reaches outside shape [2,3]")));
}

TEST_F(ReadValuesTest, OnlyWhatIsNewerIsSent) {
  Put("a", *Of<float>({2}, {1, 2}));
  v1::ReadValueRequest request;
  request.set_name("a");
  ASSERT_OK_AND_ASSIGN(auto first, ReadOne(request));
  request.set_if_newer_than(first.headers(0).version());
  ASSERT_OK_AND_ASSIGN(auto again, ReadOne(request));
  EXPECT_TRUE(again.headers(0).not_modified());
  EXPECT_EQ(again.data(), "");
  ASSERT_OK(stubs_.Assign({AssignMessage("a", *Of<float>({2}, {5, 6}))}));
  ASSERT_OK_AND_ASSIGN(auto changed, ReadOne(request));
  EXPECT_FALSE(changed.headers(0).not_modified());
  EXPECT_EQ(changed.data().size(), 8u);
}

TEST_F(ReadValuesTest, MissingAndUninitializedAreNamed) {
  ASSERT_OK(stubs_.Declare("foo/v", {2}));
  EXPECT_THAT(stubs_.Read({"foo/v"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "Attempting to use uninitialized value foo/v"));
  EXPECT_THAT(stubs_.Read({"nope"}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'nope'")));
}

}  // namespace
}  // namespace varkeep
