// SPDX-License-Identifier: Apache-2.0
//
// Repetition, against a network that fails as told.
#include "client/internal/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client/internal/session_core.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A server of one session at a time, which remembers what it was asked.
class FakeTransport : public Transport {
 public:
  int failures = 0;      // of the next calls
  bool applies = false;  // failed changes reach the server; reads succeed
  uint64_t revision = 3;
  std::string session;  // "": none is open
  int opened = 0;
  std::vector<std::string> calls;  // "Method session opening"
  std::vector<v1::AssignRequest> uploads;
  size_t largest_message = 0;

  absl::Status Unary(const std::string& method,
                     const google::protobuf::MessageLite& request,
                     google::protobuf::MessageLite* response,
                     absl::Duration) override {
    if (failures > 0 && !applies) return Fail();
    absl::Status status =
        Serve(method.substr(method.rfind('/') + 1), request, response);
    return failures > 0 ? Fail() : status;
  }

  absl::Status Download(const std::string&,
                        const google::protobuf::MessageLite&, absl::Duration,
                        Accept, int64_t) override {
    return absl::UnimplementedError("");
  }

  // What revision the server is at.
  absl::Status ReadValues(const std::string&, absl::Duration,
                          TensorReceiver* receiver, int64_t) override {
    if (failures > 0 && !applies) return Fail();
    v1::ReadValuesResponse response;
    response.set_revision(revision);
    const std::string message = response.SerializeAsString();
    google::protobuf::io::ArrayInputStream stream(
        message.data(), static_cast<int>(message.size()));
    return receiver->Accept(&stream);
  }

  absl::Status Upload(const std::string&, std::shared_ptr<const void>,
                      NextPart next, google::protobuf::MessageLite* response,
                      absl::Duration) override {
    v1::AssignRequest whole;
    for (bool last = false; !last;) {
      UploadPart part = next();
      last = part.last;
      std::string bytes = part.head;
      bytes.append(reinterpret_cast<const char*>(part.body.data()),
                   part.body.size());
      largest_message = std::max(largest_message, bytes.size());
      v1::AssignRequest message;
      if (!message.ParseFromString(bytes)) std::abort();
      if (message.has_header()) *whole.mutable_header() = message.header();
      whole.mutable_data()->append(message.data());
    }
    uploads.push_back(whole);
    if (failures > 0) return Fail();
    static_cast<v1::AssignResponse*>(response)->set_version(5);
    return absl::OkStatus();
  }

  void Pause(absl::Duration) override {}

 private:
  absl::Status Fail() {
    --failures;
    return absl::UnavailableError("Socket closed");
  }

  absl::Status Serve(const std::string& method,
                     const google::protobuf::MessageLite& request,
                     google::protobuf::MessageLite* response) {
    if (method == "OpenSession") {
      session = "s" + std::to_string(++opened);
      openings_ = 100 * opened;
      static_cast<v1::OpenSessionResponse*>(response)->set_session_id(session);
    }
    if (method == "EnterScope") {
      auto& enter = static_cast<const v1::EnterScopeRequest&>(request);
      if (enter.session_id() != session) return Lost(enter.session_id());
      calls.push_back("Enter " + session + " in " +
                      std::to_string(enter.current().opening()));
      static_cast<v1::EnterScopeResponse*>(response)
          ->mutable_scope()
          ->set_opening(static_cast<uint64_t>(++openings_));
    }
    if (method == "GetVariable") {
      auto& get = static_cast<const v1::GetVariableRequest&>(request);
      if (get.session_id() != session) return Lost(get.session_id());
      calls.push_back("Get " + session + " in " +
                      std::to_string(get.scope().opening()));
      ids.insert(get.request_id().sequence());
    }
    return absl::OkStatus();
  }

  static absl::Status Lost(const std::string& id) {
    return absl::AbortedError("Session " + id + " is not found.");
  }

  int openings_ = 0;

 public:
  std::set<uint64_t> ids;
};

struct Fixture {
  FakeTransport* transport = new FakeTransport();  // owned by the connection
  RetryPolicy policy{.timeout = absl::Seconds(10),
                     .first_pause = absl::Milliseconds(1)};
  std::shared_ptr<Connection> connection = std::make_shared<Connection>(
      std::unique_ptr<Transport>(transport), policy);
};

