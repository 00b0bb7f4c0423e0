// SPDX-License-Identifier: Apache-2.0
//
// CallService: the calls of one stream, one after the other. What each does is
// what the method of that name in VariableService does.
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "proto/grpc_status.h"
#include "server/service/assign_upload.h"
#include "server/service/changes.h"
#include "server/service/open_streams.h"
#include "server/service/packed_values.h"
#include "server/service/read_stream.h"
#include "server/service/reads.h"
#include "server/service/services.h"
#include "server/service/transaction_upload.h"
#include "server/service/wire.h"
#include "varkeep/v1/call_service.grpc.pb.h"

namespace varkeep {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::ZeroCopyInputStream;
using Call = v1::CallRequest;

constexpr uint32_t kLengthDelimited = 2;
constexpr uint32_t kValuesTag =
    DelimitedTag(v1::CallResponse::kValuesFieldNumber);
constexpr uint32_t kPreparedTag =
    VarintTag(v1::CallResponse::kPreparedFieldNumber);

absl::Status MalformedError() {
  return absl::InvalidArgumentError(
      "a message is no CallRequest with one call that this server knows");
}

absl::Status TooLargeError() {
  return absl::OutOfRangeError(
      "the answer is larger than a message of Calls: read with a call of its "
      "own");
}

grpc::Status StoppingError() {
  return {grpc::StatusCode::UNAVAILABLE, "the server is stopping"};
}

template <typename Message>
absl::Status Parse(ZeroCopyInputStream* body, Message* message) {
  return message->ParseFromZeroCopyStream(body) ? absl::OkStatus()
                                                : MalformedError();
}

// What comes before the call itself: its field; 0 for a message that has
// anything else than the one call.
int ReadField(ZeroCopyInputStream* message, size_t bytes) {
  CodedInputStream input(message);
  uint32_t tag = 0;
  uint32_t size = 0;
  if (!(tag = input.ReadTag()) || !input.ReadVarint32(&size) ||
      (tag & 7) != kLengthDelimited ||
      static_cast<size_t>(input.CurrentPosition()) + size != bytes) {
    return 0;
  }
  return static_cast<int>(tag >> 3);
}

// The CallResponse that has this message.
grpc::ByteBuffer AsValues(const grpc::ByteBuffer& message, bool prepared) {
  std::string start;
  AppendField(kValuesTag, message.Length(), &start);
  std::vector<grpc::Slice> slices;
  message.Dump(&slices).ok();
  slices.emplace(slices.begin(), start);
  if (prepared) {
    std::string end;
    AppendField(kPreparedTag, 1, &end);
    slices.emplace_back(end);
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// One stream of Calls, as raw messages: reads a call, answers it, reads the
// next. Keeps itself alive until the stream has ended.
class CallStream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public OpenStreams::Stream,
      public std::enable_shared_from_this<CallStream> {
 public:
  // Begins to read.
  static CallStream* Start(const ServiceContext* services);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;
  void Close() override;

 private:
  using Input = google::protobuf::io::ZeroCopyInputStream;
  using Response = v1::CallResponse;

  explicit CallStream(const ServiceContext* services) : services_(services) {}

  void ReadNext();
  void EndWith(const grpc::Status& status);
  // Whether the caller is the one to end a stream that waits for a call while
  // the server stops.
  bool MustEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Each answers now, or on another thread.
  void Handle();
  void Assign(AssignKind kind, Input* body);
  void Transaction(Input* body);
  template <typename Request, typename Made>
  void Read(Input* body, Made (*read)(const ServiceContext&, const Request&));
  void ReadValues(Input* body);
  void ReadAgain(Input* body);
  // The values of prepared_, which stays so when they are sent.
  void AnswerPrepared();
  template <typename Upload, typename Apply, typename Field>
  void MakeChange(std::shared_ptr<Upload> upload, int64_t bytes, Apply apply,
                  Field* (Response::*field)());

  void Answer(ReadStream stream, bool prepared = false);
  void Answer(const Response& response);
  void Answer(const absl::Status& error);

  const ServiceContext* const services_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  // The last read_values, if it was answered, and about how many bytes with. It
  // has no more names than headers fit into a message.
  std::optional<PreparedRead> prepared_;
  size_t prepared_bytes_ = 0;

  std::shared_ptr<CallStream> self_;  // until OnDone

  Mutex mutex_;
  bool starting_ ABSL_GUARDED_BY(mutex_) = false;  // in StartRead
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;   // no call under way
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) =
      false;  // Finish was, or will be, called
};

CallStream* CallStream::Start(const ServiceContext* services) {
  std::shared_ptr<CallStream> stream(new CallStream(services));
  stream->self_ = stream;
  if (services->open_streams->Add(stream)) {
    stream->ReadNext();
  } else {
    stream->EndWith(StoppingError());
  }
  return stream.get();
}

void CallStream::ReadNext() {
  const std::shared_ptr<CallStream> self = shared_from_this();
  {
    MutexLock lock(&mutex_);
    starting_ = true;
    reading_ = true;
  }
  StartRead(&message_);
  {
    MutexLock lock(&mutex_);
    starting_ = false;
    if (!MustEnd()) return;
  }
  Finish(StoppingError());
}

void CallStream::OnReadDone(bool ok) {
  {
    MutexLock lock(&mutex_);
    reading_ = false;
    if (ended_) return;
    ended_ = !ok;
  }
  if (ok) {
    Handle();
  } else {
    Finish(grpc::Status::OK);  // the client wants no more
  }
}

void CallStream::OnWriteDone(bool ok) {
  answer_.Clear();
  if (!ok) return EndWith(grpc::Status::CANCELLED);
  bool closing;
  {
    MutexLock lock(&mutex_);
    closing = closing_;
  }
  if (closing) return EndWith(StoppingError());
  ReadNext();
}

void CallStream::OnDone() {
  services_->open_streams->Remove(self_);
  self_.reset();
}

void CallStream::Close() {
  {
    MutexLock lock(&mutex_);
    closing_ = true;
    if (!MustEnd()) return;
  }
  Finish(StoppingError());
}

bool CallStream::MustEnd() {
  if (!closing_ || !reading_ || starting_ || ended_) return false;
  ended_ = true;
  return true;
}

void CallStream::EndWith(const grpc::Status& status) {
  {
    MutexLock lock(&mutex_);
    ended_ = true;
  }
  Finish(status);
}

void CallStream::Handle() {
  // Its own: once there is an answer the next message may come, and a stream
  // that waits for one holds none.
  grpc::ByteBuffer bytes;
  bytes.Swap(&message_);
  grpc::ProtoBufferReader message(&bytes);
  if (!message.status().ok()) return Answer(FromGrpc(message.status()));
  const int field = ReadField(&message, bytes.Length());
  switch (field) {
    case Call::kReadValueFieldNumber:
      return Read<v1::ReadValueRequest>(&message, ReadOne);
    case Call::kReadValuesFieldNumber:
      return ReadValues(&message);
    case Call::kReadAgainFieldNumber:
      return ReadAgain(&message);
    case Call::kGatherFieldNumber:
      return Read<v1::GatherRequest>(&message, GatherFromOne);
    case Call::kAssignFieldNumber:
      return Assign(AssignKind::kAssign, &message);
    case Call::kAssignAddFieldNumber:
      return Assign(AssignKind::kAdd, &message);
    case Call::kAssignSubFieldNumber:
      return Assign(AssignKind::kSubtract, &message);
    case Call::kTransactionFieldNumber:
      return Transaction(&message);
    default:
      return Answer(MalformedError());
  }
}

template <typename Request, typename Made>
void CallStream::Read(Input* body,
                      Made (*read)(const ServiceContext&, const Request&)) {
  Request request;
  absl::Status parsed = Parse(body, &request);
  if (!parsed.ok()) return Answer(parsed);
  Made made = read(*services_, request);
  if (!made.ok()) return Answer(made.status());
  Answer(ReadStream(*std::move(made)));
}

void CallStream::ReadValues(Input* body) {
  prepared_.reset();
  google::protobuf::Arena arena;  // for thousands of names
  auto* request =
      google::protobuf::Arena::CreateMessage<v1::ReadValuesRequest>(&arena);
  absl::Status parsed = Parse(body, request);
  if (!parsed.ok()) return Answer(parsed);
  prepared_.emplace(Prepare(*request));
  AnswerPrepared();
}

void CallStream::ReadAgain(Input* body) {
  v1::ReadAgainRequest request;
  absl::Status parsed = Parse(body, &request);
  if (!parsed.ok()) return Answer(parsed);
  if (!prepared_) {
    return Answer(absl::FailedPreconditionError(
        "read_again on a stream without a prepared read_values"));
  }
  PackedValues values(prepared_->names().size(), prepared_bytes_);
  absl::StatusOr<Revision> revision = services_->store->ReadCut(
      &*prepared_, [&](const StoredValue& value, Revision version) {
        values.Add(value, version);
      });
  if (revision.ok() && !prepared_->same_layout()) return AnswerPrepared();
  if (!revision.ok()) {
    prepared_.reset();
    return Answer(revision.status());
  }
  grpc::ByteBuffer message = std::move(values).Message(*revision);
  if (message.Length() > kMaxMessageBytes) {
    prepared_.reset();
    return Answer(TooLargeError());
  }
  answer_.Swap(&message);
  StartWrite(&answer_);
}

void CallStream::AnswerPrepared() {
  absl::StatusOr<ReadStream> values = ReadMany(*services_, &*prepared_);
  if (values.ok()) return Answer(*std::move(values), /*prepared=*/true);
  prepared_.reset();
  Answer(values.status());
}

void CallStream::Assign(AssignKind kind, Input* body) {
  auto upload = std::make_shared<AssignUpload>(kind, services_->store,
                                               services_->call_memory);
  absl::Status added = upload->Add(body);
  if (!added.ok()) return Answer(added);
  const int64_t bytes = upload->bytes();
  MakeChange(std::move(upload), bytes, ApplyAssign, &Response::mutable_assign);
}

void CallStream::Transaction(Input* body) {
  v1::TransactionRequest request;
  absl::Status status = Parse(body, &request);
  auto upload = std::make_shared<TransactionUpload>(services_->store->limits(),
                                                    services_->call_memory);
  if (status.ok()) status = upload->Add(request);
  if (!status.ok()) return Answer(status);
  const int64_t bytes = upload->bytes();
  MakeChange(std::move(upload), bytes, ApplyTransaction,
             &Response::mutable_transaction);
}

template <typename Upload, typename Apply, typename Field>
void CallStream::MakeChange(std::shared_ptr<Upload> upload, int64_t bytes,
                            Apply apply, Field* (Response::*field)()) {
  absl::StatusOr<Mutation> finished = upload->Finish();
  if (!finished.ok()) return Answer(finished.status());
  const bool elsewhere =
      bytes > kInlineBytes || services_->committer->MayWait(upload->request());
  auto change =
      [=, this,
       mutation = std::make_shared<Mutation>(*std::move(finished))]() mutable {
        absl::StatusOr<Field> applied =
            apply(*services_, *mutation, upload->request());
        // Before the answer: the next update finds the value unshared.
        mutation.reset();
        upload->Release();
        if (!applied.ok()) return Answer(applied.status());
        Response response;
        *(response.*field)() = *std::move(applied);
        Answer(response);
      };
  if (elsewhere) {
    services_->waiters->Schedule(std::move(change));
  } else {
    change();
  }
}

void CallStream::Answer(ReadStream stream, bool prepared) {
  grpc::ByteBuffer message;
  stream.Next(&message);
  if (!stream.AtEnd()) {
    if (prepared) prepared_.reset();
    return Answer(TooLargeError());
  }
  if (prepared) prepared_bytes_ = message.Length();
  answer_ = AsValues(message, prepared);
  StartWrite(&answer_);
}

void CallStream::Answer(const Response& response) {
  grpc::Slice slice(response.SerializeAsString());
  answer_ = grpc::ByteBuffer(&slice, 1);
  StartWrite(&answer_);
}

void CallStream::Answer(const absl::Status& error) {
  const grpc::Status status = ToGrpc(error);
  Response response;
  response.mutable_error()->set_code(status.error_code());
  response.mutable_error()->set_message(status.error_message());
  Answer(response);
}

using Base =
    v1::CallService::WithRawCallbackMethod_Calls<v1::CallService::Service>;

class CallService final : public Base {
 public:
  explicit CallService(const ServiceContext* context) : services_(context) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Calls(
      grpc::CallbackServerContext*) override {
    return CallStream::Start(services_);
  }

 private:
  const ServiceContext* const services_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCallService(const ServiceContext* context) {
  return std::make_unique<CallService>(context);
}

}  // namespace varkeep
