// SPDX-License-Identifier: Apache-2.0
//
// The client library against a varkeepd of its own.
#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "client/admin_client.h"
#include "tests/testing/server_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ClientTest : public ::testing::Test {
 protected:
  std::shared_ptr<Client> Connect(RetryPolicy retry = {}) {
    return Client::Connect(server_.address(), {.retry = retry}).value();
  }
  std::shared_ptr<Session> OpenSession() {
    return Connect()->OpenSession().value();
  }

  ServerProcess server_;
};

std::vector<std::string> Names(const std::vector<Variable>& variables) {
  std::vector<std::string> names;
  for (const Variable& variable : variables) names.push_back(variable.name());
  return names;
}

// TensorFlow's sharing tutorial: a layer under two scopes.
std::vector<std::string> TwoLayers(VariableScope& model) {
  std::vector<std::string> names;
  for (const char* layer : {"conv1", "conv2"}) {
    VariableScope scope = model.EnterScope(layer).value();
    names.push_back(
        scope.GetVariable("weights", {5, 5, 2, 2}, RandomNormal())->name());
    names.push_back(scope.GetVariable("biases", {2}, Constant(0.0))->name());
  }
  return names;
}

TEST_F(ClientTest, ScopesReadAsInTensorFlow) {
  auto session = OpenSession();
  VariableScope model = session->EnterScope("model").value();

  auto first = TwoLayers(model);
  model.reuse_variables();
  auto second = TwoLayers(model);

  EXPECT_THAT(first,
              ElementsAre("model/conv1/weights:0", "model/conv1/biases:0",
                          "model/conv2/weights:0", "model/conv2/biases:0"));
  EXPECT_EQ(first, second);
  EXPECT_EQ(Names(session->TrainableVariables().value()), first);
  EXPECT_THAT(model.GetVariable("nope", {1}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("model/nope")));
}

TEST_F(ClientTest, CreateVariableMakesNamesUnique) {
  auto session = OpenSession();
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(session->CreateVariable("weights", {784, 200},
                                      RandomNormal({.stddev = 0.35})));
  }

  ASSERT_OK_AND_ASSIGN(auto variables, session->GlobalVariables());

  EXPECT_THAT(Names(variables), ElementsAre("weights:0", "weights_1:0"));
  EXPECT_EQ(variables[0].ToString(),
            "<tf.Variable 'weights:0' shape=(784, 200) dtype=float32_ref>");
}

TEST_F(ClientTest, ScopesAreLeftInnermostFirst) {
  auto session = OpenSession();
  VariableScope outer = session->EnterScope("outer").value();
  {
    VariableScope inner = outer.EnterScope("inner").value();
    EXPECT_EQ(inner.name(), "outer/inner");
    EXPECT_EQ(inner.name_scope(), "outer/inner/");

    EXPECT_THAT(outer.Leave(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("Improper nesting")));
  }
  EXPECT_OK(outer.Leave());
}

TEST_F(ClientTest, ValuesGoInAndOut) {
  auto session = OpenSession();
  ASSERT_OK_AND_ASSIGN(Variable v, session->GetVariable("v", {2, 2}, Ones()));
  EXPECT_THAT(v.Read(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("uninitialized value v")));
  EXPECT_THAT(session->ReportUninitialized(), IsOkAndHolds(ElementsAre("v")));
  EXPECT_THAT(session->Initialize(), IsOkAndHolds(ElementsAre("v")));

  std::vector<float> delta = {1, 2, 3, 4};
  ASSERT_OK_AND_ASSIGN(uint64_t version,
                       v.AssignAdd(std::span<const float>(delta)));

  EXPECT_THAT(*v.Read(), TensorEq(Of<float>({2, 2}, {2, 3, 4, 5})));
  EXPECT_THAT(*v.Read({.begin = {1, 0}, .size = {1, -1}}),
              TensorEq(Of<float>({1, 2}, {4, 5})));
  std::vector<float> memory(4);
  EXPECT_THAT(v.ReadInto(std::span<float>(memory)), IsOkAndHolds(version));
  EXPECT_THAT(memory, ElementsAre(2, 3, 4, 5));
  EXPECT_FALSE(v.ReadIfNewer(version)->has_value());
  EXPECT_TRUE(v.ReadIfNewer(version - 1)->has_value());
  EXPECT_THAT(v.AssignSub(std::span<const float>(delta),
                          {.expected_version = version - 1}),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("v")));
  std::vector<double> wrong(4);
  EXPECT_THAT(
      v.Assign(std::span<const double>(wrong)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("float64")));
}

