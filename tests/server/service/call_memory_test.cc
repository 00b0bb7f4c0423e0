// SPDX-License-Identifier: Apache-2.0
//
// What calls under way may hold beside the values of the store, seen by any
// client.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "tests/server/service/calls.h"
#include "tests/testing/server_process.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;
using Floats = std::vector<float>;

constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr int64_t kElements = 100'000;
constexpr uint64_t kBytes = 4 * kElements;
constexpr uint64_t kLimit = kBytes + 100;

class CallMemoryTest : public ::testing::Test {
 protected:
  explicit CallMemoryTest(int64_t limit = kLimit)
      : server_({"--call-memory-limit", absl::StrCat(limit)}) {}

  void SetUp() override {
    for (const char* name : {"a", "b"}) {
      ASSERT_OK(stubs_.Declare(name, {kElements}));
      assign_[name == std::string("b")] =
          AssignMessage(name, *Of<float>({kElements}, Floats(kElements, 1)));
    }
  }

  // An upload of "a" of which half has arrived.
  class Stalled {
   public:
    Stalled(CallMemoryTest* test, const v1::AssignRequest& whole)
        : whole_(whole),
          writer_(test->stubs_.variables->Assign(&context_, &response_)) {
      v1::AssignRequest half = whole;
      half.mutable_data()->resize(kBytes / 2);
      EXPECT_TRUE(writer_->Write(half));
      test->WaitUntilHeld(kBytes);
    }
    grpc::Status Continue() {
      v1::AssignRequest rest;
      rest.set_data(whole_.data().substr(kBytes / 2));
      EXPECT_TRUE(writer_->Write(rest));
      writer_->WritesDone();
      return writer_->Finish();
    }
    grpc::Status Cancel() {
      context_.TryCancel();
      return writer_->Finish();
    }
    // Ends without the rest.
    grpc::Status Break() {
      writer_->WritesDone();
      return writer_->Finish();
    }

   private:
    const v1::AssignRequest whole_;
    grpc::ClientContext context_;
    v1::AssignResponse response_;
    std::unique_ptr<grpc::ClientWriter<v1::AssignRequest>> writer_;
  };

  v1::StatusResponse Status() {
    return *Stubs::Call(stubs_.admin.get(), &v1::AdminService::Stub::Status,
                        v1::StatusRequest());
  }

  // What a call held is given back when the server sees its end. Returns when
  // it is so; otherwise the test runs into its time limit.
  void WaitUntilHeld(uint64_t bytes) {
    while (Status().call_bytes() != bytes) std::this_thread::yield();
  }

  ServerProcess server_;
  Stubs stubs_{server_.address()};
  v1::AssignRequest assign_[2];
};

TEST_F(CallMemoryTest, AnUploadBeyondTheLimitIsRefusedUntilAnotherEnds) {
  Stalled first(this, assign_[0]);
  EXPECT_EQ(Status().call_limit_bytes(), kLimit);
  EXPECT_THAT(
      stubs_.Assign({assign_[1]}),
      StatusIs(kExhausted,
               "the value of variable b of shape [100000]: call memory limit "
               "of 400100 bytes: uploads and answers under way hold 400000 "
               "bytes, the request needs 400000 more"));
  EXPECT_OK(FromGrpc(first.Continue()));
  EXPECT_EQ(Status().call_bytes(), 0u);
  EXPECT_OK(stubs_.Assign({assign_[1]}));
  EXPECT_EQ(Status().call_bytes(), 0u);
}

TEST_F(CallMemoryTest, ACancelledUploadGivesItsBytesBack) {
  EXPECT_EQ(Stalled(this, assign_[0]).Cancel().error_code(),
            grpc::StatusCode::CANCELLED);
  WaitUntilHeld(0);
  EXPECT_OK(stubs_.Assign({assign_[1]}));
}

