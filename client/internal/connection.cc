// SPDX-License-Identifier: Apache-2.0
#include "client/internal/connection.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"

namespace varkeep::client {
namespace {

// With its head, a message stays below 4 MiB, which every server takes.
constexpr size_t kBodyBytes = 63 * 65536;
// More are announced in several messages.
constexpr size_t kMostNames = 1000;
// Tensors of a transaction that are worth copying into one message.
constexpr size_t kSmallBytes = 64 << 10;

uint64_t RandomId() {
  std::random_device device;
  std::uniform_int_distribution<uint64_t> draw(1);
  return draw(device);
}

std::string MethodName(const std::string& method) {
  if (method.front() == '/') return method;
  return "/varkeep.v1.VariableService/" + method;
}

// What comes before the bytes of a field: its tag and their number.
std::string DataHead(int field, size_t bytes) {
  using google::protobuf::io::CodedOutputStream;
  uint8_t head[16];
  uint8_t* end = CodedOutputStream::WriteTagToArray(
      (static_cast<uint32_t>(field) << 3) | 2, head);
  end = CodedOutputStream::WriteVarint64ToArray(bytes, end);
  return {head, end};
}

// A ReadValuesRequest.
std::string EncodedRead(absl::string_view container,
                        const std::vector<absl::string_view>& names) {
  using Request = v1::ReadValuesRequest;
  std::string encoded;
  const auto append = [&](int field, absl::string_view text) {
    encoded += DataHead(field, text.size());
    encoded.append(text.data(), text.size());
  };
  if (!container.empty()) append(Request::kContainerFieldNumber, container);
  for (absl::string_view name : names) {
    append(Request::kNamesFieldNumber, name);
  }
  return encoded;
}

// The bytes of all tensors, when they are small.
std::vector<std::byte> Gathered(const std::vector<TensorRef>& tensors) {
  size_t size = 0;
  for (const TensorRef& tensor : tensors) size += tensor->bytes().size();
  std::vector<std::byte> gathered;
  if (size > kSmallBytes) return gathered;
  gathered.reserve(size);
  for (const TensorRef& tensor : tensors) {
    const std::span<const std::byte> bytes = tensor->bytes();
    gathered.insert(gathered.end(), bytes.begin(), bytes.end());
  }
  return gathered;
}

std::vector<std::span<const std::byte>> Pieces(
    const std::vector<TensorRef>& tensors) {
  std::vector<std::span<const std::byte>> pieces;
  for (const TensorRef& tensor : tensors) {
    for (std::span<const std::byte> rest = tensor->bytes(); !rest.empty();) {
      pieces.push_back(rest.first(std::min(kBodyBytes, rest.size())));
      rest = rest.subspan(pieces.back().size());
    }
  }
  return pieces;
}

v1::Operation::Kind KindOf(const std::string& method) {
  if (method == "AssignAdd") return v1::Operation::ASSIGN_ADD;
  if (method == "AssignSub") return v1::Operation::ASSIGN_SUB;
  return v1::Operation::ASSIGN;
}

// An AssignRequest without the bytes of its data.
std::string PartHead(const v1::AssignHeader* header, size_t body_bytes) {
  v1::AssignRequest request;
  if (header != nullptr) *request.mutable_header() = *header;
  const std::string head = request.SerializeAsString();
  if (body_bytes == 0) return head;
  return head + DataHead(v1::AssignRequest::kDataFieldNumber, body_bytes);
}

}  // namespace

std::string OpName(const std::string& name) {
  return std::string(absl::StripSuffix(name, ":0"));
}

Connection::Connection(std::unique_ptr<Transport> transport,
                       const RetryPolicy& policy)
    : transport_(std::move(transport)),
      policy_(policy),
      client_id_(RandomId()),
      shared_reads_([this](const auto& container, const auto& names) {
        return ReadAll(container, names);
      }),
      shared_changes_(
          [this](const auto& change) { return Upload(change); },
          [this](const auto& changes) { return ChangeAll(changes); }) {}

void Connection::Saw(uint64_t revision) {
  uint64_t seen = seen_.load(std::memory_order_relaxed);
  while (seen < revision && !seen_.compare_exchange_weak(
                                seen, revision, std::memory_order_relaxed)) {
  }
}

absl::Status Connection::LearnRevision(absl::Duration timeout) {
  TensorReceiver receiver({}, std::nullopt, nullptr);
  RETURN_IF_ERROR(
      transport_->ReadValues(/*request=*/"", timeout, &receiver, /*bytes=*/0));
  Saw(receiver.revision());
  return absl::OkStatus();
}

absl::Status Connection::Identify(v1::RequestId* id, absl::Duration timeout) {
  if (id == nullptr) return absl::OkStatus();
  if (id->sequence() != 0) {
    id->clear_first_attempt();
    return absl::OkStatus();
  }
  if (seen_ == 0) RETURN_IF_ERROR(LearnRevision(timeout));
  id->set_client(client_id_);
  id->set_sequence(sequence_.fetch_add(1) + 1);
  id->set_first_attempt(true);
  id->set_since(seen_);
  return absl::OkStatus();
}

bool Connection::Repeat(const absl::Status& status, Backoff* backoff,
                        bool session_lost) {
  if (!session_lost && !MayRepeat(status)) return false;
  std::optional<absl::Duration> pause = backoff->PauseBeforeRepeat();
  if (pause) transport_->Pause(*pause);
  return pause.has_value();
}

absl::Status Connection::CallOnce(const std::string& method,
                                  const google::protobuf::MessageLite& request,
                                  google::protobuf::MessageLite* response,
                                  absl::Duration timeout) {
  return transport_->Unary(MethodName(method), request, response, timeout);
}

absl::Status Connection::CallWith(const std::string& method,
                                  const google::protobuf::MessageLite& request,
                                  v1::RequestId* id,
                                  google::protobuf::MessageLite* response,
                                  std::optional<absl::Duration> longest) {
  Backoff backoff(policy_);
  while (true) {
    absl::Status status = Identify(id, backoff.remaining());
    if (status.ok()) {
      status = CallOnce(method, request, response,
                        longest.value_or(backoff.remaining()));
    }
    if (!Repeat(status, &backoff)) return status;
  }
}

absl::Status Connection::DownloadOnce(
    const std::string& method, const google::protobuf::MessageLite& request,
    absl::Duration timeout, Transport::Accept accept, int64_t bytes) {
  return transport_->Download(MethodName(method), request, timeout, accept,
                              bytes);
}

absl::StatusOr<Connection::Values> Connection::Receive(
    const std::vector<absl::string_view>& names,
    std::optional<std::span<std::byte>> into,
    const TensorReceiver::Progress& progress,
    absl::FunctionRef<absl::Status(TensorReceiver*)> attempt) {
  Backoff backoff(policy_);
  while (true) {
    TensorReceiver receiver(names, into, progress);
    absl::Status status = attempt(&receiver);
    if (status.ok()) {
      Saw(receiver.revision());
      Values result{.revision = receiver.revision(), .values = {}};
      ASSIGN_OR_RETURN(result.values, receiver.Finish());
      return result;
    }
    if (!Repeat(status, &backoff)) return status;
  }
}

absl::StatusOr<Connection::Values> Connection::Download(
    const std::string& method, const google::protobuf::MessageLite& request,
    absl::string_view name, int64_t bytes,
    std::optional<std::span<std::byte>> into,
    const TensorReceiver::Progress& progress) {
  return Receive({name}, into, progress, [&](TensorReceiver* receiver) {
    return DownloadOnce(
        method, request, policy_.timeout,
        [&](auto* message) { return receiver->Accept(message); }, bytes);
  });
}

absl::StatusOr<Connection::Values> Connection::Read(
    const v1::ReadValueRequest& request, int64_t bytes,
    std::optional<std::span<std::byte>> into,
    const TensorReceiver::Progress& progress) {
  ASSIGN_OR_RETURN(Values result, Download("ReadValue", request, request.name(),
                                           bytes, into, progress));
  if (result.values[0].not_modified && !request.has_if_newer_than()) {
    return absl::InternalError("the server's answer has no value");
  }
  return result;
}

absl::StatusOr<Connection::Values> Connection::Read(
    absl::string_view container, std::vector<absl::string_view> names,
    int64_t bytes) {
  const std::string request = EncodedRead(container, names);
  if (names.size() > kMostNames) bytes = kManyBytes;
  ASSIGN_OR_RETURN(
      Values result,
      Receive(names, std::nullopt, nullptr, [&](TensorReceiver* receiver) {
        return transport_->ReadValues(request, policy_.timeout, receiver,
                                      bytes);
      }));
  for (const TensorReceiver::Value& value : result.values) {
    if (value.not_modified) {
      return absl::InternalError("the server's answer lacks a value");
    }
  }
  return result;
}

absl::StatusOr<Connection::Values> Connection::Read(
    const v1::GatherRequest& request, int64_t bytes) {
  return Download("Gather", request, request.name(), bytes, std::nullopt,
                  nullptr);
}

absl::StatusOr<std::vector<SharedReads::Value>> Connection::ReadAll(
    const std::string& container, const std::vector<std::string>& names) {
  absl::StatusOr<Values> read;
  if (names.size() == 1) {
    v1::ReadValueRequest request;
    request.set_container(container);
    request.set_name(names[0]);
    read = Read(request, 0);
  } else {
    read = Read(container, {names.begin(), names.end()}, 0);
  }
  RETURN_IF_ERROR(read.status());
  std::vector<SharedReads::Value> values;
  for (TensorReceiver::Value& value : read->values) {
    values.push_back({std::move(value.tensor), value.version});
  }
  return values;
}

v1::Durability Connection::Wanted(std::optional<Durability> durability) const {
  if (!durability) durability = durability_;
  if (!durability) return v1::DURABILITY_UNSPECIFIED;
  switch (*durability) {
    case Durability::kNone:
      return v1::DURABILITY_NONE;
    case Durability::kInterval:
      return v1::DURABILITY_INTERVAL;
    case Durability::kFsync:
      break;
  }
  return v1::DURABILITY_FSYNC;
}

absl::StatusOr<uint64_t> Connection::Commit(
    v1::TransactionRequest request, const std::vector<TensorRef>& tensors) {
  struct Content {
    std::vector<TensorRef> tensors;
    std::vector<std::byte> gathered;
  };
  const auto content =
      std::make_shared<const Content>(Content{tensors, Gathered(tensors)});
  // What the messages carry besides the head, which is in the first.
  std::vector<std::span<const std::byte>> bodies = {content->gathered};
  if (content->gathered.empty()) {
    const auto pieces = Pieces(tensors);
    bodies.insert(bodies.end(), pieces.begin(), pieces.end());
  }
  Backoff backoff(policy_);
  while (true) {
    size_t sent = 0;  // messages
    v1::TransactionResponse response;
    std::string head;
    auto next = [&] {
      UploadPart part{.head = sent == 0 ? head : "", .body = bodies[sent]};
      if (!part.body.empty()) {
        part.head += DataHead(v1::TransactionRequest::kDataFieldNumber,
                              part.body.size());
      }
      part.last = ++sent == bodies.size();
      return part;
    };
    absl::Status status =
        Identify(request.mutable_request_id(), backoff.remaining());
    if (status.ok()) {
      head = request.SerializeAsString();
      status = transport_->Upload(MethodName("Transaction"), content, next,
                                  &response, policy_.timeout);
    }
    if (status.ok()) {
      Saw(response.revision());
      return response.revision();
    }
    if (!Repeat(status, &backoff)) return status;
  }
}

absl::StatusOr<uint64_t> Connection::ChangeAll(
    const std::vector<const SharedChanges::Change*>& changes) {
  v1::TransactionRequest request;
  request.set_container(changes[0]->header.container());
  request.set_durability(changes[0]->header.durability());
  std::vector<TensorRef> tensors;
  for (const SharedChanges::Change* change : changes) {
    v1::Operation* operation = request.add_operations();
    operation->set_kind(KindOf(change->method));
    operation->set_name(change->header.name());
    v1::TensorSpec* spec = operation->mutable_value();
    spec->set_dtype(DTypeToProto(change->value->dtype()));
    ShapeToProto(change->value->shape(), spec->mutable_shape());
    tensors.push_back(change->value);
  }
  return Commit(std::move(request), tensors);
}

absl::StatusOr<uint64_t> Connection::Upload(
    const SharedChanges::Change& change,
    const TensorReceiver::Progress& progress) {
  v1::AssignHeader header = change.header;
  const TensorRef& value = change.value;
  header.set_dtype(DTypeToProto(value->dtype()));
  ShapeToProto(value->shape(), header.mutable_shape());
  Backoff backoff(policy_);
  while (true) {
    size_t sent = 0;
    v1::AssignResponse response;
    auto next = [&] {
      std::span<const std::byte> body = value->bytes().subspan(
          sent, std::min(kBodyBytes, value->bytes().size() - sent));
      UploadPart part{
          .head = PartHead(sent == 0 ? &header : nullptr, body.size()),
          .body = body};
      sent += body.size();
      part.last = sent == value->bytes().size();
      if (progress) progress(static_cast<int64_t>(sent), value->size_bytes());
      return part;
    };
    absl::Status status =
        Identify(header.mutable_request_id(), backoff.remaining());
    if (status.ok()) {
      status = transport_->Upload(MethodName(change.method), value, next,
                                  &response, policy_.timeout);
    }
    if (status.ok()) {
      Saw(response.version());
      return response.version();
    }
    if (!Repeat(status, &backoff)) return status;
  }
}

}  // namespace varkeep::client
