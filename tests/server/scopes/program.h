// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_SERVER_SCOPES_PROGRAM_H_
#define VARKEEP_TESTS_SERVER_SCOPES_PROGRAM_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/scopes/session.h"
#include "tests/server/scopes/fake_declarer.h"
#include "tests/testing/status_matchers.h"

namespace varkeep {

// Writes a TensorFlow program down as one reads it in Python: keeps the current
// scope of one thread and enters and leaves scopes of a session. One thread
// only.
class Program {
 public:
  explicit Program(FakeDeclarer* declarer, SessionOptions options = {},
                   uint64_t stack = 0)
      : owned_(std::make_unique<Session>("id", std::move(options), declarer,
                                         [this] { return ++entropy_; })),
        session_(owned_.get()) {
    current_.stack = stack;
  }
  // Another thread of the same program.
  Program(Session* session, uint64_t stack) : session_(session) {
    current_.stack = stack;
  }

  Session& session() { return *session_; }
  Scope& current() { return current_; }  // tf.get_variable_scope()

  // `with <scope>:` until the object is destroyed or Exit is called.
  class [[nodiscard]] With {
   public:
    With(Program* program, absl::StatusOr<Scope> scope)
        : program_(program), outside_(program->current_) {
      EXPECT_OK(scope);
      open_ = scope.ok();
      if (open_) program->current_ = *scope;
      entered_ = program->current_;
    }
    ~With() {
      if (open_) {
        EXPECT_OK(Exit());
      }
    }
    With(const With&) = delete;
    With& operator=(const With&) = delete;

    // As the scope was on entry: the object that `as` gives.
    const Scope& scope() const { return entered_; }
    absl::Status Exit() {
      open_ = false;
      program_->current_ = outside_;
      return program_->session_->ExitScope(entered_);
    }

   private:
    Program* const program_;
    const Scope outside_;
    Scope entered_;
    bool open_ = false;
  };

  absl::StatusOr<Scope> TryEnter(const VariableScopeArguments& args) {
    return session_->EnterVariableScope(current_, args);
  }
  With VariableScope(const std::string& name,
                     VariableScopeArguments args = {}) {
    args.name_or_scope = name;
    return {this, TryEnter(args)};
  }
  With VariableScope(const Scope& object, VariableScopeArguments args = {}) {
    args.name_or_scope = object;
    return {this, TryEnter(args)};
  }
  With DefaultScope(const std::string& name, VariableScopeArguments args = {}) {
    args.default_name = name;
    return {this, TryEnter(args)};
  }
  With NameScope(const std::string& name) {
    return {this, session_->EnterNameScope(current_, name)};
  }
  // `with tf.name_scope(name) as s: pass` gives s.
  std::string NameScopeOf(const std::string& name) {
    With with = NameScope(name);
    return current_.name_scope + "/";
  }

  absl::StatusOr<Declared> TryGet(const VariableArguments& args,
                                  Request request = {}) {
    return session_->GetVariable(current_, args, request);
  }
  absl::StatusOr<Declared> TryGet(const std::string& name) {
    return TryGet(Arguments(name));
  }
  absl::StatusOr<Declared> TryCreate(const VariableArguments& args,
                                     Request request = {}) {
    return session_->CreateVariable(current_, args, request);
  }

  // get_variable(name, []).name and Variable(name).name; the error's text when
  // there is one.
  std::string Get(const VariableArguments& args) {
    return NameOf(TryGet(args));
  }
  std::string Get(const std::string& name) { return Get(Arguments(name)); }
  std::string Create(const VariableArguments& args) {
    return NameOf(TryCreate(args));
  }
  std::string Create(const std::string& name) {
    VariableArguments args = Arguments(name);
    args.initializer = ZerosInitializer{};
    return Create(args);
  }

  // A float32 scalar.
  static VariableArguments Arguments(const std::string& name) {
    VariableArguments args;
    args.name = name;
    args.shape = PartialShape(Shape());
    return args;
  }
  static std::string NameOf(const absl::StatusOr<Declared>& declared) {
    return declared.ok() ? declared->info.spec.name + ":0"
                         : std::string(declared.status().message());
  }

 private:
  uint64_t entropy_ = 0;
  std::unique_ptr<Session> owned_;
  Session* const session_;
  Scope current_;
};

inline SessionOptions OptionsOf(const std::string& container,
                                std::optional<int64_t> graph_seed = {},
                                const std::string& creator = "") {
  return SessionOptions{container, graph_seed, creator};
}

inline InitializerSpec Normal(double stddev, std::optional<int64_t> seed = {}) {
  return RandomNormalInitializer{0.0, stddev, seed};
}

inline VariableScopeArguments WithReuse(Reuse reuse) {
  VariableScopeArguments args;
  args.reuse = reuse;
  return args;
}

// E1 and E2 of SEMANTICS 2.2.
inline std::string ExistsText(const std::string& key) {
  return "Variable " + key +
         " already exists, disallowed. Did you mean to set reuse=True or "
         "reuse=tf.AUTO_REUSE in VarScope?";
}
inline std::string MissingText(const std::string& key) {
  return "Variable " + key +
         " does not exist, or was not created with tf.get_variable(). Did you "
         "mean to set reuse=tf.AUTO_REUSE in VarScope?";
}

}  // namespace varkeep

#endif  // VARKEEP_TESTS_SERVER_SCOPES_PROGRAM_H_
