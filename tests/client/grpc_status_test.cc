// SPDX-License-Identifier: Apache-2.0
#include "proto/grpc_status.h"

#include <gtest/gtest.h>

#include <string>

namespace varkeep {
namespace {

TEST(GrpcStatusTest, EveryCodeSurvivesBothWays) {
  for (int code = 0; code <= 16; ++code) {
    absl::Status status(static_cast<absl::StatusCode>(code),
                        code == 0 ? "" : "what went wrong");

    EXPECT_EQ(FromGrpc(ToGrpc(status)), status) << code;
  }
}

TEST(GrpcStatusTest, LongMessagesAreCutAtACharacter) {
  std::string euros;
  while (euros.size() < 5000) euros += "\u20ac";  // three bytes each

  std::string message = ToGrpc(absl::InternalError(euros)).error_message();

  EXPECT_LE(message.size(), 1024u);
  EXPECT_GT(message.size(), 1000u);
  EXPECT_EQ((message.size() - 3) % 3, 0u);
  EXPECT_EQ(message.substr(message.size() - 3), "...");
}

TEST(GrpcStatusTest, UnknownCodesBecomeUnknown) {
  grpc::Status status(static_cast<grpc::StatusCode>(20), "odd");

  EXPECT_EQ(FromGrpc(status), absl::UnknownError("odd"));
}

}  // namespace
}  // namespace varkeep
