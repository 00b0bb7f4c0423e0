// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/server/service/calls.h"
#include "varkeep/v1/call_service.grpc.pb.h"

namespace varkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// A stream of Calls, as any gRPC client can open one.
class Caller {
 public:
  explicit Caller(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::CallService::NewStub(channel)),
        stream_(stub_->Calls(&context_)) {}
  // The process that ends in the middle of a call.
  ~Caller() { context_.TryCancel(); }

  // The answer; the status of the stream when it has ended.
  absl::StatusOr<v1::CallResponse> Call(const v1::CallRequest& request) {
    v1::CallResponse response;
    if (!stream_->Write(request) || !stream_->Read(&response)) {
      return FromGrpc(stream_->Finish());
    }
    return response;
  }
  // The error of a call that is answered with one.
  absl::Status ErrorOf(const v1::CallRequest& request) {
    absl::StatusOr<v1::CallResponse> response = Call(request);
    if (!response.ok()) return response.status();
    return FromGrpc(
        grpc::Status(static_cast<grpc::StatusCode>(response->error().code()),
                     response->error().message()));
  }
  absl::Status Finish() {
    stream_->WritesDone();
    return FromGrpc(stream_->Finish());
  }

 private:
  std::unique_ptr<v1::CallService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::CallRequest, v1::CallResponse>>
      stream_;
};

v1::CallRequest ReadValueCall(const std::string& name) {
  v1::CallRequest call;
  call.mutable_read_value()->set_name(name);
  return call;
}

v1::CallRequest AddCall(const std::string& name, const Tensor& delta) {
  v1::CallRequest call;
  *call.mutable_assign_add() = AssignMessage(name, delta);
  return call;
}

v1::CallRequest ReadValuesCall(const std::vector<std::string>& names) {
  v1::CallRequest call;
  call.mutable_read_values()->mutable_names()->Add(names.begin(), names.end());
  return call;
}

v1::CallRequest ReadAgainCall() {
  v1::CallRequest call;
  call.mutable_read_again();
  return call;
}

// Of a response that has data.
template <typename Values>
std::vector<float> Floats(const Values& values) {
  const auto* data = reinterpret_cast<const float*>(values.data().data());
  return {data, data + values.data().size() / sizeof(float)};
}

class CallServiceTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const Tensor& tensor) {
    ASSERT_OK(stubs_.Declare(name, tensor.shape()));
    ASSERT_OK(stubs_.Assign({AssignMessage(name, tensor)}));
  }

  InProcessServer server_;
  Stubs stubs_{server_};
  Caller caller_{stubs_.channel};
};

TEST_F(CallServiceTest, EachCallDoesWhatItsMethodDoes) {
  Put("m", *Of<float>({3, 2}, {0, 1, 2, 3, 4, 5}));
  Put("v", *Of<float>({}, {7}));

  v1::CallRequest call;
  *call.mutable_assign() = AssignMessage("v", *Of<float>({}, {8}));
  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer, caller_.Call(call));
  const uint64_t version = answer.assign().version();
  EXPECT_NE(version, 0u);
  ASSERT_OK(caller_.Call(AddCall("v", *Of<float>({}, {3}))).status());
  *call.mutable_assign_sub() = AssignMessage("v", *Of<float>({}, {1}));
  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(call));
  EXPECT_EQ(answer.assign().version(), version + 2);

  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(ReadValueCall("v")));
  EXPECT_THAT(Floats(answer.values()), ElementsAre(10));
  EXPECT_EQ(answer.values().headers(0).version(), version + 2);
  call.mutable_read_values()->add_names("v");
  call.mutable_read_values()->add_names("m:0");
  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(call));
  ASSERT_OK_AND_ASSIGN(auto alone, stubs_.Read({"v", "m:0"}));
  EXPECT_EQ(answer.values().SerializeAsString(), alone[0].SerializeAsString());

  call.mutable_gather()->set_name("m");
  TensorToProto(*Of<int32_t>({2}, {2, 0}),
                call.mutable_gather()->mutable_indices());
  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(call));
  EXPECT_THAT(Floats(answer.values()), ElementsAre(4, 5, 0, 1));

  v1::Operation* operation = call.mutable_transaction()->add_operations();
  operation->set_kind(v1::Operation::ASSIGN);
  operation->set_name("v");
  operation->mutable_value()->set_dtype(DTypeToProto(DType::kFloat32));
  operation->mutable_value()->mutable_shape();
  call.mutable_transaction()->set_data(std::string(4, '\0'));
  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(call));
  EXPECT_EQ(answer.transaction().revision(), version + 3);
  EXPECT_THAT(stubs_.ReadFloats("v"), IsOkAndHolds(ElementsAre(0)));
  EXPECT_OK(caller_.Finish());
}

