// SPDX-License-Identifier: Apache-2.0
#include "server/variables/request_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr uint64_t kFull = RequestWindow::kSequences;

// What a restart does to the window.
RequestWindow Rebuilt(const RequestWindow& window) {
  RequestWindow rebuilt;
  rebuilt.Load(window.Save());
  return rebuilt;
}

TEST(RequestWindowTest, FindsTheRevisionOfARequest) {
  RequestWindow window;
  window.Record({1, 5}, 70);

  EXPECT_THAT(window.Find({{1, 5}}), IsOkAndHolds(Optional(70u)));
  EXPECT_THAT(window.Find({{1, 4}}), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(window.Find({{2, 5}}), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(RequestWindowTest, ZeroIsNoId) {
  RequestWindow window;
  for (const RequestId id : {RequestId{0, 1}, RequestId{1, 0}}) {
    EXPECT_THAT(window.Find(id), StatusIs(StatusCode::kInvalidArgument,
                                          HasSubstr("must not have a zero")));
  }
}

TEST(RequestWindowTest, ARequestBelowAFullWindowIsTooOldToTell) {
  RequestWindow window;
  for (uint64_t i = 1; i <= kFull + 1; ++i) window.Record({1, i}, 100 + i);

  EXPECT_THAT(window.Find({{1, 1}}),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("request id (client 1, sequence 1) is older "
                                 "than the last 1024 requests")));
  EXPECT_THAT(window.Find({{1, 2}}), IsOkAndHolds(Optional(102u)));
  EXPECT_THAT(window.Find({{1, kFull + 2}}), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(RequestWindowTest, SequencesMayComeInAnyOrder) {
  RequestWindow window;
  window.Record({1, 9}, 1);

  EXPECT_THAT(window.Find({{1, 3}}), IsOkAndHolds(Eq(std::nullopt)));
  window.Record({1, 3}, 2);
  EXPECT_THAT(window.Find({{1, 3}}), IsOkAndHolds(Optional(2u)));
  EXPECT_THAT(window.Find({{1, 9}}), IsOkAndHolds(Optional(1u)));
}

TEST(RequestWindowTest, ClientsDoNotPushEachOtherOut) {
  RequestWindow window;
  window.Record({1, 1}, 1);
  for (uint64_t i = 1; i <= 2 * kFull; ++i) window.Record({2, i}, i);

  EXPECT_THAT(window.Find({{1, 1}}), IsOkAndHolds(Optional(1u)));
}

TEST(RequestWindowTest, TheClientThatAskedLongestAgoIsForgotten) {
  RequestWindow window;
  const uint64_t clients = RequestWindow::kClients;
  for (uint64_t i = 1; i <= clients; ++i) window.Record({i, 1}, i);
  window.Record({1, 2}, 9000);
  window.Record({clients + 1, 1}, 9001);

  EXPECT_THAT(window.Find({{1, 1}}), IsOkAndHolds(Optional(1u)));
  EXPECT_THAT(window.Find({{3, 1}}), IsOkAndHolds(Optional(3u)));
  EXPECT_EQ(window.Save().entries.size(), clients + 1);
  // It may have been applied.
  EXPECT_THAT(
      window.Find({{2, 1}}),
      StatusIs(
          StatusCode::kFailedPrecondition,
          HasSubstr(
              "request id (client 2, sequence 1) may be a repeated one and is "
              "not among those of the last 4096 clients; its "
              "client had seen revision 0, others were forgotten "
              "up to revision 2: whether it was applied is not "
              "known any more")));
}

Request Repeated(RequestId id, Revision since) {
  Request request = id;
  request.since = since;
  return request;
}

Request First(RequestId id) {
  Request request = id;
  request.first_attempt = true;
  return request;
}

TEST(RequestWindowTest, WhatCannotHaveBeenForgottenIsNew) {
  RequestWindow window;
  for (uint64_t i = 1; i <= RequestWindow::kClients + 5; ++i) {
    window.Record({i, 1}, 10 * i);
  }
  RequestWindow rebuilt = Rebuilt(window);

  for (const RequestWindow* each : {&window, &rebuilt}) {
    EXPECT_EQ(each->Save().forgotten, 50u);
    for (const uint64_t client : {uint64_t{3}, uint64_t{12345678}}) {
      EXPECT_THAT(each->Find(First({client, 2})),
                  IsOkAndHolds(Eq(std::nullopt)));
      EXPECT_THAT(each->Find(Repeated({client, 2}, 50)),
                  IsOkAndHolds(Eq(std::nullopt)));
      EXPECT_THAT(
          each->Find(Repeated({client, 2}, 49)),
          StatusIs(StatusCode::kFailedPrecondition, HasSubstr("repeated")));
    }
  }
}

TEST(RequestWindowTest, AForgottenClientThatComesBackIsNotTrustedMore) {
  RequestWindow window;
  window.Record({1, 1}, 1);
  for (uint64_t i = 2; i <= RequestWindow::kClients + 1; ++i) {
    window.Record({i, 1}, i);
  }

  window.Record({1, 2}, 9000);

  EXPECT_THAT(window.Find(Repeated({1, 1}, 0)),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("repeated")));
  EXPECT_THAT(window.Find(Repeated({1, 2}, 0)), IsOkAndHolds(Optional(9000u)));
}

// It came after a thousand later ones of its client, and is the first to be
// forgotten of them.
TEST(RequestWindowTest, ALateRequestOfAForgottenClientIsNotAppliedAgain) {
  RequestWindow window;
  for (uint64_t i = 2; i <= kFull + 1; ++i) window.Record({1, i}, i);
  window.Record({1, 1}, 5000);

  RequestWindow rebuilt = Rebuilt(window);
  for (RequestWindow* each : {&window, &rebuilt}) {
    for (uint64_t i = 2; i <= RequestWindow::kClients + 1; ++i) {
      each->Record({i, 1}, 9000 + i);
    }
    EXPECT_THAT(
        each->Find(Repeated({1, 1}, 4999)),
        StatusIs(StatusCode::kFailedPrecondition, HasSubstr("repeated")));
  }
}

TEST(RequestWindowTest, WhatIsSavedRebuildsTheWindow) {
  RequestWindow window;
  for (uint64_t i = 1; i <= RequestWindow::kClients; ++i) {
    window.Record({i, 1}, i);
  }
  window.Record({1, 7}, 8);

  RequestWindow rebuilt = Rebuilt(window);

  // The order in which clients are forgotten is part of it.
  for (RequestWindow* each : {&window, &rebuilt}) {
    each->Record({RequestWindow::kClients + 1, 1}, 9);
    EXPECT_THAT(each->Find({{1, 7}}), IsOkAndHolds(Optional(8u)));
    EXPECT_THAT(each->Find({{2, 1}}), StatusIs(StatusCode::kFailedPrecondition,
                                               HasSubstr("repeated")));
  }
}

TEST(RequestWindowTest, WhatWasTooOldIsTooOldInARebuiltWindow) {
  RequestWindow window;
  for (uint64_t i = 1; i <= kFull + 10; ++i) window.Record({1, i}, i);

  RequestWindow rebuilt = Rebuilt(window);

  for (const RequestWindow* each : {&window, &rebuilt}) {
    EXPECT_THAT(each->Find({{1, 10}}),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("older")));
    EXPECT_THAT(each->Find({{1, 11}}), IsOkAndHolds(Optional(11u)));
  }
}

}  // namespace
}  // namespace varkeep
