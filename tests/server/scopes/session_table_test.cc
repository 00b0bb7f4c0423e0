// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/session_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/server/scopes/fake_declarer.h"
#include "tests/server/scopes/program.h"
#include "tests/testing/fake_clock.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class SessionTableTest : public ::testing::Test {
 protected:
  std::string Open() {
    absl::StatusOr<std::shared_ptr<Session>> session = table_.Open({});
    EXPECT_OK(session);
    return session.ok() ? (*session)->id() : "";
  }

  FakeDeclarer declarer_;
  FakeClock clock_;
  SessionTable table_{&declarer_, &clock_, absl::Seconds(60)};
};

TEST_F(SessionTableTest, IdsAre128BitsInHexadecimal) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string id = Open();
    EXPECT_EQ(id.size(), 32u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100u);
}

TEST_F(SessionTableTest, FindRenewsTheLease) {
  const std::string id = Open();
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(absl::Seconds(60));
    EXPECT_OK(table_.Find(id));
  }
  clock_.Advance(absl::Seconds(60) + absl::Nanoseconds(1));
  EXPECT_THAT(table_.Find(id), StatusIs(StatusCode::kAborted,
                                        "Session " + id + " is not found."));
}

TEST_F(SessionTableTest, OnlyIdleSessionsAreLost) {
  const std::string idle = Open();
  const std::string busy = Open();
  clock_.Advance(absl::Seconds(40));
  EXPECT_OK(table_.Find(busy));
  clock_.Advance(absl::Seconds(40));
  const std::vector<SessionTable::Entry> list = table_.List();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].session->id(), busy);
  EXPECT_EQ(list[0].last_used - list[0].opened, absl::Seconds(40));
  EXPECT_THAT(table_.Close(idle),
              StatusIs(StatusCode::kAborted, HasSubstr(idle)));
}

TEST_F(SessionTableTest, ALostSessionFinishesTheCallThatHoldsIt) {
  ASSERT_OK_AND_ASSIGN(std::shared_ptr<Session> session, table_.Open({}));
  clock_.Advance(absl::Seconds(61));
  EXPECT_THAT(table_.List(), ::testing::IsEmpty());
  EXPECT_OK(session->GetVariable({}, Program::Arguments("v"), Request()));
}

TEST_F(SessionTableTest, ClosedSessionsAreNotFound) {
  const std::string id = Open();
  EXPECT_OK(table_.Close(id));
  EXPECT_THAT(table_.Find(id), StatusIs(StatusCode::kAborted, HasSubstr(id)));
  EXPECT_THAT(table_.Close(id), StatusIs(StatusCode::kAborted, HasSubstr(id)));
  EXPECT_THAT(table_.Find(std::string(5000, '\n')),
              StatusIs(StatusCode::kAborted, HasSubstr("???...")));
}

TEST_F(SessionTableTest, ListIsOldestFirst) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Open());
    clock_.Advance(absl::Seconds(1));
  }
  ASSERT_OK(table_.Find(ids[0]));
  std::vector<std::string> listed;
  for (const SessionTable::Entry& entry : table_.List()) {
    listed.push_back(entry.session->id());
  }
  EXPECT_EQ(listed, ids);
  EXPECT_EQ(table_.CloseAll(), 3);
  EXPECT_EQ(table_.CloseAll(), 0);
  EXPECT_THAT(table_.List(), ::testing::IsEmpty());
}

TEST_F(SessionTableTest, OptionsAreChecked) {
  EXPECT_THAT(table_.Open(OptionsOf("a_b")),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("container")));
  EXPECT_THAT(table_.Open(OptionsOf("", {}, std::string(257, 'x'))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("creator")));
}

TEST_F(SessionTableTest, SessionsHaveALimit) {
  for (size_t i = 0; i < SessionTable::kMaxSessions; ++i) Open();
  EXPECT_THAT(table_.Open({}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("100000")));
  clock_.Advance(absl::Seconds(61));
  EXPECT_OK(table_.Open({}));
}

TEST_F(SessionTableTest, ManyThreadsMayUseIt) {
  const std::string shared = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_OK(table_.Close(Open()));
        EXPECT_OK(table_.Find(shared));
        EXPECT_GE(table_.List().size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table_.CloseAll(), 1);
}

}  // namespace
}  // namespace varkeep
