// SPDX-License-Identifier: Apache-2.0
//
// Saving beside a plain buffered write of the same bytes with fdatasync and
// beside HDF5 as it comes, restoring beside read(2) of the same file into fresh
// memory. Incremental saves, of which one value in a hundred changed, beside a
// plain write of all bytes.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/directory_checkpoint_store.h"
#include "storage/posix_file_system.h"
#include "tests/benchmarks/measure.h"
#include "tests/benchmarks/stock_hdf5.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::benchmarks {
namespace {

using storage::CheckpointContents;
using storage::CheckpointId;
using storage::DirectoryCheckpointStore;
using storage::Sharing;

void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  std::exit(1);
}

CheckpointContents Values(int64_t count, int64_t bytes) {
  CheckpointContents contents;
  for (int64_t i = 0; i < count; ++i) {
    auto tensor = Must(Tensor::Create(DType::kInt8, {bytes}));
    std::memset(tensor->mutable_bytes().data(), static_cast<int>(i % 251 + 1),
                static_cast<size_t>(bytes));
    storage::CheckpointEntry entry;
    entry.path = absl::StrCat("variables/layer_", i % 100, "/v_", i, ":0");
    entry.dtype = DType::kInt8;
    entry.shape = {bytes};
    entry.value = std::move(tensor);
    entry.value_version = 1;
    contents.entries.push_back(std::move(entry));
  }
  return contents;
}

void WritePlainly(const CheckpointContents& contents, const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0640);
  Check(fd >= 0, "open");
  for (const storage::CheckpointEntry& entry : contents.entries) {
    std::span<const std::byte> bytes = entry.value->bytes();
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd, bytes.data(), bytes.size());
      Check(count > 0, "write");
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
  }
  Check(::fdatasync(fd) == 0, "fdatasync");
  ::close(fd);
}

// Gives its memory back to the system: the next time it is fresh again.
void ReadPlainly(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  Check(fd >= 0, "open");
  const auto size = static_cast<size_t>(::lseek(fd, 0, SEEK_END));
  std::unique_ptr<char, decltype(&std::free)> buffer(
      static_cast<char*>(std::malloc(size)), &std::free);
  for (size_t done = 0; done < size;) {
    const ssize_t count =
        ::pread(fd, buffer.get() + done, size - done, static_cast<off_t>(done));
    Check(count > 0, "read");
    done += static_cast<size_t>(count);
  }
  ::close(fd);
}

// As the server's variables have.
std::vector<storage::Attribute> AttributesOf(const std::string& name) {
  return {{"name", name},
          {"container", std::string()},
          {"version", uint64_t{17}},
          {"declared", uint64_t{3}},
          {"run", uint64_t{1}},
          {"trainable", true},
          {"collections",
           std::vector<std::string>{"variables", "trainable_variables"}},
          {"initializer", std::string(R"({"kind":"glorot_uniform"})")},
          {"seed", int64_t{87654321}},
          {"seed2", int64_t{12345}},
          {"regularizer", std::string()},
          {"caching_device", std::string()},
          {"constraint", std::string()},
          {"creator", std::string("worker 3")}};
}

// The least ratios that are wanted, 0 for none.
struct Goals {
  double save = 0;
  double restore = 0;
};

class CheckpointBenchmark {
 public:
  CheckpointBenchmark(const std::string& directory, double seconds)
      : directory_(directory), seconds_(seconds) {}

  void Run(const std::string& name, int64_t count, int64_t bytes,
           const Goals& goals) {
    const CheckpointContents contents = Values(count, bytes);
    Save(name, contents, goals.save);
    SaveChanged(name, contents);
    Restore(name, contents, goals.restore);
  }

