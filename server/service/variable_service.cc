// SPDX-License-Identifier: Apache-2.0
//
// VariableService: decode, call, encode. What each call does is said in the
// .proto; how, in server/scopes and server/variables.
#include <google/protobuf/arena.h>
#include <re2/re2.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_annotate.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/scopes/sessionless.h"
#include "server/service/arena_messages.h"
#include "server/service/assign_reactor.h"
#include "server/service/convert.h"
#include "server/service/reactors.h"
#include "server/service/read_stream.h"
#include "server/service/reads.h"
#include "server/service/selection.h"
#include "server/service/services.h"
#include "server/service/transaction_reactor.h"
#include "server/service/wait_reactor.h"
#include "server/variables/names.h"
#include "varkeep/v1/variable_service.grpc.pb.h"

namespace varkeep {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using grpc::ServerWriteReactor;
using SessionPtr = std::shared_ptr<Session>;

constexpr size_t kListPage = 500;

// Calls that stream tensors have raw buffers: see ReadStream, AssignUpload.
using Raw = v1::VariableService;
using Base =
    Raw::WithRawCallbackMethod_ReadValue<Raw::WithRawCallbackMethod_ReadValues<
        Raw::WithRawCallbackMethod_Assign<Raw::WithRawCallbackMethod_AssignAdd<
            Raw::WithRawCallbackMethod_AssignSub<
                Raw::WithRawCallbackMethod_Gather<Raw::CallbackService>>>>>>;

template <typename Message>
absl::Status Parse(const ByteBuffer& buffer, Message* message) {
  ByteBuffer copy(buffer);  // of references
  return FromGrpc(
      grpc::SerializationTraits<Message>::Deserialize(&copy, message));
}

ServerWriteReactor<ByteBuffer>* Send(ReadStream values) {
  auto stream = std::make_shared<ReadStream>(std::move(values));
  return new Streamer<ByteBuffer>([stream](ByteBuffer* message) {
    if (!stream->Next(message)) return Given::kNothing;
    return stream->AtEnd() ? Given::kLastMessage : Given::kMessage;
  });
}

class VariableService final : public Base {
 public:
  explicit VariableService(const ServiceContext* context)
      : services_(*context) {
    SetMessageAllocatorFor_GetVariables(&get_variables_);
  }

