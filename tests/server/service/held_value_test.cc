// SPDX-License-Identifier: Apache-2.0
//
// Rows that change while a slow reader holds the value, as clients see it.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/server/service/calls.h"

namespace varkeep {
namespace {

constexpr int64_t kRows = 4000;
constexpr int64_t kColumns = 2048;  // more than a client receives unasked

class HeldValueTest : public ::testing::Test {
 protected:
  using Reader = grpc::ClientReader<v1::ReadValuesResponse>;

  HeldValueTest() : value_(static_cast<size_t>(kRows * kColumns)) {}

  void SetUp() override {
    ASSERT_OK(stubs_.Declare("v", {kRows, kColumns}));
    v1::InitializeRequest request;
    request.mutable_selection()->set_all(true);
    ASSERT_OK(Stubs::Call(stubs_.variables.get(),
                          &v1::VariableService::Stub::Initialize, request));
  }

  // Adds a number to all of some rows.
  void Add(const std::vector<int32_t>& rows, float number) {
    v1::TransactionRequest change;
    v1::Operation* add = change.add_operations();
    add->set_kind(v1::Operation::SCATTER_ADD);
    add->set_name("v");
    add->mutable_indices()->set_dtype(v1::DTYPE_INT32);
    add->mutable_indices()->mutable_shape()->add_dims(
        static_cast<int64_t>(rows.size()));
    add->mutable_value()->set_dtype(v1::DTYPE_FLOAT32);
    add->mutable_value()->mutable_shape();
    change.mutable_data()->append(reinterpret_cast<const char*>(rows.data()),
                                  rows.size() * sizeof(int32_t));
    change.mutable_data()->append(reinterpret_cast<const char*>(&number),
                                  sizeof(number));
    grpc::ClientContext context;
    v1::TransactionResponse response;
    auto writer = stubs_.variables->Transaction(&context, &response);
    writer->Write(change);
    writer->WritesDone();
    ASSERT_OK(FromGrpc(writer->Finish()));
    for (int32_t row : rows) {
      for (int64_t i = 0; i < kColumns; ++i) {
        value_[static_cast<size_t>(row * kColumns + i)] += number;
      }
    }
  }

  std::unique_ptr<Reader> Read(grpc::ClientContext* context,
                               const SliceSpec& slice = {}) {
    v1::ReadValueRequest request;
    request.set_name("v");
    if (!slice.begin.empty()) SliceToProto(slice, request.mutable_slice());
    return stubs_.variables->ReadValue(context, request);
  }

  std::unique_ptr<Reader> Gather(grpc::ClientContext* context, int32_t row) {
    v1::GatherRequest request;
    request.set_name("v");
    TensorToProto(*Of<int32_t>({1}, {row}), request.mutable_indices());
    return stubs_.variables->Gather(context, request);
  }

  static std::vector<float> RestOf(std::unique_ptr<Reader> reader,
                                   std::string bytes = "") {
    v1::ReadValuesResponse message;
    while (reader->Read(&message)) bytes += message.data();
    EXPECT_OK(FromGrpc(reader->Finish()));
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy(bytes.begin(), bytes.end(),
              reinterpret_cast<char*>(values.data()));
    return values;
  }

  std::vector<float> Expected(int64_t first, int64_t rows) const {
    return {value_.begin() + first * kColumns,
            value_.begin() + (first + rows) * kColumns};
  }

  InProcessServer server_;
  Stubs stubs_{server_};
  std::vector<float> value_;  // as it should be now
};

TEST_F(HeldValueTest, TheSlowReaderGetsTheOldValueAndOthersTheNew) {
  const std::vector<float> old = value_;
  grpc::ClientContext slow_context;
  std::unique_ptr<Reader> slow = Read(&slow_context);
  v1::ReadValuesResponse first;
  ASSERT_TRUE(slow->Read(&first));

  Add({3, 2000, 3, kRows - 1}, 1);
  std::vector<int32_t> many(500);
  std::iota(many.begin(), many.end(), 1000);
  Add(many, 0.5);

  grpc::ClientContext contexts[4];
  EXPECT_TRUE(RestOf(Read(&contexts[0])) == value_);
  EXPECT_TRUE(RestOf(Read(&contexts[1], {{1998, 0}, {100, -1}})) ==
              Expected(1998, 100));
  EXPECT_TRUE(RestOf(Gather(&contexts[2], 2000)) == Expected(2000, 1));
  EXPECT_TRUE(RestOf(std::move(slow), first.data()) == old);

  Add({7}, 2);
  EXPECT_TRUE(RestOf(Read(&contexts[3])) == value_);
}

TEST_F(HeldValueTest, WhatChangedTakesMemoryUntilItIsFolded) {
  const auto replaced = [&] {
    return Stubs::Call(stubs_.admin.get(), &v1::AdminService::Stub::Status,
                       v1::StatusRequest())
        ->replaced_value_bytes();
  };
  grpc::ClientContext slow_context;
  std::unique_ptr<Reader> slow = Read(&slow_context);
  v1::ReadValuesResponse first;
  ASSERT_TRUE(slow->Read(&first));
  Add({1, 2}, 1);
  // Two rows of two pages each.
  EXPECT_EQ(replaced(), 4 * 4096);

  RestOf(std::move(slow));
  first.Clear();
  v1::SaveRequest save;
  grpc::ClientContext saving;
  auto progress = stubs_.checkpoints->Save(&saving, save);
  v1::SaveResponse saved;
  while (progress->Read(&saved)) {
  }
  ASSERT_OK(FromGrpc(progress->Finish()));
  EXPECT_EQ(replaced(), 0);
  grpc::ClientContext context;
  EXPECT_TRUE(RestOf(Read(&context)) == value_);
}

}  // namespace
}  // namespace varkeep
