// SPDX-License-Identifier: Apache-2.0
#include "server/durability/mutation_codec.h"

#include <nlohmann/json.hpp>

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

TensorRef Floats(const std::vector<float>& values) {
  return Of<float>({static_cast<int64_t>(values.size())}, values);
}

VariableSpec SpecWithValue(const std::string& name) {
  return SpecOf(name, {3}, DType::kFloat32,
                ValueInitializer{Floats({1, 2, 3})});
}

ScatterMutation Scatter(ScatterOp op, bool nd) {
  const Shape shape = nd ? Shape({2, 1}) : Shape({2});
  return {"c", "v", op, nd, Of<int32_t>(shape, {0, 2}), Floats({5, 7}), {}};
}

RestoreMutation Restore() {
  RestoreMutation restore;
  restore.items.resize(2);
  restore.items[0].info.container = "c";
  restore.items[0].info.spec = SpecWithValue("v");
  restore.items[0].value = Floats({7, 8, 9});
  restore.items[1].info.spec = SpecOf("restored");
  restore.items[1].info.declared = 5;
  restore.items[1].info.run = 6;
  return restore;
}

// One of each kind, in an order in which all succeed.
std::vector<Mutation> AllMutations() {
  std::vector<Mutation> mutations = {
      DeclareMutation{"c", SpecWithValue("v"), true},
      DeclareMutation{"", SpecOf("w", {2, 0}), false},
      InitializeMutation{"c", {"v"}, false},
      InitializeMutation{"c", {"v"}, true},
      AssignMutation{"c", "v", Floats({4, 5, 6}), {}, true},
      UpdateMutation{"c", "v", UpdateOp::kAdd, Floats({1, 1, 1}), {}},
      UpdateMutation{"c", "v", UpdateOp::kSubtract, Floats({0, 2, 0}), {}},
      AddToCollectionMutation{"c", "v", {"a", "b"}},
      Restore()};
  TransactionMutation transaction{"c", {}, {}};
  for (ScatterOp op : {ScatterOp::kUpdate, ScatterOp::kAdd,
                       ScatterOp::kSubtract, ScatterOp::kMultiply,
                       ScatterOp::kDivide, ScatterOp::kMin, ScatterOp::kMax}) {
    for (bool nd : {false, true}) {
      mutations.push_back(Scatter(op, nd));
      transaction.operations.push_back(Scatter(op, nd));
    }
  }
  transaction.operations.push_back(
      AssignMutation{"c", "v", Floats({2, 2, 2}), {}, true});
  transaction.operations.push_back(
      UpdateMutation{"c", "v", UpdateOp::kAdd, Floats({1, 2, 3}), {}});
  mutations.push_back(transaction);
  mutations.push_back(DeleteMutation{"", "w"});
  mutations.push_back(ResetContainerMutation{"c"});
  return mutations;
}

class MutationCodecTest : public StoreTest {
 protected:
  // What reading a body gives whose members were changed.
  absl::Status DecodeChanged(const Mutation& mutation,
                             const std::function<void(json&)>& change) {
    storage::LogEntry entry = EncodeMutation(mutation, RequestId{1, 2});
    json body = json::parse(entry.body);
    change(body);
    entry.body = body.dump();
    return DecodeMutation(entry).status();
  }
};

TEST_F(MutationCodecTest, WhatComesBackDoesTheSame) {
  VariableStore replayed({}, &pool_);
  for (const Mutation& mutation : AllMutations()) {
    const storage::LogEntry entry = EncodeMutation(mutation, {});
    SCOPED_TRACE(entry.body);
    ASSERT_OK_AND_ASSIGN(LoggedMutation logged, DecodeMutation(entry));
    ASSERT_OK(store_.Apply(mutation));
    ASSERT_OK(replayed.Apply(logged.mutation));
    EXPECT_EQ(logged.request, std::nullopt);
    ExpectSameSnapshot(replayed.Snapshot(), store_.Snapshot());
  }
}

TEST_F(MutationCodecTest, TheRequestComesBack) {
  const RequestId id{~uint64_t{0}, 7};
  ASSERT_OK_AND_ASSIGN(
      LoggedMutation logged,
      DecodeMutation(EncodeMutation(DeleteMutation{"c", "v"}, id)));

  EXPECT_EQ(logged.request, id);
}

