// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_VARIABLE_SCOPE_H_
#define VARKEEP_CLIENT_VARIABLE_SCOPE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/initializers.h"
#include "client/variable.h"
#include "client/variable_options.h"
#include "tensor/shape.h"

namespace varkeep::v1 {
class EnterScopeRequest;
}

namespace varkeep::client {

// tf.variable_scope and tf.name_scope: entered by EnterScope, left when it is
// destroyed. Scopes are objects that are passed on, not hidden state:
//
//   Layer ConvRelu(VariableScope& scope, const Shape& kernel) {
//     return {scope.GetVariable("weights", kernel, RandomNormal()).value(),
//             scope.GetVariable("biases", {32}, Zeros()).value()};
//   }
//   VariableScope model = session->root().EnterScope("model").value();
//   {
//     VariableScope conv1 = model.EnterScope("conv1").value();
//     ConvRelu(conv1, {5, 5, 32, 32});  // model/conv1/weights, ...
//   }
//
// Scopes are left innermost first. Move-only. One thread only, with the scopes
// inside; another thread starts from Session::NewThreadRoot(). Errors carry
// TensorFlow's texts: ALREADY_EXISTS without reuse, NOT_FOUND with reuse and
// nothing to find, INVALID_ARGUMENT for the rest.
class VariableScope {
 public:
  VariableScope(VariableScope&&) noexcept;
  // Leaves the scope it was.
  VariableScope& operator=(VariableScope&&) noexcept;
  // As Leave; an error is dropped.
  ~VariableScope();

  // tf.get_variable(name, shape, initializer=...).
  absl::StatusOr<Variable> GetVariable(const std::string& name,
                                       const Shape& shape,
                                       const Initializer& initializer = {},
                                       const VariableOptions& options = {});
  // Without a shape (std::nullopt): to find a variable, or with Value(...).
  absl::StatusOr<Variable> GetVariable(const std::string& name, std::nullopt_t,
                                       const Initializer& initializer = {},
                                       const VariableOptions& options = {});

  // tf.Variable: always another one, its name made unique. "" is "Variable".
  absl::StatusOr<Variable> CreateVariable(const std::string& name,
                                          const Shape& shape,
                                          const Initializer& initializer,
                                          const VariableOptions& options = {});
  // tf.Variable(value, name=...).
  absl::StatusOr<Variable> CreateVariable(const std::string& name,
                                          const Tensor& value,
                                          const VariableOptions& options = {});

  // tf.variable_scope(name).
  absl::StatusOr<VariableScope> EnterScope(const std::string& name,
                                           const ScopeOptions& options = {});
  // tf.variable_scope(scope): jumps there, whatever this scope is.
  absl::StatusOr<VariableScope> EnterScope(const VariableScope& scope,
                                           const ScopeOptions& options = {});
  // tf.variable_scope(None, default_name): the name made unique.
  absl::StatusOr<VariableScope> EnterUniqueScope(
      const std::string& default_name, const ScopeOptions& options = {});
  // tf.name_scope(name). "" goes back to the root, "x/" is taken literally.
  absl::StatusOr<VariableScope> EnterNameScope(const std::string& name);

  // From here on, in this scope and those opened later inside it.
  void reuse_variables();
  void set_initializer(const Initializer& initializer);
  void set_dtype(DType dtype);

  std::string name() const;  // of the variable scope: "model/conv1"
  // Prefix of CreateVariable, with a trailing slash; "" at the root.
  std::string name_scope() const;
  std::string original_name_scope() const;

  // FAILED_PRECONDITION "Improper nesting of variable_scope." when a scope
  // inside is still open. Afterwards only destroying and assigning are allowed.
  absl::Status Leave();

 private:
  friend class Session;
  struct State;
  explicit VariableScope(std::unique_ptr<State> state);
  absl::StatusOr<VariableScope> Enter(
      const std::function<void(v1::EnterScopeRequest*)>& set_arguments);
  absl::StatusOr<Variable> Get(const std::string& name, const Shape* shape,
                               const VariableOptions& options);
  absl::StatusOr<Variable> Create(const std::string& name, const Shape* shape,
                                  const VariableOptions& options);

  std::unique_ptr<State> state_;  // null: left, or moved from
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_VARIABLE_SCOPE_H_
