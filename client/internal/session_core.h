// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_SESSION_CORE_H_
#define VARKEEP_CLIENT_INTERNAL_SESSION_CORE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/internal/connection.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep::client {

// A session that survives the server's: what it declared is kept in order, and
// when the server does not know the session any more (it was restarted, the
// lease ran out), another one is opened in which all of it is declared again.
// The same is done when it is unknown whether a declaration arrived, since most
// of them count something.
//
// Scopes carry numbers of ours (`opening`), which stay valid when the server's
// change. Thread-safe; declarations run one after the other.
class SessionCore {
 public:
  static absl::StatusOr<std::shared_ptr<SessionCore>> Open(
      std::shared_ptr<Connection> connection, v1::OpenSessionRequest options);
  // Closes the server's session, unless that would take long.
  ~SessionCore();

  const std::shared_ptr<Connection>& connection() const { return connection_; }
  const std::string& container() const { return options_.container(); }

  // Declarations. The session id is filled in.
  absl::StatusOr<v1::Scope> EnterScope(v1::EnterScopeRequest request);
  absl::Status ExitScope(v1::ExitScopeRequest request);
  absl::StatusOr<v1::VariableInfo> GetVariable(v1::GetVariableRequest request);
  absl::StatusOr<v1::VariableInfo> CreateVariable(
      v1::CreateVariableRequest request);
  absl::Status AddToCollection(v1::AddToCollectionRequest request);

  // The number of another scope stack.
  uint64_t NewStack();

  // Sends a call that declares nothing, repeats it in a new session if need be.
  // `Request` has a session_id, which is filled in.
  template <typename Request>
  absl::Status Call(const std::string& method, Request request,
                    google::protobuf::MessageLite* response,
                    absl::Duration timeout) {
    return CallWith(method, &request, request.mutable_session_id(),
                    Connection::IdOf(&request), response, timeout);
  }

  // After NOT_FOUND for a variable that was declared: true when the session was
  // lost and the variable is declared again, so that trying again makes sense.
  bool DeclaredAgain();

 private:
  struct Entered {
    v1::EnterScopeRequest request;
    uint64_t opening;
  };
  using Declaration =
      std::variant<Entered, v1::ExitScopeRequest, v1::GetVariableRequest,
                   v1::CreateVariableRequest, v1::AddToCollectionRequest>;

  SessionCore(std::shared_ptr<Connection> connection,
              v1::OpenSessionRequest options);

  absl::Status CallWith(const std::string& method,
                        google::protobuf::MessageLite* request,
                        std::string* session_id, v1::RequestId* id,
                        google::protobuf::MessageLite* response,
                        absl::Duration timeout);
  // The session's id, after declaring again if need be.
  absl::StatusOr<std::string> LiveId(absl::Duration timeout);
  void MarkLost(const std::string& id);

  absl::Status EnsureOpen(absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Replay(const Declaration& declaration, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends a declaration until it is made.
  template <typename Request, typename Response>
  absl::Status Declare(const char* method, Request* request, Response* response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Request, typename Response>
  absl::Status SendOnce(const char* method, Request request, Response* response,
                        absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ToServer(v1::Scope* scope) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<Connection> connection_;
  const v1::OpenSessionRequest options_;

  // Held during the RPC of a declaration: the order of declarations counts.
  Mutex mutex_;
  std::string id_ ABSL_GUARDED_BY(mutex_);
  bool lost_ ABSL_GUARDED_BY(mutex_) = true;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;  // times a session was opened
  uint64_t last_opening_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_stack_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint64_t, uint64_t> openings_  // ours to the server's
      ABSL_GUARDED_BY(mutex_);
  std::vector<Declaration> declarations_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> reused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_SESSION_CORE_H_
