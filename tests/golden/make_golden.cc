// SPDX-License-Identifier: Apache-2.0
//
//   make_golden DIRECTORY
//
// Writes what a release of this server leaves on the disk, for the releases
// after it to read: DIRECTORY/data, of a server that was killed, with two
// checkpoints, the second of which refers to the first, and every kind of
// change in the log; and DIRECTORY/state.txt, what a server must show that
// starts from it. docs/contributing.md says when.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "client/transaction.h"
#include "storage/log/log_inspect.h"
#include "storage/posix_file_system.h"
#include "tests/golden/state_text.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/server_process.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using client::Session;
using client::Variable;

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}
template <typename T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return *std::move(result);
}

std::shared_ptr<Session> Open(client::Client* client,
                              const std::string& container = "") {
  return Must(client->OpenSession(
      {.container = container, .graph_seed = 7, .creator = "make_golden"}));
}

Variable Declare(Session* session, const std::string& name, const Shape& shape,
                 const client::Initializer& initializer,
                 const client::VariableOptions& options = {}) {
  return Must(session->GetVariable(name, shape, initializer, options));
}

// What the checkpoints have.
void FillCheckpoints(client::Client* client, Session* session) {
  uint32_t seed = 1;
  for (DType dtype : kAllDTypes) {
    const std::string name = absl::StrCat("types/", DTypeName(dtype));
    Variable variable = Declare(session, name, {2, 3}, client::Zeros(),
                                {.dtype = dtype, .trainable = false});
    Must(variable.Assign(RandomTensor(dtype, {2, 3}, ++seed)).status());
  }
  Declare(session, "shapes/scalar", {}, client::Constant(2.5));
  Declare(session, "shapes/empty", {0, 3}, client::Zeros());
  Declare(session, "drawn/normal", {5}, client::RandomNormal());
  Declare(session, "drawn/orthogonal", {3, 3}, client::Orthogonal());
  Declare(session, "constant/list", {3}, client::Constant({1.0, -0.0, 3.5}));
  Declare(session, "constant/tensor", {2},
          client::Constant(*Of<double>({2}, {0.5, -1.5})),
          {.dtype = DType::kFloat64});
  Declare(session, "kept/local", {2}, client::Ones(), {.local = true});
  Declare(session, "kept/options", {2}, client::Ones(),
          {.collections = {{"variables", "mine"}},
           .regularizer = "l2",
           .caching_device = "/cpu:0",
           .constraint = "positive"});
  // Large enough for the second checkpoint to refer to it.
  Declare(session, "large", {storage::kSharedValueBytes / 4},
          client::Constant(0.25));
  Must(session->Initialize().status());
  Declare(session, "later/glorot", {3, 4}, client::GlorotUniform());
  auto other = Open(client, "other");
  Declare(other.get(), "types/float32", {2}, client::Ones());
  Must(other->Initialize().status());
  client::AdminClient admin(*client);
  Must(admin.Save().status());
  Must(Must(client->FindVariable("shapes/scalar"))
           .Assign(Of<float>({}, {-7}))
           .status());
  Must(admin.Save().status());
}

// What only the log has: every kind of change.
void FillLog(client::Client* client, Session* session) {
  Variable matrix = Declare(session, "log/matrix", {3, 2}, client::Zeros());
  Variable vector = Declare(session, "log/vector", {3}, client::Ones());
  Must(
      client->Initialize(client::Selection::Named({"log/matrix", "log/vector"}))
          .status());
  Must(matrix.Assign(Of<float>({3, 2}, {1, 2, 3, 4, 5, 6})).status());
  Must(vector.AssignAdd(Of<float>({3}, {0.5, 0.25, 0.125})).status());
  Must(vector.AssignSub(Of<float>({3}, {1, 2, 3})).status());
  Must(matrix
           .Scatter(ScatterOp::kMultiply, Of<int32_t>({2}, {2, 0}),
                    Of<float>({2, 2}, {10, 20, 30, 40}))
           .status());
  Must(matrix
           .ScatterNd(ScatterOp::kUpdate, Of<int32_t>({1, 2}, {1, 1}),
                      Of<float>({1}, {-1}))
           .status());
  client::Transaction transaction;
  transaction.AssignAdd(vector, Of<float>({3}, {1, 1, 1}));
  transaction.Assign(matrix, Of<float>({3, 2}, {6, 5, 4, 3, 2, 1}));
  transaction.Scatter(matrix, ScatterOp::kAdd, Of<int32_t>({1}, {1}),
                      Of<float>({1, 2}, {0.5, 0.5}));
  Must(transaction.Commit().status());
  Must(client
           ->Initialize(client::Selection::Named({"drawn/normal"}),
                        /*force=*/true)
           .status());
  Must(session->AddToCollection("mine", vector));
  client::AdminClient admin(*client);
  Must(admin.DeleteVariable("", "types/int8"));
  Must(admin.ResetContainer("other").status());
  client::RestoreOptions options;
  options.id = 1;
  options.names = {"shapes/scalar"};
  Must(admin.Restore(options).status());
}

// A segment is as long as it may grow; what is behind its last record is zeros.
void TrimLog(const std::string& directory) {
  storage::PosixFileSystem file_system;
  for (const auto& segment :
       Must(storage::InspectLog(&file_system, directory))) {
    std::filesystem::resize_file(segment.path,
                                 static_cast<uintmax_t>(segment.end));
  }
}

void Make(const std::string& target) {
  ServerProcess server;
  auto client = Must(client::Client::Connect(server.address()));
  auto session = Open(client.get());
  FillCheckpoints(client.get(), session.get());
  FillLog(client.get(), session.get());
  server.Kill();
  std::filesystem::create_directories(target);
  const std::string data = target + "/data";
  std::filesystem::copy(server.data_directory(), data,
                        std::filesystem::copy_options::recursive);
  // They are of this machine, not of the data.
  std::filesystem::remove(data + "/LOCK");
  std::filesystem::remove(data + "/RUNNING");
  TrimLog(data + "/log");
  server.Start();
  server.WaitUntilServing();
  std::ofstream(target + "/state.txt") << Must(StateText(client.get()));
}

}  // namespace
}  // namespace varkeep

int main(int argc, char** argv) {
  if (argc != 2 || std::filesystem::exists(argv[1])) {
    std::fprintf(stderr,
                 "usage: make_golden DIRECTORY, which must not exist\n");
    return 2;
  }
  varkeep::Make(argv[1]);
}
