// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/raw_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"
#include "proto/grpc_status.h"
#include "varkeep/v1/admin_service.grpc.pb.h"
#include "varkeep/v1/checkpoint_service.grpc.pb.h"
#include "varkeep/v1/variable_service.grpc.pb.h"

namespace varkeep {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

std::shared_ptr<grpc::Channel> Channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(INT_MAX);
  // Connections of its own, and a restarted server is found at once.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

std::unique_ptr<grpc::ClientContext> NewContext(absl::Duration timeout) {
  auto context = std::make_unique<grpc::ClientContext>();
  if (timeout != absl::InfiniteDuration()) {
    context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  }
  return context;
}

// Sends `first` with the beginning of `bytes`, the rest behind it.
template <typename Message>
absl::Status Upload(grpc::ClientWriter<Message>* writer, Message first,
                    const std::string& bytes) {
  size_t sent = 0;
  bool open = true;
  do {
    const size_t size = std::min(kChunkBytes, bytes.size() - sent);
    first.set_data(bytes.substr(sent, size));
    sent += size;
    open = writer->Write(first);
    first.Clear();
  } while (open && sent < bytes.size());
  writer->WritesDone();
  return FromGrpc(writer->Finish());
}

absl::StatusOr<std::vector<RawValue>> Download(
    grpc::ClientReader<v1::ReadValuesResponse>* reader) {
  std::vector<RawValue> values;
  std::vector<size_t> sizes;
  std::string bytes;
  v1::ReadValuesResponse response;
  while (reader->Read(&response)) {
    for (const v1::TensorHeader& header : response.headers()) {
      values.push_back({"", header.version()});
      sizes.push_back(header.size_bytes());
    }
    bytes += response.data();
  }
  absl::Status status = FromGrpc(reader->Finish());
  if (!status.ok()) return status;
  size_t begin = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i].bytes = bytes.substr(std::min(begin, bytes.size()), sizes[i]);
    begin += sizes[i];
  }
  if (begin != bytes.size()) {
    return absl::DataLossError("a read has not the bytes that it announced");
  }
  return values;
}

}  // namespace

v1::Shape VectorShape(int64_t elements) {
  v1::Shape shape;
  shape.add_dims(elements);
  return shape;
}

v1::AssignHeader ByteHeader(const std::string& name, int64_t bytes) {
  v1::AssignHeader header;
  header.set_name(name);
  header.set_dtype(v1::DTYPE_UINT8);
  *header.mutable_shape() = VectorShape(bytes);
  header.set_validate_shape(false);
  return header;
}

v1::AssignHeader Int64Header(const std::string& name, int64_t elements) {
  v1::AssignHeader header;
  header.set_name(name);
  header.set_dtype(v1::DTYPE_INT64);
  *header.mutable_shape() = VectorShape(elements);
  return header;
}

std::string Int64Bytes(const std::vector<int64_t>& elements) {
  std::string bytes(elements.size() * sizeof(int64_t), '\0');
  std::memcpy(bytes.data(), elements.data(), bytes.size());
  return bytes;
}

std::vector<int64_t> Int64Elements(const std::string& bytes) {
  std::vector<int64_t> elements(bytes.size() / sizeof(int64_t));
  std::memcpy(elements.data(), bytes.data(), elements.size() * sizeof(int64_t));
  return elements;
}

struct RawClient::Stubs {
  explicit Stubs(const std::string& address)
      : channel(Channel(address)),
        variables(channel),
        admin(channel),
        checkpoints(channel) {}

  std::shared_ptr<grpc::Channel> channel;
  v1::VariableService::Stub variables;
  v1::AdminService::Stub admin;
  v1::CheckpointService::Stub checkpoints;
};

RawClient::RawClient(const std::string& address, uint64_t id,
                     absl::Duration timeout)
    : id_(id), timeout_(timeout), stubs_(std::make_unique<Stubs>(address)) {}

RawClient::~RawClient() = default;

bool RawClient::IsUnanswered(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status);
}

