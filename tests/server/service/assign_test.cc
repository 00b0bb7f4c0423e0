// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class AssignTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(stubs_.Declare("w", {2}));
    ASSERT_OK(stubs_.Assign({message_}));
  }

  void ExpectUnchanged() {
    EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(1, 2)));
  }

  InProcessServer server_;
  Stubs stubs_{server_};
  v1::AssignRequest message_ = AssignMessage("w", *Of<float>({2}, {1, 2}));
};

TEST_F(AssignTest, TheHeaderMustComeFirstAndOnce) {
  v1::AssignRequest data;
  data.set_data("12345678");
  EXPECT_THAT(stubs_.Assign({data}), StatusIs(kInvalid, HasSubstr("header")));
  EXPECT_THAT(stubs_.Assign({}), StatusIs(kInvalid, HasSubstr("message")));
  v1::AssignRequest half = message_;
  half.mutable_data()->resize(4);
  EXPECT_THAT(stubs_.Assign({half, half}),
              StatusIs(kInvalid, HasSubstr("later message")));
  ExpectUnchanged();
}

TEST_F(AssignTest, TooFewAndTooManyBytesAreRefused) {
  v1::AssignRequest less = message_;
  less.mutable_data()->resize(7);
  EXPECT_THAT(stubs_.Assign({less}),
              StatusIs(kInvalid, HasSubstr("has 8 bytes, but 7 were sent")));
  v1::AssignRequest more;
  more.set_data("x");
  EXPECT_THAT(stubs_.Assign({message_, more}),
              StatusIs(kInvalid, HasSubstr("but more were sent")));
  ExpectUnchanged();
}

TEST_F(AssignTest, AnotherDTypeOrShapeNamesBothSides) {
  EXPECT_THAT(stubs_.Assign({AssignMessage("w", *Of<int32_t>({2}, {1, 2}))}),
              StatusIs(kInvalid, HasSubstr("type int32 that does not match "
                                           "type float32")));
  EXPECT_THAT(stubs_.Assign({AssignMessage("w", *Of<float>({3}, {1, 2, 3}))}),
              StatusIs(kInvalid, HasSubstr("lhs shape= [2] rhs shape= [3]")));
  ExpectUnchanged();
}

TEST_F(AssignTest, UnknownDTypeAndImpossibleShapesAreRefused) {
  v1::AssignRequest wrong = message_;
  wrong.mutable_header()->set_dtype(static_cast<v1::DType>(999));
  EXPECT_THAT(stubs_.Assign({wrong}), StatusIs(kInvalid, HasSubstr("999")));
  wrong = message_;
  wrong.mutable_header()->mutable_shape()->set_dims(0, -2);
  EXPECT_THAT(stubs_.Assign({wrong}), StatusIs(kInvalid, HasSubstr("-2")));
  for (int i = 0; i < 5; ++i) {
    wrong.mutable_header()->mutable_shape()->set_dims(0, int64_t{1} << 40);
    wrong.mutable_header()->mutable_shape()->add_dims(int64_t{1} << 40);
  }
  EXPECT_THAT(stubs_.Assign({wrong}), StatusIs(kInvalid, HasSubstr("2^63")));
  ExpectUnchanged();
}

TEST_F(AssignTest, AHeaderThatPromisesTooMuchIsRefusedBeforeItsBytes) {
  v1::AssignRequest huge = message_;
  huge.mutable_header()->set_validate_shape(false);
  huge.mutable_header()->mutable_shape()->set_dims(0, int64_t{1} << 40);
  EXPECT_THAT(stubs_.Assign({huge}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("the largest variable")));
  ExpectUnchanged();
}

TEST_F(AssignTest, ACancelledUploadChangesNothing) {
  grpc::ClientContext context;
  v1::AssignResponse response;
  auto writer = stubs_.variables->Assign(&context, &response);
  v1::AssignRequest half = message_;
  half.mutable_data()->resize(4);
  ASSERT_TRUE(writer->Write(half));
  context.TryCancel();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectUnchanged();
}

TEST_F(AssignTest, AWrongExpectedVersionNamesBothVersions) {
  message_.mutable_header()->set_expected_version(777);
  EXPECT_THAT(stubs_.Assign({message_}),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("the request expects version 777")));
}

TEST_F(AssignTest, ARepeatedRequestIdIsAppliedOnce) {
  v1::AssignRequest add = AssignMessage("w", *Of<float>({2}, {10, 10}));
  add.mutable_header()->mutable_request_id()->set_client(42);
  add.mutable_header()->mutable_request_id()->set_sequence(1);
  uint64_t version = 0;
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    v1::AssignResponse response;
    auto writer = stubs_.variables->AssignAdd(&context, &response);
    writer->Write(add);
    writer->WritesDone();
    ASSERT_TRUE(writer->Finish().ok());
    EXPECT_EQ(response.duplicate(), i > 0);
    if (i == 0) version = response.version();
    EXPECT_EQ(response.version(), version);
  }
  EXPECT_THAT(stubs_.ReadFloats("w"), IsOkAndHolds(ElementsAre(11, 12)));

  // The window is durable: a retry after a restart is known, too.
  server_.Restart();
  Stubs again(server_);
  grpc::ClientContext context;
  v1::AssignResponse response;
  auto writer = again.variables->AssignAdd(&context, &response);
  writer->Write(add);
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(response.duplicate());
  EXPECT_EQ(response.version(), version);
  EXPECT_THAT(again.ReadFloats("w"), IsOkAndHolds(ElementsAre(11, 12)));
}

TEST_F(AssignTest, AValueOfManyMessagesArrivesWhole) {
  const int64_t elements = 5'000'000;
  std::vector<float> values(elements);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 1000);
  }
  ASSERT_OK(stubs_.Declare("big", {elements}));
  v1::AssignRequest whole =
      AssignMessage("big", *Of<float>({elements}, values));
  std::vector<v1::AssignRequest> messages(1);
  *messages[0].mutable_header() = whole.header();
  constexpr size_t kPiece = 3'000'001;
  for (size_t at = 0; at < whole.data().size(); at += kPiece) {
    messages.emplace_back();
    messages.back().set_data(whole.data().substr(at, kPiece));
  }
  ASSERT_OK(stubs_.Assign(messages));
  ASSERT_OK_AND_ASSIGN(std::vector<float> read, stubs_.ReadFloats("big"));
  EXPECT_TRUE(read == values);
}

}  // namespace
}  // namespace varkeep
