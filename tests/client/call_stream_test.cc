// SPDX-License-Identifier: Apache-2.0
//
// What the client asks of a stream of calls, as a server sees it.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/internal/transport.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tensors.h"
#include "varkeep/v1/call_service.grpc.pb.h"

namespace varkeep::client {
namespace {

using ::testing::ElementsAre;

// Has a variable "v" of int8, whose version counts its reads. Remembers what it
// was asked.
class FakeServer final : public v1::CallService::Service {
 public:
  bool prepares = true;
  bool fails = false;     // the next call
  bool reshapes = false;  // says the shape in the next answer
  std::vector<std::string> calls;

  grpc::Status Calls(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::CallResponse, v1::CallRequest>* stream)
      override {
    v1::CallRequest request;
    while (stream->Read(&request)) {
      v1::CallResponse response;
      calls.push_back(request.has_read_again()
                          ? "again"
                          : absl::StrJoin(request.read_values().names(), " "));
      if (std::exchange(fails, false)) {
        response.mutable_error()->set_code(grpc::StatusCode::NOT_FOUND);
      } else if (request.has_read_again() && !std::exchange(reshapes, false)) {
        response.mutable_again()->add_versions(++version_);
        response.mutable_again()->set_data("\1");
      } else {
        v1::TensorHeader* header = response.mutable_values()->add_headers();
        header->set_name("v");
        header->set_dtype(v1::DTYPE_INT8);
        header->mutable_shape()->add_dims(1);
        header->set_version(++version_);
        header->set_size_bytes(1);
        response.mutable_values()->set_data("\1");
        response.set_prepared(prepares);
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

 private:
  uint64_t version_ = 0;
};

class CallStreamTest : public ::testing::Test {
 protected:
  // The version that a read of these names gives.
  absl::StatusOr<uint64_t> Read(const std::vector<std::string>& names) {
    v1::ReadValuesRequest request;
    request.mutable_names()->Add(names.begin(), names.end());
    TensorReceiver receiver({"v"});
    RETURN_IF_ERROR(transport_->ReadValues(request.SerializeAsString(),
                                           absl::Seconds(10), &receiver,
                                           /*bytes=*/1));
    ASSIGN_OR_RETURN(auto values, receiver.Finish());
    EXPECT_THAT(values[0].tensor, TensorEq(Of<int8_t>({1}, {1})));
    return values[0].version;
  }

  TempDir directory_;
  const std::string address_ = "unix:" + directory_.path() + "/socket";
  FakeServer service_;
  std::unique_ptr<grpc::Server> server_ =
      grpc::ServerBuilder()
          .AddListeningPort(address_, grpc::InsecureServerCredentials())
          .RegisterService(&service_)
          .BuildAndStart();
  std::unique_ptr<Transport> transport_ = NewGrpcTransport(address_).value();
};

TEST_F(CallStreamTest, NamesThatTheServerKeepsAreSentOnce) {
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_THAT(Read({"v"}), IsOkAndHolds(i));
  service_.reshapes = true;
  for (uint64_t i = 4; i <= 5; ++i) EXPECT_THAT(Read({"v"}), IsOkAndHolds(i));
  EXPECT_THAT(Read({"v:0"}), IsOkAndHolds(6u));
  EXPECT_THAT(Read({"v"}), IsOkAndHolds(7u));

  EXPECT_THAT(service_.calls,
              ElementsAre("v", "again", "again", "again", "again", "v:0", "v"));
}

TEST_F(CallStreamTest, AServerThatKeepsNoNamesGetsThem) {
  service_.prepares = false;
  EXPECT_OK(Read({"v"}));
  EXPECT_OK(Read({"v"}));
  service_.prepares = true;
  EXPECT_OK(Read({"v"}));
  service_.prepares = false;
  service_.reshapes = true;
  EXPECT_OK(Read({"v"}));
  EXPECT_OK(Read({"v"}));

  EXPECT_THAT(service_.calls, ElementsAre("v", "v", "v", "again", "v"));
}

TEST_F(CallStreamTest, AfterAnErrorNamesAreSent) {
  EXPECT_OK(Read({"v"}));
  service_.fails = true;
  EXPECT_EQ(Read({"v"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_OK(Read({"v"}));

  EXPECT_THAT(service_.calls, ElementsAre("v", "again", "v"));
}

}  // namespace
}  // namespace varkeep::client