TEST(ConnectionTest, ARepeatedMutationHasTheSameRequestId) {
  Fixture f;
  const SharedChanges::Change change = {
      "AssignAdd", {}, Of<float>({2}, {1, 2})};
  ASSERT_OK(f.connection->Upload(change));
  f.transport->uploads.clear();
  f.transport->failures = 2;

  EXPECT_THAT(f.connection->Upload(change), IsOkAndHolds(5u));
  EXPECT_OK(f.connection->Upload(change));

  ASSERT_THAT(f.transport->uploads, SizeIs(4));
  auto id = [&](size_t i) {
    return f.transport->uploads[i].header().request_id();
  };
  EXPECT_NE(id(0).client(), 0u);
  EXPECT_EQ(id(0).sequence(), id(1).sequence());
  EXPECT_EQ(id(0).sequence(), id(2).sequence());
  EXPECT_EQ(id(3).sequence(), id(0).sequence() + 1);
  // Only the first attempt says that it is one.
  EXPECT_TRUE(id(0).first_attempt());
  EXPECT_FALSE(id(1).first_attempt());
  EXPECT_FALSE(id(2).first_attempt());
  EXPECT_TRUE(id(3).first_attempt());
}

TEST(ConnectionTest, AMutationSaysWhatRevisionItsClientHadSeenBeforeIt) {
  Fixture f;
  const SharedChanges::Change change = {"Assign", {}, Of<float>({2}, {1, 2})};
  f.transport->failures = 1;  // asking for the revision is repeated too

  ASSERT_OK(f.connection->Upload(change));
  ASSERT_OK(f.connection->Upload(change));

  ASSERT_THAT(f.transport->uploads, SizeIs(2));
  const auto& first = f.transport->uploads[0].header().request_id();
  EXPECT_TRUE(first.first_attempt());
  EXPECT_EQ(first.since(), 3u);  // asked for
  EXPECT_EQ(f.transport->uploads[1].header().request_id().since(), 5u);
}

TEST(ConnectionTest, MessagesStayBelowFourMebibytes) {
  Fixture f;
  auto big = Tensor::Create(DType::kInt8, {10'000'000}).value();
  std::ranges::fill(big->mutable_bytes(), std::byte{3});
  v1::AssignHeader header;
  header.set_name(std::string(4000, 'n'));

  ASSERT_OK(f.connection->Upload({"Assign", header, big}));
  ASSERT_OK(f.connection->Upload({"Assign", header, Of<int8_t>({0}, {})}));

  EXPECT_LT(f.transport->largest_message, 4u << 20);
  EXPECT_EQ(f.transport->uploads[0].data(), std::string(10'000'000, '\3'));
  EXPECT_EQ(f.transport->uploads[1].data(), "");
  EXPECT_EQ(f.transport->uploads[1].header().shape().dims(0), 0);
}

TEST(ConnectionTest, OtherErrorsAreNotRepeated) {
  Fixture f;
  v1::EnterScopeRequest request;
  request.set_session_id("unknown");
  v1::EnterScopeResponse response;

  EXPECT_THAT(f.connection->Call("EnterScope", request, &response),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("unknown")));
}

// Declares scope, scope inside, variable inside.
void Declare(SessionCore* session, v1::Scope* inner) {
  auto outer = session->EnterScope({}).value();
  v1::EnterScopeRequest enter;
  *enter.mutable_current() = outer;
  *inner = session->EnterScope(enter).value();
}

absl::Status Get(SessionCore* session, const v1::Scope& scope) {
  v1::GetVariableRequest request;
  *request.mutable_scope() = scope;
  v1::GetVariableResponse response;
  auto info = session->GetVariable(request);
  // The fake describes no variable.
  return info.status();
}

TEST(SessionCoreTest, ALostSessionIsDeclaredAgainWithItsScopes) {
  Fixture f;
  auto session = SessionCore::Open(f.connection, {}).value();
  v1::Scope inner;
  Declare(session.get(), &inner);
  ASSERT_OK(Get(session.get(), inner));
  f.transport->session = "";
  f.transport->calls.clear();

  EXPECT_OK(Get(session.get(), inner));

  EXPECT_THAT(f.transport->calls,
              ElementsAre("Enter s2 in 0", "Enter s2 in 201", "Get s2 in 202",
                          "Get s2 in 202"));
}

TEST(SessionCoreTest, ADeclarationThatMayHaveArrivedIsMadeInANewSession) {
  Fixture f;
  auto session = SessionCore::Open(f.connection, {}).value();
  v1::Scope inner;
  Declare(session.get(), &inner);
  f.transport->failures = 1;
  f.transport->applies = true;
  f.transport->calls.clear();

  EXPECT_OK(Get(session.get(), inner));

  EXPECT_THAT(f.transport->calls,
              ElementsAre("Get s1 in 102", "Enter s2 in 0", "Enter s2 in 201",
                          "Get s2 in 202"));
  EXPECT_THAT(f.transport->ids, SizeIs(1));
}

}  // namespace
}  // namespace varkeep::client
