// SPDX-License-Identifier: Apache-2.0
#include "client/variable_scope.h"

#include <utility>

#include "base/status_macros.h"
#include "client/internal/info_codec.h"
#include "client/internal/scope_state.h"
#include "proto/tensor_codec.h"

namespace varkeep::client {
namespace {

void SetArguments(const ScopeOptions& options,
                  v1::VariableScopeArguments* message) {
  message->set_reuse(ReuseToProto(options.reuse));
  if (options.initializer.message() != nullptr) {
    *message->mutable_initializer() = *options.initializer.message();
  }
  if (options.dtype) message->set_dtype(DTypeToProto(*options.dtype));
  if (options.regularizer) message->set_regularizer(*options.regularizer);
  if (options.caching_device) {
    message->set_caching_device(*options.caching_device);
  }
  if (options.constraint) message->set_constraint(*options.constraint);
  if (!options.auxiliary_name_scope) {
    message->set_auxiliary_name_scope(false);
  }
}

// The arguments of either kind of declaration in a scope.
template <typename Request>
Request DeclarationRequest(const v1::Scope& scope, const std::string& name,
                           const Shape* shape, const VariableOptions& options) {
  Request request;
  *request.mutable_scope() = scope;
  *request.mutable_variable() = ArgumentsToProto(options);
  request.mutable_variable()->set_name(name);
  if (shape != nullptr) {
    ShapeToProto(*shape, request.mutable_variable()->mutable_shape());
  }
  return request;
}

VariableOptions With(const Initializer& initializer, VariableOptions options) {
  if (initializer.message() != nullptr) options.initializer = initializer;
  return options;
}

std::string WithSlash(const std::string& name_scope) {
  return name_scope.empty() ? "" : name_scope + "/";
}

}  // namespace

VariableScope::VariableScope(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

VariableScope::VariableScope(VariableScope&&) noexcept = default;

VariableScope& VariableScope::operator=(VariableScope&& other) noexcept {
  if (this != &other) {
    Leave().IgnoreError();
    state_ = std::move(other.state_);
  }
  return *this;
}

VariableScope::~VariableScope() { Leave().IgnoreError(); }

absl::Status VariableScope::Leave() {
  if (state_ == nullptr) return absl::OkStatus();
  if (state_->scope.opening() == 0) {  // a root
    state_.reset();
    return absl::OkStatus();
  }
  v1::ExitScopeRequest request;
  *request.mutable_scope() = state_->scope;
  RETURN_IF_ERROR(state_->session->ExitScope(std::move(request)));
  state_.reset();
  return absl::OkStatus();
}

absl::StatusOr<Variable> VariableScope::Get(const std::string& name,
                                            const Shape* shape,
                                            const VariableOptions& options) {
  ASSIGN_OR_RETURN(
      v1::VariableInfo message,
      state_->session->GetVariable(DeclarationRequest<v1::GetVariableRequest>(
          state_->scope, name, shape, options)));
  ASSIGN_OR_RETURN(VariableInfo info, InfoFromProto(message));
  return Variable(state_->session->connection(), state_->session,
                  std::move(info));
}

absl::StatusOr<Variable> VariableScope::Create(const std::string& name,
                                               const Shape* shape,
                                               const VariableOptions& options) {
  ASSIGN_OR_RETURN(v1::VariableInfo message,
                   state_->session->CreateVariable(
                       DeclarationRequest<v1::CreateVariableRequest>(
                           state_->scope, name, shape, options)));
  ASSIGN_OR_RETURN(VariableInfo info, InfoFromProto(message));
  return Variable(state_->session->connection(), state_->session,
                  std::move(info));
}

absl::StatusOr<Variable> VariableScope::GetVariable(
    const std::string& name, const Shape& shape, const Initializer& initializer,
    const VariableOptions& options) {
  return Get(name, &shape, With(initializer, options));
}

absl::StatusOr<Variable> VariableScope::GetVariable(
    const std::string& name, std::nullopt_t, const Initializer& initializer,
    const VariableOptions& options) {
  return Get(name, nullptr, With(initializer, options));
}

absl::StatusOr<Variable> VariableScope::CreateVariable(
    const std::string& name, const Shape& shape, const Initializer& initializer,
    const VariableOptions& options) {
  return Create(name, &shape, With(initializer, options));
}

absl::StatusOr<Variable> VariableScope::CreateVariable(
    const std::string& name, const Tensor& value,
    const VariableOptions& options) {
  return Create(name, nullptr, With(Value(value), options));
}

absl::StatusOr<VariableScope> VariableScope::Enter(
    const std::function<void(v1::EnterScopeRequest*)>& set_arguments) {
  v1::EnterScopeRequest request;
  *request.mutable_current() = state_->scope;
  set_arguments(&request);
  ASSIGN_OR_RETURN(v1::Scope scope,
                   state_->session->EnterScope(std::move(request)));
  return VariableScope(
      std::make_unique<State>(State{state_->session, std::move(scope)}));
}

absl::StatusOr<VariableScope> VariableScope::EnterScope(
    const std::string& name, const ScopeOptions& options) {
  return Enter([&](v1::EnterScopeRequest* request) {
    request->mutable_variable_scope()->set_name(name);
    SetArguments(options, request->mutable_variable_scope());
  });
}

absl::StatusOr<VariableScope> VariableScope::EnterScope(
    const VariableScope& scope, const ScopeOptions& options) {
  return Enter([&](v1::EnterScopeRequest* request) {
    *request->mutable_variable_scope()->mutable_scope() = scope.state_->scope;
    SetArguments(options, request->mutable_variable_scope());
  });
}

absl::StatusOr<VariableScope> VariableScope::EnterUniqueScope(
    const std::string& default_name, const ScopeOptions& options) {
  return Enter([&](v1::EnterScopeRequest* request) {
    request->mutable_variable_scope()->set_default_name(default_name);
    SetArguments(options, request->mutable_variable_scope());
  });
}

absl::StatusOr<VariableScope> VariableScope::EnterNameScope(
    const std::string& name) {
  return Enter([&](v1::EnterScopeRequest* request) {
    request->mutable_name_scope()->set_name(name);
  });
}

void VariableScope::reuse_variables() {
  state_->scope.set_reuse(v1::REUSE_TRUE);
}

void VariableScope::set_initializer(const Initializer& initializer) {
  state_->scope.clear_initializer();
  if (initializer.message() != nullptr) {
    *state_->scope.mutable_initializer() = *initializer.message();
  }
}

void VariableScope::set_dtype(DType dtype) {
  state_->scope.set_dtype(DTypeToProto(dtype));
}

std::string VariableScope::name() const {
  return state_->scope.variable_scope();
}

std::string VariableScope::name_scope() const {
  return WithSlash(state_->scope.name_scope());
}

std::string VariableScope::original_name_scope() const {
  return state_->scope.original_name_scope();
}

}  // namespace varkeep::client