TEST_F(ClientTest, HundredMegabytesGoRound) {
  auto session = OpenSession();
  ASSERT_OK_AND_ASSIGN(Variable v, session->GetVariable("v", {26214400}));
  ASSERT_OK_AND_ASSIGN(auto value, Tensor::Create(v.dtype(), v.shape()));
  auto words = value->mutable_values<float>();
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<float>(i);

  ASSERT_OK(v.Assign(value));

  EXPECT_THAT(*v.Read(), TensorEq(value));
}

TEST_F(ClientTest, ASnapshotIsOneCut) {
  auto session = OpenSession();
  std::vector<Variable> pair = {
      session->GetVariable("a", {1000}, Zeros()).value(),
      session->GetVariable("b", {0}, Zeros()).value(),
      session->GetVariable("c", {}, Zeros()).value()};
  ASSERT_OK(session->Initialize());

  ASSERT_OK_AND_ASSIGN(Snapshot snapshot, session->ReadSnapshot(pair));

  ASSERT_EQ(snapshot.values.size(), 3u);
  EXPECT_EQ(snapshot.values[0]->num_elements(), 1000);
  EXPECT_EQ(snapshot.values[1]->num_elements(), 0);
  EXPECT_EQ(snapshot.values[2]->shape(), Shape{});
  EXPECT_GT(snapshot.revision, 0u);
  EXPECT_THAT(session->ReadSnapshot({})->values, IsEmpty());
}

TEST_F(ClientTest, SnapshotsOfTheSameVariablesShowWhatIsThere) {
  auto session = OpenSession();
  std::vector<Variable> pair = {
      session->GetVariable("a", {2}, Zeros()).value(),
      session->GetVariable("b", {3}, Zeros()).value()};
  ASSERT_OK(session->Initialize());
  const auto read = [&] { return session->ReadSnapshot(pair).value(); };
  EXPECT_THAT(read().values[0], TensorEq(Of<float>({2}, {0, 0})));
  const std::vector<float> one = {1, 1, 1};

  ASSERT_OK_AND_ASSIGN(uint64_t version,
                       pair[1].Assign(std::span<const float>(one)));
  Snapshot snapshot = read();
  EXPECT_THAT(snapshot.values[0], TensorEq(Of<float>({2}, {0, 0})));
  EXPECT_THAT(snapshot.values[1], TensorEq(Of<float>({3}, {1, 1, 1})));
  EXPECT_EQ(snapshot.versions[1], version);
  EXPECT_EQ(snapshot.revision, version);

  std::swap(pair[0], pair[1]);
  EXPECT_EQ(read().values[0]->shape(), Shape({3}));
  ASSERT_OK(pair[0].Assign(Of<float>({1}, {5}), {.validate_shape = false}));
  EXPECT_THAT(read().values[0], TensorEq(Of<float>({1}, {5})));

  ASSERT_OK(AdminClient(*Connect()).DeleteVariable("", "b"));
  auto other = OpenSession();
  ASSERT_OK(other->GetVariable("b", {1}, Ones()));
  EXPECT_THAT(session->ReadSnapshot(pair),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("uninitialized value b")));
  ASSERT_OK(other->Initialize());
  EXPECT_THAT(read().values[0], TensorEq(Of<float>({1}, {1})));

  ASSERT_OK(AdminClient(*Connect()).Save());
  server_.Kill();
  server_.Start();
  EXPECT_THAT(read().values[0], TensorEq(Of<float>({1}, {1})));
}