  // What each variable costs, whatever its size, with all that a server says
  // of it.
  void RunTiny(const std::string& name, int64_t count) {
    CheckpointContents contents = Values(count, 4);
    for (storage::CheckpointEntry& entry : contents.entries) {
      entry.attributes = AttributesOf(entry.path);
    }
    CompareSave("save " + name + " / stock HDF5", contents, WriteStockHdf5, 0);
    Restore(name, contents, 0);
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::unique_ptr<DirectoryCheckpointStore> Open(Sharing sharing) {
    return Must(DirectoryCheckpointStore::Open(
        &file_system_, directory_ + "/data", Clock::Real(), sharing));
  }

  void Save(const std::string& name, const CheckpointContents& contents,
            double goal) {
    CompareSave("save " + name, contents, WritePlainly, goal);
    CompareSave("save " + name + " / stock HDF5", contents, WriteStockHdf5, 0);
  }

  // `write` writes a new file of a name.
  void CompareSave(const std::string& row, const CheckpointContents& contents,
                   void (*write)(const CheckpointContents&, const std::string&),
                   double goal) {
    auto store = Open(Sharing::kNone);
    const std::string other = directory_ + "/other";
    rows_.push_back(Compare(
        row, ValueBytes(contents), seconds_,
        [&] { Must(store->Write(contents, nullptr)); },
        [&] { write(contents, other); }, goal,
        [&] {
          RemoveAll(*store);
          ::unlink(other.c_str());
        }));
  }

  void SaveChanged(const std::string& name, CheckpointContents contents) {
    if (contents.entries.size() < 100) return;
    auto store = Open(Sharing::kWithSpare);
    // One for each chain.
    for (int i = 0; i < 2; ++i) Must(store->Write(contents, nullptr));
    const std::string plain = directory_ + "/plain";
    rows_.push_back(Compare(
        "save 1% of " + name, ValueBytes(contents), seconds_,
        [&] {
          for (size_t i = 0; i < contents.entries.size(); i += 100) {
            ++contents.entries[i].value_version;
          }
          Must(store->Write(contents, nullptr));
        },
        [&] { WritePlainly(contents, plain); }, /*goal=*/0,
        [&] { ::unlink(plain.c_str()); }));
    RemoveAll(*store);
  }

  void Restore(const std::string& name, const CheckpointContents& contents,
               double goal) {
    auto store = Open(Sharing::kNone);
    const storage::CheckpointInfo info = Must(store->Write(contents, nullptr));
    rows_.push_back(Compare(
        "restore " + name, info.size_bytes, seconds_,
        [&] {
          auto reader = Must(store->Open(info.id));
          std::vector<TensorRef> values;
          for (size_t i = 0; i < reader->contents().entries.size(); ++i) {
            values.push_back(Must(reader->Read(i)));
          }
        },
        [&] { ReadPlainly(absl::StrCat(directory_, "/data/", info.file)); },
        goal));
    RemoveAll(*store);
  }

  static void RemoveAll(DirectoryCheckpointStore& store) {
    for (const storage::CheckpointInfo& info : Must(store.List())) {
      store.Remove(info.id).IgnoreError();
    }
  }

  const std::string directory_;
  const double seconds_;
  storage::PosixFileSystem file_system_;
  std::vector<Row> rows_;
};

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  bool quick = false;
  bool small = false;
  std::string json;
  CLI::App app("Saves and restores beside plain writes and reads, and HDF5.");
  app.add_flag("--quick", quick, "a tenth of the bytes");
  app.add_flag("--small", small, "many small values only");
  app.add_option("--json", json, "also write the rows to this file");
  CLI11_PARSE(app, argc, argv);
  const varkeep::TempDir directory;
  const int64_t part = quick ? 10 : 1;
  varkeep::benchmarks::CheckpointBenchmark benchmark(directory.path(),
                                                     quick ? 0.5 : 5.0);
  if (!small) {
    benchmark.Run(quick ? "1x100MB" : "1x1GB", 1, 1'000'000'000 / part,
                  {.save = 1.2, .restore = 0.7});
    benchmark.Run(quick ? "10x10MB" : "100x10MB", 100 / part, 10'000'000,
                  {.save = 1.2});
  }
  benchmark.Run(quick ? "1000x100KB" : "10000x100KB", 10'000 / part, 100'000,
                {.save = 0.75});
  benchmark.RunTiny(quick ? "10000x4B" : "100000x4B", 100'000 / part);
  varkeep::benchmarks::Print(benchmark.rows());
  if (!json.empty()) varkeep::benchmarks::WriteJson(benchmark.rows(), json);
}
