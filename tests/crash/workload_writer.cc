// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/workload_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace varkeep {
namespace {

// No other server has them.
constexpr uint64_t kFirstClient = 1000;
// Writer of values that must never be seen.
constexpr uint64_t kNobody = 1'000'000;

void AddOperation(v1::Operation::Kind kind, const std::string& name,
                  v1::DType dtype, int64_t elements,
                  v1::TransactionRequest* request) {
  v1::Operation* operation = request->add_operations();
  operation->set_kind(kind);
  operation->set_name(name);
  operation->mutable_value()->set_dtype(dtype);
  *operation->mutable_value()->mutable_shape() = VectorShape(elements);
  if (kind == v1::Operation::ASSIGN) operation->set_validate_shape(false);
}

std::string OnesEverywhere() {
  return Int64Bytes(std::vector<int64_t>(kCounterElements, 1));
}

}  // namespace

Workload::Writer::Writer(Workload* workload, uint64_t number)
    : workload_(workload),
      number_(number),
      blob_(absl::StrCat("blob/", number)),
      twin_a_(absl::StrCat("twin/", number, "/a")),
      twin_b_(absl::StrCat("twin/", number, "/b")),
      drawn_(absl::StrCat("drawn/", number)),
      temporary_(absl::StrCat("temporary/", number)),
      random_(workload->options_.seed * 1000 + number),
      client_(workload->options_.address, kFirstClient + number) {}

std::optional<uint64_t> Workload::Writer::Do(const std::string& what,
                                             bool may_give_up,
                                             const Call& call) {
  absl::StatusOr<uint64_t> revision = 0;
  int attempts = 0;
  absl::Status status = client_.UntilAnswered(
      [&] {
        revision = call();
        return revision.status();
      },
      [&] { return may_give_up && Below(3) == 0; }, &attempts);
  workload_->counts_.sent_again += attempts - 1;
  if (RawClient::IsUnanswered(status)) {
    ++workload_->counts_.given_up;
    return std::nullopt;
  }
  if (!status.ok()) {
    workload_->verdict_->Violate(
        Verdict::kWrongAnswer, absl::StrCat(what, " after ", attempts,
                                            " attempts: ", status.ToString()));
    return std::nullopt;
  }
  ++workload_->counts_.acknowledged;
  // Each change has a revision of its own; 0 when the call tells none.
  if (*revision != 0 && *revision <= last_revision_) {
    workload_->verdict_->Violate(
        Verdict::kWrongAnswer,
        absl::StrCat(what, " has revision ", *revision,
                     ", and an earlier change has ", last_revision_));
  }
  if (*revision != 0) last_revision_ = *revision;
  return *revision;
}

void Workload::Writer::Declare(const std::string& name, v1::DType dtype,
                               int64_t elements,
                               const v1::Initializer& initializer,
                               bool must_create) {
  v1::GetVariableRequest request;
  if (!must_create) request.mutable_scope()->set_reuse(v1::REUSE_AUTO);
  request.mutable_variable()->set_name(name);
  request.mutable_variable()->set_dtype(dtype);
  *request.mutable_variable()->mutable_shape() = VectorShape(elements);
  *request.mutable_variable()->mutable_initializer() = initializer;
  *request.mutable_request_id() = client_.NextRequestId();
  Do("declare " + name, false, [&]() -> absl::StatusOr<uint64_t> {
    absl::Status status = client_.GetVariable(request);
    if (!status.ok()) return status;
    return 0;
  });
}

void Workload::Writer::Initialize(const std::string& name, bool force) {
  v1::InitializeRequest request;
  request.mutable_selection()->mutable_names()->add_names(name);
  request.set_force(force);
  *request.mutable_request_id() = client_.NextRequestId();
  Do("initialize " + name, false, [&]() -> absl::StatusOr<uint64_t> {
    absl::Status status = client_.Initialize(request);
    if (!status.ok()) return status;
    return 0;
  });
}

void Workload::Writer::SetUp() {
  v1::Initializer zeros;
  zeros.mutable_zeros();
  v1::Initializer random;
  random.mutable_random_normal();
  for (const std::string& name : {blob_, twin_a_, twin_b_}) {
    Declare(name, v1::DTYPE_UINT8, 1, zeros, false);
  }
  Declare(drawn_, v1::DTYPE_FLOAT32, 1000, random, false);
  Initialize(drawn_, false);
  for (const char* name : {kPairA, kPairB, kPushes}) {
    Declare(name, v1::DTYPE_INT64, kCounterElements, zeros, false);
    Initialize(name, false);
  }
  AssignBlob();
  AssignTwins();
}

void Workload::Writer::Step() {
  const uint64_t kind = Below(20);
  if (kind < 5) return AssignBlob();
  if (kind < 6) return AssignStale();
  if (kind < 9) return AssignTwins();
  if (kind < 13) return AddToPair();
  if (kind < 18) return Push();
  if (kind < 19) return DrawAnew();
  CreateAndDelete();
}

void Workload::Writer::AssignBlob() {
  Bounds& bounds = workload_->own_[number_].blob;
  const uint64_t value = bounds.sent + 1;
  const std::string bytes = workload_->blobs_.Bytes(number_, value);
  v1::AssignHeader header =
      ByteHeader(blob_, static_cast<int64_t>(bytes.size()));
  *header.mutable_request_id() = client_.NextRequestId();
  if (blob_version_ && Below(2) == 0) {
    header.set_expected_version(*blob_version_);
  }
  bounds.sent = value;
  blob_version_ = Do("assign " + blob_, value > 1,
                     [&] { return client_.Assign(header, bytes); });
  if (blob_version_) bounds.acknowledged = value;
}