TEST_F(CallServiceTest, AnErrorIsAnAnswerAndEndsNothing) {
  Put("v", *Of<float>({2}, {1, 2}));
  EXPECT_THAT(caller_.ErrorOf(ReadValueCall("w")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("w")));
  v1::CallRequest call;
  *call.mutable_assign() = AssignMessage("v", *Of<float>({3}, {1, 2, 3}));
  EXPECT_THAT(caller_.ErrorOf(call),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[3]")));
  // Half of a value; there is no second message.
  *call.mutable_assign() = AssignMessage("v", *Of<float>({2}, {8, 9}));
  call.mutable_assign()->mutable_data()->resize(4);
  EXPECT_THAT(caller_.ErrorOf(call),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("8 bytes, but 4 were sent")));
  call.mutable_transaction()->add_operations()->set_name("v");
  EXPECT_THAT(caller_.ErrorOf(call),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("operations[0] on 'v'")));

  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer,
                       caller_.Call(ReadValueCall("v")));
  EXPECT_THAT(Floats(answer.values()), ElementsAre(1, 2));
}

TEST_F(CallServiceTest, WhatIsNotOneCallIsRefused) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("no CallRequest with one call"));
  EXPECT_THAT(caller_.ErrorOf(v1::CallRequest()), refused);
  v1::CallRequest call = ReadValueCall("v");
  call.GetReflection()->MutableUnknownFields(&call)->AddVarint(1000, 1);
  EXPECT_THAT(caller_.ErrorOf(call), refused);
  call = {};
  call.GetReflection()->MutableUnknownFields(&call)->AddLengthDelimited(1000,
                                                                        "x");
  EXPECT_THAT(caller_.ErrorOf(call), refused);
  call = {};
  // A name whose length is a lie.
  call.GetReflection()->MutableUnknownFields(&call)->AddLengthDelimited(
      v1::CallRequest::kReadValueFieldNumber, "\x12\x50n");
  EXPECT_THAT(caller_.ErrorOf(call), refused);
}

TEST_F(CallServiceTest, WhatDoesNotFitIntoAMessageIsLeftToItsMethod) {
  ASSERT_OK(stubs_.Declare("big", {1 << 20}));  // 4 MiB
  v1::InitializeRequest request;
  request.mutable_selection()->set_all(true);
  ASSERT_OK(Stubs::Call(stubs_.variables.get(),
                        &v1::VariableService::Stub::Initialize, request));

  EXPECT_THAT(caller_.ErrorOf(ReadValueCall("big")),
              StatusIs(absl::StatusCode::kOutOfRange,
                       HasSubstr("read with a call of its own")));
  v1::CallRequest slice = ReadValueCall("big");
  SliceToProto({{5}, {1 << 19}}, slice.mutable_read_value()->mutable_slice());
  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer, caller_.Call(slice));
  EXPECT_EQ(answer.values().data().size(), size_t{4} << 19);
}

class ReadAgainTest : public CallServiceTest {
 protected:
  void Prepare(const std::vector<std::string>& names) {
    ASSERT_OK_AND_ASSIGN(v1::CallResponse answer,
                         caller_.Call(ReadValuesCall(names)));
    ASSERT_TRUE(answer.prepared());
  }
  // What a call of its own answers to the same.
  absl::Status ErrorAlone(const std::vector<std::string>& names) {
    return stubs_.Read(names).status();
  }
  const ::testing::Matcher<absl::Status> nothing_is_prepared_ =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "read_again on a stream without a prepared read_values");
};

