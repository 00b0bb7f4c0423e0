// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/naive_peer.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
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
  explicit NaiveService(size_t bytes) : value_(bytes, '\1') {}

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

void Serve(int port, size_t bytes) {
  NaiveService service(bytes);
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

}  // namespace

struct NaivePeer::Client {
  explicit Client(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub = Naive::NewStub(grpc::CreateCustomChannel(
        Address(port), grpc::InsecureChannelCredentials(), arguments));
  }

  std::unique_ptr<Naive::Stub> stub;
};

NaivePeer::NaivePeer(size_t bytes) : port_(FreePort()) {
  pid_ = fork();
  if (pid_ == 0) {
    Serve(port_, bytes);
    _exit(0);
  }
}

NaivePeer::~NaivePeer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

// Not in the constructor: gRPC starts threads, and other peers fork.
NaivePeer::Client* NaivePeer::Connected() {
  if (client_ == nullptr) client_ = std::make_unique<Client>(port_);
  return client_.get();
}

void NaivePeer::Read(std::span<std::byte> memory) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  Value value;
  Check(Connected()->stub->Read(&context, ReadRequest(), &value));
  std::memcpy(memory.data(), value.data().data(), memory.size());
}

void NaivePeer::Assign(std::span<const std::byte> memory) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  Value value;
  value.set_data(memory.data(), memory.size());
  Assigned assigned;
  Check(Connected()->stub->Assign(&context, value, &assigned));
}

}  // namespace varkeep::benchmarks