TEST_F(ClientTest, ASessionSurvivesAKilledServer) {
  auto session = OpenSession();
  VariableScope model = session->EnterScope("model").value();
  ASSERT_OK_AND_ASSIGN(Variable v, model.GetVariable("v", {2}, Ones()));
  ASSERT_OK(session->AddToCollection("mine", v));
  { auto closed = model.EnterUniqueScope("block").value(); }
  ASSERT_OK(session->Initialize());
  ASSERT_OK(AdminClient(*Connect()).Save());

  server_.Kill();
  server_.Start();  // serves later than the next call is made
  std::vector<float> one = {1, 1};
  EXPECT_OK(v.AssignAdd(std::span<const float>(one)));

  EXPECT_THAT(*v.Read(), TensorEq(Of<float>({2}, {2, 2})));
  EXPECT_EQ(Names(*session->Collection("mine")),
            std::vector<std::string>{"model/v:0"});
  // Scopes go on where they were.
  EXPECT_EQ(model.EnterUniqueScope("block")->name(), "model/block_1");
  EXPECT_THAT(model.GetVariable("v", {2}),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("model/v")));
  EXPECT_EQ(model.GetVariable("w", {2})->name(), "model/w:0");
  EXPECT_OK(model.Leave());
}

TEST_F(ClientTest, VariablesThatTheServerLostAreDeclaredAgain) {
  auto session = OpenSession();
  ASSERT_OK_AND_ASSIGN(Variable v, session->GetVariable("v", {2}, Ones()));

  server_.Kill();
  server_.Start();

  // Without a checkpoint a killed server knows nothing of it.
  std::vector<float> two = {2, 2};
  EXPECT_OK(v.Assign(std::span<const float>(two)));
  EXPECT_THAT(*v.Read(), TensorEq(Of<float>({2}, {2, 2})));
}

TEST_F(ClientTest, AWaitSurvivesAKilledServer) {
  auto session = OpenSession();
  ASSERT_OK(session->GetVariable("v", {2}, Ones()));
  absl::Status waited = absl::UnknownError("still waiting");
  std::thread waiter([&] { waited = session->WaitUntilInitialized(); });

  server_.Kill();
  server_.Start();
  auto other = OpenSession();
  ASSERT_OK(other->GetVariable("v", {2}, Ones()));
  ASSERT_OK(other->Initialize());
  waiter.join();

  EXPECT_OK(waited);
}

TEST_F(ClientTest, AWaitEndsAtItsDeadline) {
  auto session = OpenSession();
  ASSERT_OK(session->GetVariable("v", {2}, Ones()));

  EXPECT_THAT(session->WaitUntilInitialized(Selection::GlobalVariables(),
                                            absl::Milliseconds(100)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
}

TEST_F(ClientTest, GivesUpWhenTheServerStaysAway) {
  auto client = Connect({.timeout = absl::Milliseconds(300)});
  auto session = client->OpenSession().value();
  ASSERT_OK_AND_ASSIGN(Variable v, session->GetVariable("v", {2}, Ones()));

  server_.Kill();

  EXPECT_THAT(v.Read(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("")));
  EXPECT_THAT(session->GetVariable("w", {2}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("")));
}

TEST_F(ClientTest, ThreadsHaveScopesOfTheirOwn) {
  auto session = OpenSession();
  VariableScope outer = session->EnterScope("outer").value();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      VariableScope root = session->NewThreadRoot();
      for (int j = 0; j < 10; ++j) {
        std::string name = std::string("t") + char('0' + i) + char('0' + j);
        VariableScope scope = root.EnterScope(name).value();
        auto v = scope.GetVariable("v", {1});
        if (!v.ok() || v->op_name() != name + "/v" || !scope.Leave().ok()) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, 0);
  EXPECT_OK(outer.Leave());
}

}  // namespace
}  // namespace varkeep::client