TEST_F(ReadAgainTest, ValuesOfAllSizesAreThoseOfAReadWithNames) {
  std::vector<std::string> names;
  for (int64_t size : {0, 1, 32, 33, 255, 5, 256, 300, 7, 50'000, 2, 30'000}) {
    names.push_back("v" + std::to_string(size));
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = static_cast<float>(names.size());
    Put(names.back(), *Of<float>({size}, values));
  }
  names.push_back(names[3]);
  Prepare(names);
  ASSERT_OK(caller_.Call(
      AddCall("v33", *Of<float>({33}, std::vector<float>(33, 0.5f)))));

  ASSERT_OK_AND_ASSIGN(v1::CallResponse again, caller_.Call(ReadAgainCall()));
  ASSERT_OK_AND_ASSIGN(auto alone, stubs_.Read(names));

  ASSERT_TRUE(again.has_again());
  EXPECT_EQ(again.again().revision(), alone[0].revision());
  EXPECT_EQ(again.again().data(), alone[0].data());
  std::vector<uint64_t> versions;
  for (const v1::TensorHeader& header : alone[0].headers()) {
    versions.push_back(header.version());
  }
  EXPECT_THAT(again.again().versions(), ElementsAreArray(versions));
}

TEST_F(ReadAgainTest, NothingIsNothingAgain) {
  Prepare({});
  ASSERT_OK_AND_ASSIGN(v1::CallResponse again, caller_.Call(ReadAgainCall()));
  EXPECT_TRUE(again.has_again());
  EXPECT_EQ(again.again().versions_size(), 0);
}

TEST_F(ReadAgainTest, HasToBePrepared) {
  Put("v", *Of<float>({}, {1}));
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);
  ASSERT_OK(caller_.Call(ReadValueCall("v")));
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);

  Prepare({"v"});
  EXPECT_EQ(caller_.ErrorOf(ReadValuesCall({"v", "w"})).code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);

  Prepare({"v"});
  Caller other(stubs_.channel);
  EXPECT_THAT(other.ErrorOf(ReadAgainCall()), nothing_is_prepared_);
}

TEST_F(ReadAgainTest, ThousandNamesArePreparedAndNotMany) {
  Put("v", *Of<float>({}, {1}));
  Prepare(std::vector<std::string>(1024, "v"));
  EXPECT_THAT(
      caller_.ErrorOf(ReadValuesCall(std::vector<std::string>(1025, "v"))),
      StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("larger")));
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);
}

TEST_F(ReadAgainTest, AVariableThatWasDeletedAndDeclaredAgainIsReadAnew) {
  Put("u", *Of<float>({}, {1}));
  Put("v", *Of<float>({}, {2}));
  const auto remove = [&] {
    v1::DeleteVariableRequest request;
    request.set_name("v");
    return Stubs::Call(stubs_.admin.get(),
                       &v1::AdminService::Stub::DeleteVariable, request)
        .status();
  };
  Prepare({"u", "v"});
  ASSERT_OK(remove());
  Put("v", *Of<float>({}, {3}));

  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer, caller_.Call(ReadAgainCall()));
  ASSERT_TRUE(answer.has_values());
  EXPECT_TRUE(answer.prepared());
  EXPECT_THAT(Floats(answer.values()), ElementsAre(1, 3));
  ASSERT_OK_AND_ASSIGN(answer, caller_.Call(ReadAgainCall()));
  EXPECT_THAT(Floats(answer.again()), ElementsAre(1, 3));

  ASSERT_OK(remove());
  ASSERT_OK(stubs_.Declare("v", {}));
  EXPECT_EQ(caller_.ErrorOf(ReadAgainCall()), ErrorAlone({"u", "v"}));
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);
}