// Refused, because the variable has another version.
void Workload::Writer::AssignStale() {
  if (!blob_version_) return;
  const std::string bytes = workload_->blobs_.Bytes(kNobody, number_);
  v1::AssignHeader header =
      ByteHeader(blob_, static_cast<int64_t>(bytes.size()));
  *header.mutable_request_id() = client_.NextRequestId();
  header.set_expected_version(*blob_version_ - 1);
  absl::Status status = client_.UntilAnswered(
      [&] { return client_.Assign(header, bytes).status(); },
      [] { return false; });
  if (!absl::IsAborted(status)) {
    workload_->verdict_->Violate(
        Verdict::kWrongAnswer,
        absl::StrCat("a stale assignment to ", blob_, ": ", status.ToString()));
  }
}

void Workload::Writer::AssignTwins() {
  Bounds& bounds = workload_->own_[number_].twin;
  const uint64_t value = bounds.sent + 1;
  const std::string bytes = workload_->blobs_.Bytes(number_, value);
  v1::TransactionRequest request;
  for (const std::string& name : {twin_a_, twin_b_}) {
    AddOperation(v1::Operation::ASSIGN, name, v1::DTYPE_UINT8,
                 static_cast<int64_t>(bytes.size()), &request);
    if (!twin_version_) continue;
    v1::VersionCondition* condition = request.add_conditions();
    condition->set_name(name);
    condition->set_version(*twin_version_);
  }
  *request.mutable_request_id() = client_.NextRequestId();
  bounds.sent = value;
  twin_version_ = Do("assign " + twin_a_, value > 1, [&] {
    return client_.Transaction(request, bytes + bytes);
  });
  if (twin_version_) bounds.acknowledged = value;
}

void Workload::Writer::AddToPair() {
  v1::TransactionRequest request;
  for (const char* name : {kPairA, kPairB}) {
    AddOperation(v1::Operation::ASSIGN_ADD, name, v1::DTYPE_INT64,
                 kCounterElements, &request);
  }
  *request.mutable_request_id() = client_.NextRequestId();
  ++workload_->pair_.sent;
  Do("add to the pair", false, [&] {
    return client_.Transaction(request, OnesEverywhere() + OnesEverywhere());
  });
  ++workload_->pair_.acknowledged;
}

void Workload::Writer::Push() {
  v1::AssignHeader header = Int64Header(kPushes, kCounterElements);
  *header.mutable_request_id() = client_.NextRequestId();
  ++workload_->pushes_.sent;
  Do("push", false,
     [&] { return client_.AssignAdd(header, OnesEverywhere()); });
  ++workload_->pushes_.acknowledged;
}

std::optional<RawValue> Workload::Writer::ReadOwn(const std::string& name) {
  absl::StatusOr<RawValue> value = absl::UnknownError("");
  absl::Status status = client_.UntilAnswered(
      [&] {
        value = client_.Read(name);
        return value.status();
      },
      [] { return false; });
  if (status.ok()) return *std::move(value);
  workload_->verdict_->Violate(
      Verdict::kLost, absl::StrCat("read ", name, ": ", status.ToString()));
  return std::nullopt;
}

void Workload::Writer::ExpectRead(const std::string& name,
                                  const std::string& bytes) {
  std::optional<RawValue> value = ReadOwn(name);
  if (!value || value->bytes == bytes) return;
  workload_->verdict_->Violate(Verdict::kLost,
                               absl::StrCat(name, " has another value"));
}

// A draw that was acknowledged stays what it is.
void Workload::Writer::DrawAnew() {
  std::optional<RawValue> before = ReadOwn(drawn_);
  Initialize(drawn_, true);
  std::optional<RawValue> after = ReadOwn(drawn_);
  if (!before || !after) return;
  if (after->version <= before->version || after->bytes == before->bytes) {
    workload_->verdict_->Violate(Verdict::kLost, drawn_ + " was not drawn");
  }
  Push();
  ExpectRead(drawn_, after->bytes);
}

void Workload::Writer::CreateAndDelete() {
  v1::Initializer zeros;
  zeros.mutable_zeros();
  Declare(temporary_, v1::DTYPE_UINT8, 1, zeros, true);
  const std::string bytes = workload_->blobs_.Bytes(number_, kNobody);
  v1::AssignHeader header =
      ByteHeader(temporary_, static_cast<int64_t>(bytes.size()));
  *header.mutable_request_id() = client_.NextRequestId();
  Do("assign " + temporary_, false,
     [&] { return client_.Assign(header, bytes); });
  ExpectRead(temporary_, bytes);
  v1::DeleteVariableRequest request;
  request.set_name(temporary_);
  *request.mutable_request_id() = client_.NextRequestId();
  Do("delete " + temporary_, false, [&]() -> absl::StatusOr<uint64_t> {
    absl::Status status = client_.Delete(request);
    if (!status.ok()) return status;
    return 0;
  });
  absl::Status status = client_.UntilAnswered(
      [&] { return client_.Read(temporary_).status(); }, [] { return false; });
  if (!absl::IsNotFound(status)) {
    workload_->verdict_->Violate(
        Verdict::kLost, absl::StrCat("the deletion of ", temporary_,
                                     " was lost: ", status.ToString()));
  }
}

}  // namespace varkeep
