// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdlib>
#include <optional>

#include "server/durability/mutation_codec.h"
#include "server/service/assign_upload.h"
#include "server/service/transaction_upload.h"
#include "server/variables/variable_store.h"
#include "tensor/tensor_ops.h"
#include "tests/fuzz/fuzz_targets.h"

namespace varkeep {
namespace {

constexpr int64_t kMaxVariableBytes = 1 << 16;

void Require(bool ok) {
  if (!ok) std::abort();
}

// The messages of a call: each behind the two bytes of its size.
std::vector<std::span<const uint8_t>> Split(std::span<const uint8_t> bytes) {
  std::vector<std::span<const uint8_t>> messages;
  while (bytes.size() >= 2) {
    const size_t wanted = bytes[0] + 256u * bytes[1];
    bytes = bytes.subspan(2);
    messages.push_back(bytes.first(std::min(wanted, bytes.size())));
    bytes = bytes.subspan(messages.back().size());
  }
  return messages;
}

// A vector "v", a matrix "m", and a bool "b", all zero.
void Fill(VariableStore* store) {
  const auto declare = [store](const std::string& name, DType dtype,
                               std::vector<int64_t> dims) {
    DeclareMutation declaration;
    declaration.spec.name = name;
    declaration.spec.dtype = dtype;
    declaration.spec.shape = *Shape::Create(dims);
    declaration.spec.initializer = ZerosInitializer{};
    Require(store->Apply(declaration).ok());
  };
  declare("v", DType::kFloat32, {4});
  declare("m", DType::kInt64, {3, 2});
  declare("b", DType::kBool, {2});
  Require(store->Apply(InitializeMutation{"", {"v", "m", "b"}, false}).ok());
}

std::optional<Mutation> Assigned(
    AssignKind kind, const VariableStore& store,
    const std::vector<std::span<const uint8_t>>& messages) {
  CallMemory memory(kMaxVariableBytes);
  AssignUpload upload(kind, &store, &memory);
  for (const auto& message : messages) {
    google::protobuf::io::ArrayInputStream stream(
        message.data(), static_cast<int>(message.size()), 7);
    if (!upload.Add(&stream).ok()) return std::nullopt;
  }
  absl::StatusOr<Mutation> mutation = upload.Finish();
  if (!mutation.ok()) return std::nullopt;
  return *std::move(mutation);
}

std::optional<Mutation> Transacted(
    const std::vector<std::span<const uint8_t>>& messages) {
  CallMemory memory(kMaxVariableBytes);
  TransactionUpload upload({kMaxVariableBytes, 0}, &memory);
  for (const auto& bytes : messages) {
    v1::TransactionRequest message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        !upload.Add(message).ok()) {
      return std::nullopt;
    }
  }
  absl::StatusOr<Mutation> mutation = upload.Finish();
  if (!mutation.ok()) return std::nullopt;
  return *std::move(mutation);
}

void RequireSame(const VariableStore& a, const VariableStore& b) {
  const StoreSnapshot x = a.Snapshot();
  const StoreSnapshot y = b.Snapshot();
  Require(x.variables.size() == y.variables.size());
  for (size_t i = 0; i < x.variables.size(); ++i) {
    Require(BitwiseEqual(*x.variables[i].value, *y.variables[i].value));
  }
}

}  // namespace

void DecodeAnyRequest(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  ThreadPool pool(1);
  VariableStore store({kMaxVariableBytes, 0}, &pool);
  VariableStore replayed({kMaxVariableBytes, 0}, &pool);
  Fill(&store);
  Fill(&replayed);
  const auto messages = Split(bytes.subspan(1));
  std::optional<Mutation> mutation =
      bytes[0] % 4 == 3
          ? Transacted(messages)
          : Assigned(static_cast<AssignKind>(bytes[0] % 4), store, messages);
  if (!mutation) return;
  // The log must lead to the same values.
  const storage::LogEntry entry = EncodeMutation(*mutation, std::nullopt);
  mutation.reset();
  absl::StatusOr<LoggedMutation> logged = DecodeMutation(entry);
  Require(logged.ok());
  const bool applied = store.Apply(logged->mutation).ok();
  logged = DecodeMutation(entry);
  if (applied) Require(replayed.Replay(logged->mutation, {}, nullptr).ok());
  RequireSame(store, replayed);
}

void DecodeAnyMutation(std::span<const uint8_t> bytes) {
  storage::LogEntry entry;
  entry.body.assign(bytes.begin(), bytes.end());
  entry.tensors.push_back(*MakeTensor<float>(*Shape::Create({}), {{1.0f}}));
  absl::StatusOr<LoggedMutation> logged = DecodeMutation(entry);
  if (!logged.ok()) {
    Require(absl::IsDataLoss(logged.status()));
    return;
  }
  // What was understood is written and understood again.
  Require(
      DecodeMutation(EncodeMutation(logged->mutation, logged->request)).ok());
}

}  // namespace varkeep
