// SPDX-License-Identifier: Apache-2.0
//
// The change log beside what the disk itself gives in the same run. Run it
// where the data would be: it writes below the working directory.
//
//   log_benchmark [--quick] [--json FILE] [--directory DIR]
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/durability/committer.h"
#include "server/durability/recovery.h"
#include "server/variables/variable_store.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/log/log.h"
#include "storage/posix_file_system.h"
#include "tensor/tensor.h"
#include "tests/benchmarks/measure.h"

namespace varkeep::benchmarks {
namespace {

using storage::Durability;
using storage::LogEntry;

constexpr int64_t kFileBytes = int64_t{64} << 20;

void Must(bool ok, const std::string& what) {
  if (ok) return;
  std::cerr << what << " failed\n";
  std::exit(1);
}

std::shared_ptr<Tensor> Filled(int64_t bytes) {
  std::shared_ptr<Tensor> tensor =
      Tensor::Create(DType::kUint8, Shape({bytes})).value();
  uint8_t next = 1;
  for (uint8_t& byte : tensor->mutable_values<uint8_t>()) byte = next++;
  return tensor;
}

LogEntry EntryOf(int64_t bytes) { return {"body", {Filled(bytes)}, 1}; }

// A directory that is gone in the end.
class Directory {
 public:
  explicit Directory(std::string path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

class LogUnderTest {
 public:
  explicit LogUnderTest(const std::string& path) : directory_(path) {
    options_.directory = path;
    Open();
  }
  // What `threads` threads together append, each record synced.
  void Append(const LogEntry& entry, int threads, int each) {
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        for (int i = 0; i < each; ++i) {
          Must(log_->Append(entry, Durability::kFsync, [](uint64_t) {}).ok(),
               "Append");
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    Must(log_->DropThrough(log_->state().published).ok(), "DropThrough");
  }
  void AppendUnsynced(const LogEntry& entry, int count) {
    for (int i = 0; i < count; ++i) {
      Must(log_->Append(entry, Durability::kNone, [](uint64_t) {}).ok(),
           "Append");
    }
    Must(log_->Sync().ok(), "Sync");
  }
  // Opens again, reading everything.
  void Replay() {
    log_.reset();
    Open();
  }
  const std::string& path() const { return directory_.path(); }

 private:
  void Open() {
    storage::LogRecovered recovered;
    log_ = storage::Log::Open(
               &disk_, options_, 0, 0,
               [](storage::LogRecord) { return absl::OkStatus(); }, nullptr,
               &recovered)
               .value();
  }

  Directory directory_;
  storage::PosixFileSystem disk_;
  storage::LogOptions options_;
  std::unique_ptr<storage::Log> log_;
};

// A file with room for much, as a log without any thought would write it.
class PlainFile {
 public:
  explicit PlainFile(const std::string& path) : directory_(path) { Open(); }
  ~PlainFile() { close(fd_); }

  void WriteAndSync(const Tensor& tensor, int count) {
    for (int i = 0; i < count; ++i) {
      if (at_ + tensor.size_bytes() > kFileBytes) Open();
      Must(pwrite(fd_, tensor.bytes().data(), tensor.bytes().size(), at_) ==
               tensor.size_bytes(),
           "pwrite");
      Must(fdatasync(fd_) == 0, "fdatasync");
      at_ += tensor.size_bytes();
    }
  }

 private:
  void Open() {
    if (fd_ >= 0) close(fd_);
    const std::string path = directory_.path() + "/plain";
    unlink(path.c_str());
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    Must(fd_ >= 0 && fallocate(fd_, 0, 0, kFileBytes) == 0 && fsync(fd_) == 0,
         "preallocate");
    at_ = 0;
  }

  Directory directory_;
  int fd_ = -1;
  int64_t at_ = 0;
};

// read() of every file, to the end.
void ReadFiles(const std::string& directory) {
  std::vector<char> buffer(1 << 20);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    while (read(fd, buffer.data(), buffer.size()) > 0) {
    }
    close(fd);
  }
}

// A server's durable half, started anew over what it logged.
class RecoveredStore {
 public:
  explicit RecoveredStore(const std::string& path) : directory_(path) {
    checkpoints_ =
        storage::DirectoryCheckpointStore::Open(&disk_, path, Clock::Real())
            .value();
    options_.log.directory = path + "/log";
    Recover();
  }
  void Log(const Mutation& mutation, int count) {
    Committer committer(store_.get(), Durability::kNone);
    committer.SetLog(recovered_.log.get());
    for (int i = 0; i < count; ++i) {
      Must(committer.Apply(mutation).ok(), "Apply");
    }
  }
  // All but opening the RPC server.
  void Recover() {
    recovered_ = {};
    store_ = std::make_unique<VariableStore>(StoreLimits(), &pool_);
    recovered_ =
        varkeep::Recover(checkpoints_.get(), &disk_, options_, store_.get())
            .value();
  }
  std::string log_path() const { return options_.log.directory; }

 private:
  Directory directory_;
  storage::PosixFileSystem disk_;
  ThreadPool pool_{static_cast<int>(std::thread::hardware_concurrency())};
  std::unique_ptr<storage::DirectoryCheckpointStore> checkpoints_;
  RecoveryOptions options_;
  std::unique_ptr<VariableStore> store_;
  Recovered recovered_;
};

Mutation Declaration(int64_t bytes) {
  DeclareMutation declare;
  declare.spec.name = "v";
  declare.spec.dtype = DType::kUint8;
  declare.spec.shape = Shape({bytes});
  declare.spec.initializer = ZerosInitializer();
  return declare;
}

std::vector<Row> Run(double seconds, const std::string& directory) {
  std::vector<Row> rows;
  auto synced = [&](const std::string& name, int64_t bytes, int threads,
                    int count) {
    LogUnderTest log(directory + "/log");
    PlainFile plain(directory + "/plain");
    const LogEntry entry = EntryOf(bytes);
    rows.push_back(Compare(
        name, bytes * count, seconds,
        [&] { log.Append(entry, threads, count / threads); },
        [&] { plain.WriteAndSync(*entry.tensors[0], count); }));
  };
  synced("fsync 1 KB, 1 thread", 1 << 10, 1, 320);
  synced("fsync 1 KB, 16 thr.", 1 << 10, 16, 9600);
  synced("fsync 1 MB, 1 thread", 1 << 20, 1, 48);
  synced("fsync 1 MB, 16 thr.", 1 << 20, 16, 48);
  auto replay = [&](const std::string& name, int64_t bytes, int count) {
    LogUnderTest log(directory + "/log");
    log.AppendUnsynced(EntryOf(bytes), count);
    rows.push_back(Compare(
        name, bytes * count, seconds, [&] { log.Replay(); },
        [&] { ReadFiles(log.path()); }));
  };
  replay("replay 1 KB", 1 << 10, 200000);
  replay("replay 1 MB", 1 << 20, 512);
  auto recover = [&](const std::string& name, int64_t bytes, int count,
                     bool add) {
    RecoveredStore store(directory + "/data");
    store.Log(Declaration(bytes), 1);
    store.Log(AssignMutation{"", "v", Filled(bytes), {}, true}, 1);
    if (add) {
      store.Log(UpdateMutation{"", "v", UpdateOp::kAdd, Filled(bytes), {}},
                count);
    } else {
      store.Log(AssignMutation{"", "v", Filled(bytes), {}, true}, count);
    }
    rows.push_back(Compare(
        name, bytes * count, seconds, [&] { store.Recover(); },
        [&] { ReadFiles(store.log_path()); }));
  };
  recover("recover 64 B adds", 64, 200000, true);
  recover("recover 1 KB adds", 1 << 10, 200000, true);
  recover("recover 1 GiB", 1 << 20, 1024, false);
  recover("recover 1 GiB adds", 64 << 20, 16, true);
  return rows;
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  bool quick = false;
  std::string json;
  std::string directory = "log_benchmark.data";
  CLI::App app("The change log beside plain files in the same run.");
  app.add_flag("--quick", quick, "a tenth of the time for each row");
  app.add_option("--json", json, "also write the rows to this file");
  app.add_option("--directory", directory,
                 "a new folder on the disk to measure");
  CLI11_PARSE(app, argc, argv);
  std::cout
      << "yardsticks: one preallocated file, write and fdatasync for each "
         "record; read() of the same files\n";
  const auto rows = varkeep::benchmarks::Run(quick ? 0.2 : 2.0, directory);
  std::filesystem::remove_all(directory);
  varkeep::benchmarks::Print(rows);
  if (!json.empty()) varkeep::benchmarks::WriteJson(rows, json);
}