TEST_F(CallMemoryTest, ABrokenUploadGivesItsBytesBack) {
  EXPECT_EQ(Stalled(this, assign_[0]).Break().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  WaitUntilHeld(0);
  EXPECT_OK(stubs_.Assign({assign_[1]}));
}

TEST_F(CallMemoryTest, TheTensorsOfATransactionCount) {
  Stalled first(this, assign_[0]);
  v1::TransactionRequest request;
  v1::Operation* operation = request.add_operations();
  operation->set_kind(v1::Operation::ASSIGN);
  operation->set_name("b");
  operation->mutable_value()->set_dtype(v1::DTYPE_FLOAT32);
  *operation->mutable_value()->mutable_shape() = assign_[1].header().shape();
  request.set_data(assign_[1].data());
  auto transact = [&] {
    grpc::ClientContext context;
    v1::TransactionResponse response;
    auto writer = stubs_.variables->Transaction(&context, &response);
    writer->Write(request);
    writer->WritesDone();
    return FromGrpc(writer->Finish());
  };
  EXPECT_THAT(transact(), StatusIs(kExhausted, HasSubstr("'b': call memory")));
  EXPECT_OK(FromGrpc(first.Continue()));
  EXPECT_OK(transact());
  EXPECT_EQ(Status().call_bytes(), 0u);
}

// Answers that are far larger than what gRPC sends to a client that does not
// read.
class AnswerMemoryTest : public CallMemoryTest {
 protected:
  static constexpr int64_t kColumns = 2 << 20;
  static constexpr uint64_t kRowBytes = 4 * kColumns;

  AnswerMemoryTest() : CallMemoryTest(5 * kRowBytes) {}

  void SetUp() override {
    ASSERT_OK(stubs_.Declare("m", {4, kColumns}));
    v1::InitializeRequest request;
    request.mutable_selection()->set_all(true);
    ASSERT_OK(Stubs::Call(stubs_.variables.get(),
                          &v1::VariableService::Stub::Initialize, request));
  }

  using Reader = grpc::ClientReader<v1::ReadValuesResponse>;
  using ReaderPtr = std::unique_ptr<Reader>;

  // Four rows, which are copied.
  ReaderPtr Gather(grpc::ClientContext* context) {
    v1::GatherRequest request;
    request.set_name("m");
    TensorToProto(*Of<int32_t>({4}, {3, 1, 1, 0}), request.mutable_indices());
    return stubs_.variables->Gather(context, request);
  }

  // All columns but the first, which are copied.
  ReaderPtr Slice(grpc::ClientContext* context) {
    v1::ReadValueRequest request;
    request.set_name("m");
    SliceToProto({{0, 1}, {-1, -1}}, request.mutable_slice());
    return stubs_.variables->ReadValue(context, request);
  }

  static absl::Status ToTheEnd(ReaderPtr reader) {
    v1::ReadValuesResponse message;
    while (reader->Read(&message)) {
    }
    return FromGrpc(reader->Finish());
  }

  grpc::ClientContext context_;
  grpc::ClientContext later_;
};

TEST_F(AnswerMemoryTest, WhatIsGatheredCountsUntilItIsSent) {
  ReaderPtr slow = Gather(&context_);
  WaitUntilHeld(4 * kRowBytes);
  EXPECT_THAT(ToTheEnd(Slice(&later_)),
              StatusIs(kExhausted, HasSubstr("call memory limit")));
  EXPECT_OK(ToTheEnd(std::move(slow)));
  WaitUntilHeld(0);
}

TEST_F(AnswerMemoryTest, ASliceThatIsCopiedCountsUntilItIsSent) {
  ReaderPtr slow = Slice(&context_);
  WaitUntilHeld(4 * kRowBytes - 4 * sizeof(float));
  EXPECT_THAT(ToTheEnd(Gather(&later_)),
              StatusIs(kExhausted, HasSubstr("call memory limit")));
  context_.TryCancel();
  EXPECT_THAT(ToTheEnd(std::move(slow)),
              StatusIs(absl::StatusCode::kCancelled, ::testing::_));
  WaitUntilHeld(0);
}

TEST_F(AnswerMemoryTest, RowsInARowAreSentWithoutACopy) {
  v1::ReadValueRequest request;
  request.set_name("m");
  SliceToProto({{1, 0}, {3, -1}}, request.mutable_slice());
  ReaderPtr slow = stubs_.variables->ReadValue(&context_, request);
  v1::ReadValuesResponse message;
  ASSERT_TRUE(slow->Read(&message));
  EXPECT_EQ(Status().call_bytes(), 0u);
  std::string bytes = message.data();

  // What is on its way stays as it was.
  v1::TransactionRequest change;
  v1::Operation* add = change.add_operations();
  add->set_kind(v1::Operation::SCATTER_ADD);
  add->set_name("m");
  const int64_t rows[] = {0, 1, 2, 3};
  const float one = 1;
  add->mutable_indices()->set_dtype(v1::DTYPE_INT64);
  add->mutable_indices()->mutable_shape()->add_dims(4);
  add->mutable_value()->set_dtype(v1::DTYPE_FLOAT32);
  add->mutable_value()->mutable_shape();
  change.mutable_data()->append(reinterpret_cast<const char*>(rows), 32);
  change.mutable_data()->append(reinterpret_cast<const char*>(&one), 4);
  v1::TransactionResponse response;
  auto writer = stubs_.variables->Transaction(&later_, &response);
  writer->Write(change);
  writer->WritesDone();
  ASSERT_OK(FromGrpc(writer->Finish()));
  EXPECT_EQ(Status().replaced_value_bytes(), 4 * kRowBytes);

  while (slow->Read(&message)) bytes += message.data();
  EXPECT_OK(FromGrpc(slow->Finish()));
  EXPECT_EQ(bytes, std::string(3 * kRowBytes, '\0'));
}

// A line of /proc/PID/status such as "VmRSS:   1234 kB".
int64_t StatusBytes(pid_t pid, const std::string& key) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string word; status >> word;) {
    int64_t kibibytes = 0;
    if (word == key && status >> kibibytes) return kibibytes << 10;
  }
  ADD_FAILURE() << "no " << key << " of process " << pid;
  return 0;
}

// Neither a second buffer nor what the log takes on its way to the disk.
TEST(AssignMemoryTest, AnAssignTakesItsValueAndAWindow) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  constexpr int64_t kValue = 256 << 20;
  // What gRPC has of the stream, 4 MiB, and what malloc keeps of it.
  constexpr int64_t kWindow = 64 << 20;
  ServerProcess server;
  auto client = *client::Client::Connect(server.address());
  auto session = *client->OpenSession();
  const client::Variable variable =
      *session->GetVariable("v", Shape({kValue / 4}), client::Ones());
  ASSERT_OK_AND_ASSIGN(auto value,
                       Tensor::Create(DType::kFloat32, variable.shape()));
  std::ranges::fill(value->mutable_values<float>(), 1.0f);
  const int64_t before = StatusBytes(server.pid(), "VmRSS:");
  ASSERT_OK(variable.Assign(TensorRef(value)));
  const int64_t peak = StatusBytes(server.pid(), "VmHWM:") - before;
  EXPECT_GE(peak, kValue);
  EXPECT_LE(peak, kValue + kWindow);
  RecordProperty("peak_bytes", absl::StrCat(peak));
}

}  // namespace
}  // namespace varkeep