  ServerUnaryReactor* OpenSession(CallbackServerContext* call,
                                  const v1::OpenSessionRequest* request,
                                  v1::OpenSessionResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      SessionOptions options;
      options.container = request->container();
      options.creator = request->creator();
      if (request->has_graph_seed()) {
        options.graph_seed = request->graph_seed();
      }
      ASSIGN_OR_RETURN(SessionPtr session,
                       services_.sessions->Open(std::move(options)));
      response->set_session_id(session->id());
      *response->mutable_lease() = DurationToProto(services_.sessions->lease());
      *response->mutable_root() = ScopeToProto(Scope());
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* CloseSession(CallbackServerContext* call,
                                   const v1::CloseSessionRequest* request,
                                   v1::CloseSessionResponse*) override {
    return Answer(
        call, [&] { return services_.sessions->Close(request->session_id()); });
  }

  ServerUnaryReactor* EnterScope(CallbackServerContext* call,
                                 const v1::EnterScopeRequest* request,
                                 v1::EnterScopeResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(SessionPtr session,
                       services_.sessions->Find(request->session_id()));
      ASSIGN_OR_RETURN(Scope current, ScopeFromProto(request->current()));
      ASSIGN_OR_RETURN(Scope scope, Enter(session.get(), current, *request));
      *response->mutable_scope() = ScopeToProto(scope);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* ExitScope(CallbackServerContext* call,
                                const v1::ExitScopeRequest* request,
                                v1::ExitScopeResponse*) override {
    return Answer(call, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(SessionPtr session,
                       services_.sessions->Find(request->session_id()));
      ASSIGN_OR_RETURN(Scope scope, ScopeFromProto(request->scope()));
      return session->ExitScope(scope);
    });
  }

  ServerUnaryReactor* GetVariable(CallbackServerContext* call,
                                  const v1::GetVariableRequest* request,
                                  v1::GetVariableResponse* response) override {
    const Request change = RequestFromProto(*request);
    return AnswerOn(PoolFor(change), call, [=, this]() -> absl::Status {
      ASSIGN_OR_RETURN(Scope scope, ScopeFromProto(request->scope()));
      return Get(request->session_id(), request->container(), scope,
                 request->variable(), change, response);
    });
  }

  ServerUnaryReactor* GetVariables(
      CallbackServerContext* call, const v1::GetVariablesRequest* request,
      v1::GetVariablesResponse* response) override {
    Request change;
    change.durability = DurabilityFromProto(request->durability());
    return AnswerOn(services_.waiters, call, [=, this]() -> absl::Status {
      ASSIGN_OR_RETURN(Scope scope, ScopeFromProto(request->scope()));
      for (int i = 0; i < request->variables_size(); ++i) {
        absl::Status status =
            Get(request->session_id(), request->container(), scope,
                request->variables(i), change, response->add_variables());
        if (!status.ok()) {
          return Annotate(status, absl::StrCat("variables[", i, "]"));
        }
      }
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* CreateVariable(
      CallbackServerContext* call, const v1::CreateVariableRequest* request,
      v1::CreateVariableResponse* response) override {
    const Request change = RequestFromProto(*request);
    return AnswerOn(PoolFor(change), call, [=, this]() -> absl::Status {
      ASSIGN_OR_RETURN(Scope scope, ScopeFromProto(request->scope()));
      ASSIGN_OR_RETURN(VariableArguments arguments,
                       VariableFromProto(request->variable()));
      absl::StatusOr<Declared> declared;
      if (request->session_id().empty()) {
        declared = CreateVariableWithoutSession(
            services_.committer, request->container(), scope, arguments, change,
            services_.entropy);
      } else {
        ASSIGN_OR_RETURN(SessionPtr session,
                         services_.sessions->Find(request->session_id()));
        declared = session->CreateVariable(scope, arguments, change);
      }
      RETURN_IF_ERROR(declared.status());
      return Answered(*declared, change, response);
    });
  }

  // Draws numbers, which takes a while.
  ServerUnaryReactor* Initialize(CallbackServerContext* call,
                                 const v1::InitializeRequest* request,
                                 v1::InitializeResponse* response) override {
    return AnswerOn(services_.waiters, call,
                    [=, this] { return InitializeNow(*request, response); });
  }

  ServerUnaryReactor* IsInitialized(
      CallbackServerContext* call, const v1::IsInitializedRequest* request,
      v1::IsInitializedResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(VariableInfo info,
                       services_.store->Find(request->container(),
                                             StripOutput(request->name())));
      response->set_initialized(info.initialized);
      response->set_version(info.version);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* ReportUninitialized(
      CallbackServerContext* call,
      const v1::ReportUninitializedRequest* request,
      v1::ReportUninitializedResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(
          Selected selected,
          request->has_selection()
              ? Select(services_, request->session_id(), request->container(),
                       request->selection())
              : SelectGlobalAndLocal(services_, request->session_id(),
                                     request->container()));
      for (const std::string& name : selected.names) {
        ASSIGN_OR_RETURN(VariableInfo info,
                         services_.store->Find(selected.container, name));
        if (!info.initialized) response->add_names(name);
      }
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* WaitUntilInitialized(
      CallbackServerContext* call,
      const v1::WaitUntilInitializedRequest* request,
      v1::WaitUntilInitializedResponse* response) override {
    absl::StatusOr<Selected> selected =
        Select(services_, request->session_id(), request->container(),
               request->selection());
    if (!selected.ok()) {
      return Answer(call, [&] { return selected.status(); });
    }
    return new WaitReactor(services_.store, selected->container,
                           std::move(selected->names), response);
  }

  ServerWriteReactor<ByteBuffer>* ReadValue(CallbackServerContext*,
                                            const ByteBuffer* raw) override {
    return ReadAndSend(*raw, ReadOne);
  }

  ServerWriteReactor<ByteBuffer>* ReadValues(CallbackServerContext*,
                                             const ByteBuffer* raw) override {
    google::protobuf::Arena arena;  // for thousands of names
    auto* request =
        google::protobuf::Arena::CreateMessage<v1::ReadValuesRequest>(&arena);
    absl::Status parsed = Parse(*raw, request);
    if (!parsed.ok()) return new FailedStream<ByteBuffer>(parsed);
    PreparedRead read = Prepare(*request);
    absl::StatusOr<ReadStream> values = ReadMany(services_, &read);
    if (!values.ok()) return new FailedStream<ByteBuffer>(values.status());
    return Send(*std::move(values));
  }

  grpc::ServerReadReactor<ByteBuffer>* Assign(CallbackServerContext* call,
                                              ByteBuffer* response) override {
    return new AssignReactor(AssignKind::kAssign, &services_, call, response);
  }
  grpc::ServerReadReactor<ByteBuffer>* AssignAdd(
      CallbackServerContext* call, ByteBuffer* response) override {
    return new AssignReactor(AssignKind::kAdd, &services_, call, response);
  }
  grpc::ServerReadReactor<ByteBuffer>* AssignSub(
      CallbackServerContext* call, ByteBuffer* response) override {
    return new AssignReactor(AssignKind::kSubtract, &services_, call, response);
  }

  grpc::ServerReadReactor<v1::TransactionRequest>* Transaction(
      CallbackServerContext* call, v1::TransactionResponse* response) override {
    return new TransactionReactor(&services_, call, response);
  }

  ServerWriteReactor<ByteBuffer>* Gather(CallbackServerContext*,
                                         const ByteBuffer* raw) override {
    return ReadAndSend(*raw, GatherFromOne);
  }

  ServerWriteReactor<v1::ListVariablesResponse>* ListVariables(
      CallbackServerContext*,
      const v1::ListVariablesRequest* request) override {
    ListQuery query;
    if (!request->all_containers()) query.container = request->container();
    query.scope = request->scope();
    query.limit = kListPage;
    return new Streamer<v1::ListVariablesResponse>(
        [this, query](v1::ListVariablesResponse* response) mutable {
          response->Clear();
          std::vector<VariableInfo> page = services_.store->List(query);
          for (const VariableInfo& info : page) {
            VariableToProto(info, response->add_variables());
          }
          if (page.empty()) return Given::kNothing;
          if (page.size() < query.limit) return Given::kLastMessage;
          query.after = std::move(page.back());
          return Given::kMessage;
        });
  }

  ServerUnaryReactor* GetCollection(
      CallbackServerContext* call, const v1::GetCollectionRequest* request,
      v1::GetCollectionResponse* response) override {
    return Answer(call, [&]() -> absl::Status {
      v1::Selection selection;
      selection.set_collection(request->key());
      ASSIGN_OR_RETURN(Selected selected,
                       Select(services_, request->session_id(),
                              request->container(), selection));
      RE2 scope(request->scope(), RE2::Quiet);
      if (!scope.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("scope '", Shorten(request->scope()),
                         "' is not a regular expression: ", scope.error()));
      }
      for (const std::string& name : selected.names) {
        const std::string tensor_name = name + ":0";
        if (!scope.Match(tensor_name, 0, tensor_name.size(), RE2::ANCHOR_START,
                         nullptr, 0)) {
          continue;
        }
        // A member that was deleted meanwhile is left out.
        absl::StatusOr<VariableInfo> info =
            services_.store->Find(selected.container, name);
        if (info.ok()) VariableToProto(*info, response->add_variables());
      }
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* AddToCollection(
      CallbackServerContext* call, const v1::AddToCollectionRequest* request,
      v1::AddToCollectionResponse* response) override {
    const Request change = RequestFromProto(*request);
    return AnswerOn(PoolFor(change), call, [=, this]() -> absl::Status {
      const std::vector<std::string> keys(request->keys().begin(),
                                          request->keys().end());
      const std::string name(StripOutput(request->name()));
      absl::StatusOr<VariableInfo> info;
      if (request->session_id().empty()) {
        info = AddToCollectionsWithoutSession(
            services_.committer, request->container(), keys, name, change);
      } else {
        ASSIGN_OR_RETURN(SessionPtr session,
                         services_.sessions->Find(request->session_id()));
        info = session->AddToCollections(keys, name, change);
      }
      RETURN_IF_ERROR(info.status());
      VariableToProto(*info, response->mutable_variable());
      ASSIGN_OR_RETURN(const Durability reached,
                       services_.committer->Reach(change));
      response->set_durability(DurabilityToProto(reached));
      return absl::OkStatus();
    });
  }

 private:
  static absl::StatusOr<Scope> Enter(Session* session, const Scope& current,
                                     const v1::EnterScopeRequest& request) {
    switch (request.arguments_case()) {
      case v1::EnterScopeRequest::kVariableScope: {
        ASSIGN_OR_RETURN(VariableScopeArguments arguments,
                         VariableScopeFromProto(request.variable_scope()));
        return session->EnterVariableScope(current, arguments);
      }
      case v1::EnterScopeRequest::kNameScope:
        return session->EnterNameScope(current, request.name_scope().name());
      case v1::EnterScopeRequest::ARGUMENTS_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError(
        "EnterScope needs the arguments of a variable_scope or a name_scope");
  }

  absl::Status Get(const std::string& session_id, const std::string& container,
                   const Scope& scope, const v1::VariableArguments& variable,
                   const Request& change, v1::GetVariableResponse* response) {
    ASSIGN_OR_RETURN(VariableArguments arguments, VariableFromProto(variable));
    absl::StatusOr<Declared> declared;
    if (session_id.empty()) {
      declared =
          GetVariableWithoutSession(services_.committer, container, scope,
                                    arguments, change, services_.entropy);
    } else {
      ASSIGN_OR_RETURN(SessionPtr session,
                       services_.sessions->Find(session_id));
      declared = session->GetVariable(scope, arguments, change);
    }
    RETURN_IF_ERROR(declared.status());
    return Answered(*declared, change, response);
  }

  // What was found may be another request's, and less durable than this one
  // wants.
  template <typename Response>
  absl::Status Answered(const Declared& declared, const Request& change,
                        Response* response) {
    ASSIGN_OR_RETURN(Durability reached, services_.committer->Reach(change));
    response->set_durability(DurabilityToProto(reached));
    VariableToProto(declared.info, response->mutable_variable());
    response->set_created(declared.created);
    return absl::OkStatus();
  }

  // Where a change is made: null for here and now.
  ThreadPool* PoolFor(const Request& change) const {
    return services_.committer->MayWait(change) ? services_.waiters : nullptr;
  }

  absl::Status InitializeNow(const v1::InitializeRequest& request,
                             v1::InitializeResponse* response) {
    ASSIGN_OR_RETURN(Selected selected,
                     Select(services_, request.session_id(),
                            request.container(), request.selection()));
    ASSIGN_OR_RETURN(
        Applied applied,
        services_.committer->Apply(
            InitializeMutation{selected.container, std::move(selected.names),
                               request.force()},
            RequestFromProto(request)));
    response->set_durability(DurabilityToProto(applied.durability));
    response->set_revision(applied.revision);
    response->set_duplicate(applied.duplicate);
    response->mutable_initialized()->Add(applied.names.begin(),
                                         applied.names.end());
    return absl::OkStatus();
  }

  // What `read` answers a raw request with.
  template <typename Message>
  ServerWriteReactor<ByteBuffer>* ReadAndSend(
      const ByteBuffer& raw,
      absl::StatusOr<ReadStream::Item> (*read)(const ServiceContext&,
                                               const Message&)) {
    Message request;
    absl::Status parsed = Parse(raw, &request);
    if (!parsed.ok()) return new FailedStream<ByteBuffer>(parsed);
    absl::StatusOr<ReadStream::Item> item = read(services_, request);
    if (!item.ok()) return new FailedStream<ByteBuffer>(item.status());
    return Send(ReadStream(*std::move(item)));
  }

  ArenaMessages<v1::GetVariablesRequest, v1::GetVariablesResponse>
      get_variables_;
  const ServiceContext& services_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeVariableService(
    const ServiceContext* context) {
  return std::make_unique<VariableService>(context);
}

}  // namespace varkeep