TEST_F(MutationCodecTest, WhatIsNoMutationIsDataLoss) {
  const std::pair<const char*, const char*> bodies[] = {
      {"", "parse error"},
      {"[1]", "cannot use at()"},
      {"{}", "key 'op' not found"},
      {R"({"op":5})", "must be string"},
      {R"({"op":"rename"})", "unknown op 'rename'"},
      {R"({"op":"delete","container":""})", "key 'name' not found"}};
  for (const auto& [body, reason] : bodies) {
    storage::LogEntry entry;
    entry.body = body;
    EXPECT_THAT(DecodeMutation(entry),
                StatusIs(StatusCode::kDataLoss,
                         AllOf(HasSubstr("the record is not a mutation: "),
                               HasSubstr(reason))))
        << body;
  }
}

// The paths of all values in `body` that are no objects.
void CollectLeaves(const json& body, const json::json_pointer& at,
                   std::vector<json::json_pointer>* leaves) {
  if (!body.is_object() &&
      !(body.is_array() && !body.empty() && body[0].is_object())) {
    leaves->push_back(at);
    return;
  }
  for (const auto& [key, value] : body.items()) {
    CollectLeaves(value, body.is_array() ? at / std::stoul(key) : at / key,
                  leaves);
  }
}

TEST_F(MutationCodecTest, AMissingOrMistypedMemberIsDataLoss) {
  for (const Mutation& mutation : AllMutations()) {
    const json body =
        json::parse(EncodeMutation(mutation, RequestId{1, 2}).body);
    std::vector<json::json_pointer> leaves;
    CollectLeaves(body, json::json_pointer(), &leaves);
    for (const json::json_pointer& leaf : leaves) {
      SCOPED_TRACE(body.dump() + " " + leaf.to_string());
      const auto damaged = StatusIs(
          StatusCode::kDataLoss, HasSubstr("the record is not a mutation: "));
      EXPECT_THAT(DecodeChanged(mutation,
                                [&](json& changed) {
                                  changed.at(leaf) = json::object({{"x", 1}});
                                }),
                  damaged);
      if (leaf.back() == "client") continue;  // then there is no request
      EXPECT_THAT(DecodeChanged(mutation,
                                [&](json& changed) {
                                  json& parent =
                                      changed.at(leaf.parent_pointer());
                                  if (parent.is_object()) {
                                    parent.erase(leaf.back());
                                  } else {
                                    parent = nullptr;
                                  }
                                }),
                  damaged);
    }
  }
}

TEST_F(MutationCodecTest, WhatAMemberSaysMustMakeSense) {
  const DeclareMutation declare{"c", SpecWithValue("v"), false};
  const AssignMutation assign{"c", "v", Floats({1}), {}, true};
  const TransactionMutation transaction{"c", {assign}, {}};
  struct {
    Mutation mutation;
    const char* member;
    json value;
    const char* reason;
  } const changes[] = {
      {assign, "/value", 1, "a tensor is missing"},
      {assign, "/value", nullptr, "a tensor is missing"},
      {assign, "/value", -1, "a number is no unsigned integer"},
      {declare, "/spec/dtype", "float31", "float31"},
      {declare, "/spec/shape", json::array({-1}), "no unsigned integer"},
      {declare, "/spec/shape", json::array({~uint64_t{0}}), "shape"},
      {declare, "/spec/shape", nullptr, "a list is none"},
      {transaction, "/operations", nullptr, "a list is none"},
      {Restore(), "/items", json::object(), "a list is none"},
      {declare, "/spec/initializer", "{", "not a JSON object"},
      {declare, "/spec/initial_value", nullptr, "without its tensor"},
      {Scatter(ScatterOp::kAdd, false), "/how", "xor", "unknown scatter 'xor'"},
      {transaction, "/operations/0/op", "delete",
       "a transaction has an operation that is none"},
      {assign, "/sequence", "2", "a number is no unsigned integer"}};
  for (const auto& change : changes) {
    EXPECT_THAT(DecodeChanged(change.mutation,
                              [&](json& body) {
                                body[json::json_pointer(change.member)] =
                                    change.value;
                              }),
                StatusIs(StatusCode::kDataLoss, HasSubstr(change.reason)))
        << change.member << " " << change.value;
  }
}

}  // namespace
}  // namespace varkeep
