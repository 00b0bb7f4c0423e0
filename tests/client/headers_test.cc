// SPDX-License-Identifier: Apache-2.0
//
// A program that uses the client compiles without gRPC's and protobuf's
// headers.
#include "client/admin_client.h"
#include "client/client.h"
#include "client/initializers.h"
#include "client/retry_policy.h"
#include "client/selection.h"
#include "client/session.h"
#include "client/variable.h"
#include "client/variable_info.h"
#include "client/variable_options.h"
#include "client/variable_scope.h"

#if defined(GRPCPP_GRPCPP_H) || defined(GRPCPP_CHANNEL_H) || \
    defined(GRPC_GRPC_H)
#error "a header of the client includes gRPC"
#endif
#if defined(PROTOBUF_VERSION) || defined(GOOGLE_PROTOBUF_MESSAGE_H__) || \
    defined(GOOGLE_PROTOBUF_PORT_H__)
#error "a header of the client includes protobuf"
#endif

#include <gtest/gtest.h>

namespace varkeep::client {
namespace {

TEST(ClientHeadersTest, AreFreeOfGrpcAndProtobuf) { SUCCEED(); }

TEST(RetryPolicyTest, PausesGrowToALimit) {
  RetryPolicy policy;
  Backoff backoff(policy);
  absl::Duration last;

  for (int i = 0; i < 30; ++i) {
    last = backoff.PauseBeforeRepeat().value();
    EXPECT_GE(last, policy.first_pause * 0.75);
    EXPECT_LE(last, policy.longest_pause * 1.25);
  }

  EXPECT_GE(last, policy.longest_pause * 0.75);
}

TEST(RetryPolicyTest, TellsALostSessionFromALostRace) {
  EXPECT_TRUE(IsSessionLost(absl::AbortedError("Session ab1 is not found.")));
  EXPECT_FALSE(IsSessionLost(absl::AbortedError("variable 'w' has version 3")));
  EXPECT_TRUE(MayRepeat(absl::UnavailableError("")));
  EXPECT_FALSE(MayRepeat(absl::NotFoundError("")));
}

TEST(RetryPolicyTest, GivesUpAtTheDeadline) {
  RetryPolicy policy;
  policy.timeout = absl::Milliseconds(1);

  EXPECT_EQ(Backoff(policy).PauseBeforeRepeat(), std::nullopt);
}

}  // namespace
}  // namespace varkeep::client
