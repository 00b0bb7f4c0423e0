// SPDX-License-Identifier: Apache-2.0
#include "client/session.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/status_macros.h"
#include "client/internal/info_codec.h"
#include "client/internal/scope_state.h"
#include "client/internal/session_core.h"

namespace varkeep::client {
namespace {

// A wait is asked for anew this often, which also renews the session's lease.
constexpr absl::Duration kLongestPoll = absl::Seconds(30);

}  // namespace

Session::Session(std::shared_ptr<SessionCore> core)
    : core_(std::move(core)),
      root_(std::make_unique<VariableScope::State>(
          VariableScope::State{core_, v1::Scope()})) {}

VariableScope Session::NewThreadRoot() {
  v1::Scope scope;
  scope.set_stack(core_->NewStack());
  return VariableScope(std::make_unique<VariableScope::State>(
      VariableScope::State{core_, std::move(scope)}));
}

absl::StatusOr<std::vector<std::string>> Session::Initialize(
    const Selection& selection, bool force) {
  v1::InitializeRequest request;
  *request.mutable_selection() = SelectionToProto(selection);
  request.set_force(force);
  v1::InitializeResponse response;
  RETURN_IF_ERROR(core_->Call("Initialize", std::move(request), &response,
                              core_->connection()->policy().timeout));
  return std::vector<std::string>(response.initialized().begin(),
                                  response.initialized().end());
}

absl::StatusOr<std::vector<std::string>> Session::ReportUninitialized() {
  v1::ReportUninitializedResponse response;
  RETURN_IF_ERROR(core_->Call("ReportUninitialized",
                              v1::ReportUninitializedRequest(), &response,
                              core_->connection()->policy().timeout));
  return std::vector<std::string>(response.names().begin(),
                                  response.names().end());
}

absl::Status Session::WaitUntilInitialized(const Selection& selection,
                                           absl::Duration timeout) {
  v1::WaitUntilInitializedRequest request;
  *request.mutable_selection() = SelectionToProto(selection);
  absl::Time deadline = Clock::Steady()->Now() + timeout;
  while (true) {
    absl::Duration left = deadline - Clock::Steady()->Now();
    v1::WaitUntilInitializedResponse response;
    absl::Status status =
        core_->Call("WaitUntilInitialized", request, &response,
                    std::clamp(left, absl::Milliseconds(1), kLongestPoll));
    bool again = absl::IsDeadlineExceeded(status) && left > kLongestPoll;
    if (!again) return status;
  }
}

absl::StatusOr<std::vector<Variable>> Session::Collection(
    const std::string& key, const std::string& scope) {
  v1::GetCollectionRequest request;
  request.set_key(key);
  request.set_scope(scope);
  v1::GetCollectionResponse response;
  RETURN_IF_ERROR(core_->Call("GetCollection", std::move(request), &response,
                              core_->connection()->policy().timeout));
  std::vector<Variable> variables;
  for (const v1::VariableInfo& message : response.variables()) {
    ASSIGN_OR_RETURN(VariableInfo info, InfoFromProto(message));
    variables.emplace_back(core_->connection(), core_, std::move(info));
  }
  return variables;
}

absl::Status Session::AddToCollection(const std::string& key,
                                      const Variable& variable) {
  v1::AddToCollectionRequest request;
  request.add_keys(key);
  request.set_name(variable.op_name());
  return core_->AddToCollection(std::move(request));
}

absl::StatusOr<Snapshot> Session::ReadSnapshot(
    std::span<const Variable> variables) {
  std::vector<absl::string_view> names;
  names.reserve(variables.size());
  int64_t bytes = 0;
  for (const Variable& variable : variables) {
    names.push_back(variable.op_name());
    bytes += SizeBytes(variable.dtype(), variable.shape()).value_or(0);
  }
  const auto read_all = [&] {
    return core_->connection()->Read(core_->container(), names, bytes);
  };
  absl::StatusOr<Connection::Values> read = read_all();
  if (absl::IsNotFound(read.status()) && core_->DeclaredAgain()) {
    read = read_all();
  }
  RETURN_IF_ERROR(read.status());
  Snapshot snapshot{.revision = read->revision, .values = {}, .versions = {}};
  snapshot.values.reserve(read->values.size());
  snapshot.versions.reserve(read->values.size());
  for (TensorReceiver::Value& value : read->values) {
    snapshot.values.push_back(std::move(value.tensor));
    snapshot.versions.push_back(value.version);
  }
  return snapshot;
}

}  // namespace varkeep::client
