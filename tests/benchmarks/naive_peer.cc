// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/naive_peer.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <mutex>
#include <string>

#include "naive.grpc.pb.h"
#include "tests/benchmarks/server_process.h"

namespace varkeep::benchmarks {
namespace {

class NaiveService final : public Naive::Service {
 public:
  grpc::Status Read(grpc::ServerContext*, const ReadRequest*,
                    Value* value) override {
    const std::lock_guard lock(mutex_);
    value->set_data(value_);
    return grpc::Status::OK;
  }
  grpc::Status Assign(grpc::ServerContext*, const Value* value,
                      Assigned*) override {
    const std::lock_guard lock(mutex_);
    value_ = value->data();
    return grpc::Status::OK;
  }

 private:
  std::mutex mutex_;
  std::string value_;
};

std::string Address(int port) { return "127.0.0.1:" + std::to_string(port); }

void Serve(int port) {
  NaiveService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(Address(port), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
}

void Check(const grpc::Status& status) {
  if (status.ok()) return;
  std::cerr << "naive peer: " << status.error_message() << "\n";
  std::exit(1);
}

// Until the other end is closed: a command is the bytes to assign, 0 to read.
void CallOnCommand(int port, int commands) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const auto stub = Naive::NewStub(grpc::CreateCustomChannel(
      Address(port), grpc::InsecureChannelCredentials(), arguments));
  std::string memory;
  for (size_t bytes = 0; read(commands, &bytes, sizeof(bytes)) > 0;) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    Value value;
    if (bytes == 0) {
      Check(stub->Read(&context, ReadRequest(), &value));
      std::memcpy(memory.data(), value.data().data(), memory.size());
    } else {
      memory.resize(bytes, '\1');
      value.set_data(memory);
      Assigned assigned;
      Check(stub->Assign(&context, value, &assigned));
    }
    if (write(commands, &bytes, 1) != 1) break;
  }
}

void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

NaivePeer::NaivePeer() {
  const int port = FreePort();
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(1);
  server_ = fork();
  if (server_ == 0) {
    Serve(port);
    _exit(0);
  }
  client_ = fork();
  if (client_ == 0) {
    close(ends[0]);
    CallOnCommand(port, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  commands_ = ends[0];
}

NaivePeer::~NaivePeer() {
  close(commands_);
  End(client_);
  End(server_);
}

void NaivePeer::Assign(size_t bytes) { Do(bytes); }

void NaivePeer::Read() { Do(0); }

void NaivePeer::Do(size_t bytes_to_assign) {
  char done = 0;
  if (write(commands_, &bytes_to_assign, sizeof(bytes_to_assign)) < 0 ||
      read(commands_, &done, 1) != 1) {
    std::cerr << "naive peer: the client ended\n";
    std::exit(1);
  }
}

}  // namespace varkeep::benchmarks
