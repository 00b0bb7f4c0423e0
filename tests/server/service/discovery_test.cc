// SPDX-License-Identifier: Apache-2.0
//
// What a generic gRPC tool needs to find its way: health and reflection. Both
// are called without generated code, by their bytes.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;

// Sends one message on a bidirectional or unary method and returns the bytes of
// the first answer.
absl::StatusOr<std::string> Exchange(const Stubs& stubs,
                                     const std::string& method,
                                     const std::string& request) {
  grpc::GenericStub stub(stubs.channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  if (!status.ok()) return FromGrpc(status);
  std::vector<grpc::Slice> slices;
  if (!answer.Dump(&slices).ok()) return absl::InternalError("no answer");
  std::string bytes;
  for (const grpc::Slice& part : slices) {
    bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  return bytes;
}

TEST(DiscoveryTest, HealthFollowsDraining) {
  InProcessServer server;
  Stubs stubs(server);
  const std::string kServing("\x08\x01", 2);     // status = SERVING
  const std::string kNotServing("\x08\x02", 2);  // status = NOT_SERVING
  const char* method = "/grpc.health.v1.Health/Check";
  EXPECT_THAT(Exchange(stubs, method, ""), IsOkAndHolds(kServing));
  ASSERT_OK(Stubs::Call(stubs.admin.get(), &v1::AdminService::Stub::Drain,
                        v1::DrainRequest()));
  EXPECT_THAT(Exchange(stubs, method, ""), IsOkAndHolds(kNotServing));
}

TEST(DiscoveryTest, ReflectionListsTheServices) {
  InProcessServer server;
  Stubs stubs(server);
  // list_services = ""
  ASSERT_OK_AND_ASSIGN(
      std::string services,
      Exchange(stubs,
               "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
               std::string("\x3a\x00", 2)));
  EXPECT_THAT(services, HasSubstr("varkeep.v1.VariableService"));
  EXPECT_THAT(services, HasSubstr("varkeep.v1.CheckpointService"));
  EXPECT_THAT(services, HasSubstr("varkeep.v1.AdminService"));
}

}  // namespace
}  // namespace varkeep
