// SPDX-License-Identifier: Apache-2.0
#include "client/internal/session_core.h"

#include <type_traits>
#include <utility>

#include "base/status_annotate.h"
#include "base/status_macros.h"

namespace varkeep::client {

SessionCore::SessionCore(std::shared_ptr<Connection> connection,
                         v1::OpenSessionRequest options)
    : connection_(std::move(connection)), options_(std::move(options)) {}

absl::StatusOr<std::shared_ptr<SessionCore>> SessionCore::Open(
    std::shared_ptr<Connection> connection, v1::OpenSessionRequest options) {
  std::shared_ptr<SessionCore> session(
      new SessionCore(std::move(connection), std::move(options)));
  Backoff backoff(session->connection_->policy());
  while (true) {
    absl::Status status = session->LiveId(backoff.remaining()).status();
    if (status.ok()) return session;
    if (!session->connection_->Repeat(status, &backoff)) return status;
  }
}

SessionCore::~SessionCore() {
  MutexLock lock(&mutex_);
  if (lost_) return;
  v1::CloseSessionRequest request;
  request.set_session_id(id_);
  v1::CloseSessionResponse response;
  // An open session that nobody uses is closed by its lease.
  connection_->CallOnce("CloseSession", request, &response, absl::Seconds(1))
      .IgnoreError();
}

uint64_t SessionCore::NewStack() {
  MutexLock lock(&mutex_);
  return ++last_stack_;
}

void SessionCore::ToServer(v1::Scope* scope) {
  auto found = openings_.find(scope->opening());
  if (found != openings_.end()) scope->set_opening(found->second);
}

template <typename Request, typename Response>
absl::Status SessionCore::SendOnce(const char* method, Request request,
                                   Response* response, absl::Duration timeout) {
  request.set_session_id(id_);
  if constexpr (std::is_same_v<Request, v1::EnterScopeRequest>) {
    if (request.has_current()) ToServer(request.mutable_current());
    if (request.variable_scope().has_scope()) {
      ToServer(request.mutable_variable_scope()->mutable_scope());
    }
  } else if constexpr (!std::is_same_v<Request, v1::AddToCollectionRequest>) {
    if (request.has_scope()) ToServer(request.mutable_scope());
  }
  absl::Status status =
      connection_->CallOnce(method, request, response, timeout);
  if (IsSessionLost(status) || MayRepeat(status) ||
      absl::IsDeadlineExceeded(status)) {
    lost_ = true;
  }
  return status;
}

absl::Status SessionCore::Replay(const Declaration& declaration,
                                 absl::Duration timeout) {
  if (const auto* entered = std::get_if<Entered>(&declaration)) {
    v1::EnterScopeResponse response;
    RETURN_IF_ERROR(
        SendOnce("EnterScope", entered->request, &response, timeout));
    openings_[entered->opening] = response.scope().opening();
    return absl::OkStatus();
  }
  if (const auto* exit = std::get_if<v1::ExitScopeRequest>(&declaration)) {
    v1::ExitScopeResponse response;
    return SendOnce("ExitScope", *exit, &response, timeout);
  }
  if (const auto* get = std::get_if<v1::GetVariableRequest>(&declaration)) {
    v1::GetVariableResponse response;
    return SendOnce("GetVariable", *get, &response, timeout);
  }
  if (const auto* add = std::get_if<v1::AddToCollectionRequest>(&declaration)) {
    v1::AddToCollectionResponse response;
    return SendOnce("AddToCollection", *add, &response, timeout);
  }
  v1::CreateVariableResponse response;
  return SendOnce("CreateVariable",
                  std::get<v1::CreateVariableRequest>(declaration), &response,
                  timeout);
}

absl::Status SessionCore::EnsureOpen(absl::Duration timeout) {
  if (!lost_) return absl::OkStatus();
  v1::OpenSessionResponse opened;
  RETURN_IF_ERROR(
      connection_->CallOnce("OpenSession", options_, &opened, timeout));
  std::string old = std::exchange(id_, opened.session_id());
  lost_ = false;
  openings_.clear();
  if (epoch_++ == 0) return absl::OkStatus();
  for (const Declaration& declaration : declarations_) {
    absl::Status status = Replay(declaration, timeout);
    if (status.ok()) continue;
    lost_ = true;
    return Annotate(status, "declare again in a new session");
  }
  // The server may still have it, when only a message was lost.
  v1::CloseSessionRequest request;
  request.set_session_id(old);
  v1::CloseSessionResponse response;
  connection_->CallOnce("CloseSession", request, &response, timeout)
      .IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::string> SessionCore::LiveId(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(EnsureOpen(timeout));
  return id_;
}

void SessionCore::MarkLost(const std::string& id) {
  MutexLock lock(&mutex_);
  if (id_ == id) lost_ = true;
}

template <typename Request, typename Response>
absl::Status SessionCore::Declare(const char* method, Request* request,
                                  Response* response) {
  Backoff backoff(connection_->policy());
  while (true) {
    absl::Status status = EnsureOpen(backoff.remaining());
    if (status.ok()) {
      status =
          connection_->Identify(Connection::IdOf(request), backoff.remaining());
    }
    if (status.ok()) {
      status = SendOnce(method, *request, response, backoff.remaining());
    }
    if (!connection_->Repeat(status, &backoff, IsSessionLost(status))) {
      return status;
    }
  }
}

absl::StatusOr<v1::Scope> SessionCore::EnterScope(
    v1::EnterScopeRequest request) {
  MutexLock lock(&mutex_);
  v1::EnterScopeResponse response;
  RETURN_IF_ERROR(Declare("EnterScope", &request, &response));
  uint64_t opening = ++last_opening_;
  openings_[opening] = response.scope().opening();
  response.mutable_scope()->set_opening(opening);
  declarations_.push_back(Entered{std::move(request), opening});
  return std::move(*response.mutable_scope());
}

absl::Status SessionCore::ExitScope(v1::ExitScopeRequest request) {
  MutexLock lock(&mutex_);
  v1::ExitScopeResponse response;
  // Once: whoever leaves a scope does not wait for a server. When it is not
  // there, the scope is left when all is declared again.
  absl::Status status = lost_ ? absl::OkStatus()
                              : SendOnce("ExitScope", request, &response,
                                         connection_->policy().timeout);
  if (!status.ok() && !lost_) return status;
  declarations_.push_back(std::move(request));
  return absl::OkStatus();
}

absl::StatusOr<v1::VariableInfo> SessionCore::GetVariable(
    v1::GetVariableRequest request) {
  MutexLock lock(&mutex_);
  v1::GetVariableResponse response;
  RETURN_IF_ERROR(Declare("GetVariable", &request, &response));
  request.clear_request_id();
  // Finding a variable again declares nothing: a program may do it for ever.
  bool reuse = request.scope().reuse() != v1::REUSE_UNSPECIFIED;
  if (!reuse || reused_.insert(response.variable().op_name()).second) {
    declarations_.push_back(std::move(request));
  }
  return std::move(*response.mutable_variable());
}

absl::StatusOr<v1::VariableInfo> SessionCore::CreateVariable(
    v1::CreateVariableRequest request) {
  MutexLock lock(&mutex_);
  v1::CreateVariableResponse response;
  RETURN_IF_ERROR(Declare("CreateVariable", &request, &response));
  request.clear_request_id();
  declarations_.push_back(std::move(request));
  return std::move(*response.mutable_variable());
}

absl::Status SessionCore::AddToCollection(v1::AddToCollectionRequest request) {
  MutexLock lock(&mutex_);
  v1::AddToCollectionResponse response;
  RETURN_IF_ERROR(Declare("AddToCollection", &request, &response));
  request.clear_request_id();
  declarations_.push_back(std::move(request));
  return absl::OkStatus();
}

absl::Status SessionCore::CallWith(const std::string& method,
                                   google::protobuf::MessageLite* request,
                                   std::string* session_id, v1::RequestId* id,
                                   google::protobuf::MessageLite* response,
                                   absl::Duration timeout) {
  Backoff backoff(connection_->policy(), timeout);
  while (true) {
    absl::StatusOr<std::string> live = LiveId(backoff.remaining());
    absl::Status status = live.status();
    if (status.ok()) status = connection_->Identify(id, backoff.remaining());
    if (status.ok()) {
      *session_id = *live;
      status = connection_->CallOnce(method, *request, response,
                                     backoff.remaining());
      if (IsSessionLost(status)) MarkLost(*live);
    }
    if (!connection_->Repeat(status, &backoff, IsSessionLost(status))) {
      return status;
    }
  }
}

bool SessionCore::DeclaredAgain() {
  uint64_t before = 0;
  {
    MutexLock lock(&mutex_);
    before = epoch_;
  }
  // Any call that names the session tells whether it is there.
  v1::GetCollectionRequest request;
  v1::GetCollectionResponse response;
  absl::Status status = Call("GetCollection", std::move(request), &response,
                             connection_->policy().timeout);
  MutexLock lock(&mutex_);
  return status.ok() && epoch_ != before;
}

}  // namespace varkeep::client