absl::Status RawClient::UntilAnswered(const std::function<absl::Status()>& call,
                                      const std::function<bool()>& give_up,
                                      int* attempts) {
  for (;;) {
    if (attempts != nullptr) ++*attempts;
    absl::Status status = call();
    if (!IsUnanswered(status) || give_up()) return status;
    WaitForServer();
  }
}

void RawClient::WaitForServer() {
  stubs_->channel->WaitForConnected(
      absl::ToChronoTime(absl::Now() + absl::Milliseconds(200)));
}

v1::RequestId RawClient::NextRequestId() {
  v1::RequestId id;
  id.set_client(id_);
  id.set_sequence(++sequence_);
  return id;
}

absl::Status RawClient::GetVariable(const v1::GetVariableRequest& request) {
  auto context = NewContext(timeout_);
  v1::GetVariableResponse response;
  return FromGrpc(
      stubs_->variables.GetVariable(context.get(), request, &response));
}

absl::Status RawClient::Initialize(const v1::InitializeRequest& request) {
  auto context = NewContext(timeout_);
  v1::InitializeResponse response;
  return FromGrpc(
      stubs_->variables.Initialize(context.get(), request, &response));
}

absl::Status RawClient::Delete(const v1::DeleteVariableRequest& request) {
  auto context = NewContext(timeout_);
  v1::DeleteVariableResponse response;
  return FromGrpc(
      stubs_->admin.DeleteVariable(context.get(), request, &response));
}

absl::StatusOr<uint64_t> RawClient::Assign(const v1::AssignHeader& header,
                                           const std::string& bytes) {
  auto context = NewContext(timeout_);
  v1::AssignRequest request;
  *request.mutable_header() = header;
  v1::AssignResponse response;
  auto writer = stubs_->variables.Assign(context.get(), &response);
  absl::Status status = Upload(writer.get(), std::move(request), bytes);
  if (!status.ok()) return status;
  return response.version();
}

absl::StatusOr<uint64_t> RawClient::AssignAdd(const v1::AssignHeader& header,
                                              const std::string& bytes) {
  auto context = NewContext(timeout_);
  v1::AssignRequest request;
  *request.mutable_header() = header;
  v1::AssignResponse response;
  auto writer = stubs_->variables.AssignAdd(context.get(), &response);
  absl::Status status = Upload(writer.get(), std::move(request), bytes);
  if (!status.ok()) return status;
  return response.version();
}

absl::StatusOr<uint64_t> RawClient::Transaction(v1::TransactionRequest request,
                                                const std::string& bytes) {
  auto context = NewContext(timeout_);
  v1::TransactionResponse response;
  auto writer = stubs_->variables.Transaction(context.get(), &response);
  absl::Status status = Upload(writer.get(), std::move(request), bytes);
  if (!status.ok()) return status;
  return response.revision();
}

absl::StatusOr<RawValue> RawClient::Read(const std::string& name) {
  auto context = NewContext(timeout_);
  v1::ReadValueRequest request;
  request.set_name(name);
  auto reader = stubs_->variables.ReadValue(context.get(), request);
  absl::StatusOr<std::vector<RawValue>> values = Download(reader.get());
  if (!values.ok()) return values.status();
  if (values->size() != 1) return absl::DataLossError("a read without a value");
  return std::move((*values)[0]);
}

absl::StatusOr<std::vector<RawValue>> RawClient::ReadCut(
    const std::vector<std::string>& names) {
  auto context = NewContext(timeout_);
  v1::ReadValuesRequest request;
  for (const std::string& name : names) request.add_names(name);
  auto reader = stubs_->variables.ReadValues(context.get(), request);
  return Download(reader.get());
}

absl::Status RawClient::Save(const std::function<void(double)>& progress) {
  auto context = NewContext(timeout_);
  auto reader = stubs_->checkpoints.Save(context.get(), {});
  v1::SaveResponse response;
  while (reader->Read(&response)) {
    if (!progress || response.total_bytes() == 0) continue;
    progress(static_cast<double>(response.written_bytes()) /
             static_cast<double>(response.total_bytes()));
  }
  return FromGrpc(reader->Finish());
}

}  // namespace varkeep