TEST_F(ReadAgainTest, AContainerThatWasResetHasNoValues) {
  Put("v", *Of<float>({}, {2}));
  Prepare({"v"});
  ASSERT_OK(Stubs::Call(stubs_.admin.get(),
                        &v1::AdminService::Stub::ResetContainer,
                        v1::ResetContainerRequest()));

  EXPECT_EQ(caller_.ErrorOf(ReadAgainCall()), ErrorAlone({"v"}));
}

TEST_F(ReadAgainTest, AnotherShapeIsSaid) {
  Put("v", *Of<float>({2}, {1, 2}));
  Prepare({"v", "v"});
  const auto reshape = [&](int64_t size) {
    v1::AssignRequest message = AssignMessage(
        "v", *Of<float>({size}, std::vector<float>(static_cast<size_t>(size))));
    message.mutable_header()->set_validate_shape(false);
    return stubs_.Assign({message}).status();
  };
  ASSERT_OK(reshape(3));
  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer, caller_.Call(ReadAgainCall()));
  EXPECT_THAT(answer.values().headers(0).shape().dims(), ElementsAre(3));
  EXPECT_TRUE(answer.prepared());

  ASSERT_OK(reshape(1 << 19));  // 2 MiB, twice
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()),
              StatusIs(absl::StatusCode::kOutOfRange,
                       HasSubstr("read with a call of its own")));
  EXPECT_THAT(caller_.ErrorOf(ReadAgainCall()), nothing_is_prepared_);
}

TEST(CallServiceStopTest, AServerThatStopsEndsStreamsThatWait) {
  // A stop that waited for them would take for ever.
  InProcessServer server(
      [](ServerOptions* options) { options->grace = absl::Hours(1); });
  Stubs stubs(server);
  ASSERT_OK(stubs.Declare("v", {}));
  Caller used(stubs.channel);
  Caller unused(stubs.channel);
  EXPECT_THAT(used.ErrorOf(ReadValueCall("v")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("uninitialized value v")));

  ASSERT_OK(server.server()->Stop());

  EXPECT_THAT(used.Call(ReadValueCall("v")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  EXPECT_THAT(unused.Call(ReadValueCall("v")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
}

TEST(CallServiceStopTest, NoAnswerIsLostWhenTheServerStops) {
  InProcessServer server;
  constexpr int kThreads = 4;
  std::atomic<int> answered = 0;
  std::atomic<int> begun = 0;
  {
    Stubs stubs(server);
    ASSERT_OK(stubs.Declare("v", {}));
    ASSERT_OK(stubs.Assign({AssignMessage("v", *Of<float>({}, {0}))}));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        Caller caller(grpc::CreateChannel(server.address(),
                                          grpc::InsecureChannelCredentials()));
        const v1::CallRequest call = AddCall("v", *Of<float>({}, {1}));
        absl::Status end;
        for (bool first = true; end.ok(); first = false) {
          absl::StatusOr<v1::CallResponse> answer = caller.Call(call);
          end = answer.status();
          if (end.ok() && answer->has_assign()) ++answered;
          if (first) ++begun;
        }
        EXPECT_THAT(end, StatusIs(absl::StatusCode::kUnavailable,
                                  HasSubstr("stopping")));
      });
    }
    while (begun < kThreads) std::this_thread::yield();
    ASSERT_OK(server.server()->Stop());
    for (std::thread& thread : threads) thread.join();
  }
  server.Restart();

  EXPECT_THAT(Stubs(server).ReadFloats("v"),
              IsOkAndHolds(ElementsAre(static_cast<float>(answered))));
}

TEST_F(CallServiceTest, AClientThatGoesLeavesTheOthers) {
  Put("v", *Of<float>({}, {7}));
  {
    Caller gone(stubs_.channel);
    ASSERT_OK(gone.Call(ReadValueCall("v")).status());
  }
  ASSERT_OK_AND_ASSIGN(v1::CallResponse answer,
                       caller_.Call(ReadValueCall("v")));
  EXPECT_THAT(Floats(answer.values()), ElementsAre(7));
}

}  // namespace
}  // namespace varkeep
