// SPDX-License-Identifier: Apache-2.0
//
// A server as a whole: how long reads and assigns take while it saves, what
// rows of a large variable cost to change and many readers of one in memory,
// and how it bears a million variables.
//
//   service_benchmark [--quick] [--json FILE]
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/keep_freed_memory.h"
#include "client/admin_client.h"
#include "client/client.h"
#include "tensor/tensor_rows.h"
#include "tests/benchmarks/measure.h"
#include "tests/benchmarks/server_process.h"
#include "varkeep/v1/variable_service.grpc.pb.h"

namespace varkeep::benchmarks {
namespace {

double Percentile99(std::vector<double> seconds) {
  const auto nth =
      seconds.begin() + static_cast<int64_t>(seconds.size()) * 99 / 100;
  std::nth_element(seconds.begin(), nth, seconds.end());
  return *nth;
}

// Of the seconds of calls: until `enough`, a hundred at least.
double Percentile99Until(const std::function<bool()>& enough,
                         const std::function<void()>& call) {
  std::vector<double> times;
  while (times.size() < 100 || !enough()) times.push_back(Seconds(call));
  return Percentile99(std::move(times));
}

// A server with much to save, and a variable of 1 MiB to use meanwhile.
class SavingServer {
 public:
  explicit SavingServer(int64_t bytes)
      : bytes_(bytes),
        client_(Must(client::Client::Connect(server_.address()))),
        session_(Must(client_->OpenSession())),
        admin_(*client_) {
    constexpr int kValues = 40;
    const Shape shape({bytes / kValues / 4});
    for (int i = 0; i < kValues; ++i) {
      Must(session_->GetVariable(absl::StrCat("v", i), shape, client::Ones()));
    }
  }

  client::Variable MakeVariable() {
    client::Variable variable =
        Must(session_->GetVariable("used", Shape({1 << 18}), client::Ones()));
    Must(session_->Initialize());
    return variable;
  }

  // A row of p99: the median of some rounds, each half without and half with a
  // save.
  Row Measure(const std::string& name, const std::function<void()>& call,
              double goal = 0) {
    constexpr int kRounds = 3;
    std::vector<double> alone;
    std::vector<double> saving;
    Percentile99Until([] { return true; }, call);
    for (int round = 0; round < kRounds; ++round) {
      // Something to save each time.
      Must(session_->Initialize(client::Selection::GlobalVariables(), true));
      std::atomic<bool> saved = false;
      int left = 2000;
      alone.push_back(Percentile99Until([&] { return --left < 0; }, call));
      std::thread saver([&] {
        Must(admin_.Save());
        saved = true;
      });
      saving.push_back(Percentile99Until([&] { return saved.load(); }, call));
      saver.join();
    }
    return {absl::StrCat("p99 of ", name, " 1 MiB, saving ", bytes_ / 1'000'000,
                         " MB / not saving"),
            1 << 20, Summarize(saving), Summarize(alone), goal};
  }

 private:
  const int64_t bytes_;
  ServerProcess server_;
  const std::shared_ptr<client::Client> client_;
  const std::shared_ptr<client::Session> session_;
  client::AdminClient admin_;
};

void CallsWhileSaving(int64_t bytes, Results* results) {
  SavingServer server(bytes);
  const client::Variable variable = server.MakeVariable();
  const auto value = Must(Tensor::Create(DType::kFloat32, variable.shape()));
  const std::span<float> memory = value->mutable_values<float>();
  std::ranges::fill(memory, 1.0f);
  results->rows.push_back(server.Measure(
      "ReadValue", [&] { Must(variable.ReadInto(memory)); }, /*goal=*/0.5));
  results->rows.push_back(server.Measure(
      "Assign", [&] { Must(variable.Assign(TensorRef(value))); }));
}

constexpr int64_t kColumns = 64;
constexpr int64_t kRows = 1000;  // that are scattered or gathered at once

TensorRef RandomRows(int64_t rows, std::mt19937_64* engine) {
  const auto indices = Must(Tensor::Create(DType::kInt64, {kRows}));
  for (int64_t& index : indices->mutable_values<int64_t>()) {
    index = static_cast<int64_t>((*engine)() % static_cast<uint64_t>(rows));
  }
  return indices;
}

// A scatter_add through the server costs what the rows it names are large.
Row RowsOfLargeVariable(int64_t large_bytes, int64_t small_bytes,
                        double seconds) {
  ServerProcess server;
  auto connected = Must(client::Client::Connect(server.address()));
  auto session = Must(connected->OpenSession());
  const auto updates = Must(Tensor::Create(DType::kFloat32, {kRows, kColumns}));
  std::ranges::fill(updates->mutable_values<float>(), 1.0f);
  std::mt19937_64 engine(1);
  auto scatter_into = [&](const std::string& name, int64_t bytes) {
    const int64_t rows = bytes / 4 / kColumns;
    const client::Variable variable = Must(
        session->GetVariable(name, Shape({rows, kColumns}), client::Ones()));
    const TensorRef indices = RandomRows(rows, &engine);
    return [variable, indices, updates] {
      Must(variable.Scatter(ScatterOp::kAdd, indices, updates));
    };
  };
  const auto large = scatter_into("large", large_bytes);
  const auto small = scatter_into("small", small_bytes);
  Must(session->Initialize());
  return Compare(
      absl::StrCat("Scatter of 1,000 rows into ", large_bytes / 1'000'000,
                   " MB / ", small_bytes / 1'000'000, " MB"),
      updates->size_bytes(), seconds, large, small, /*goal=*/0.83);
}

// A server with a large table, and scatters into it.
class ScatteredTable {
 public:
  explicit ScatteredTable(int64_t bytes)
      : bytes_(bytes), rows_(bytes / 4 / kColumns) {
    client::Variable variable = Must(
        session_->GetVariable("v", Shape({rows_, kColumns}), client::Ones()));
    Must(session_->Initialize());
    variable_ = std::make_unique<client::Variable>(std::move(variable));
    indices_ = RandomRows(rows_, &engine_);
    std::ranges::fill(updates_->mutable_values<float>(), 1.0f);
  }

  int64_t rows() const { return rows_; }
  const std::string& address() const { return server_.address(); }

  // The mean of scatters beside `other`, called over and over by a thread,
  // beside that of scatters alone.
  Row Measure(const std::string& beside, double seconds,
              const std::function<void()>& other) {
    std::vector<double> alone;
    std::vector<double> together;
    SecondsOfScatter(seconds);
    for (int round = 0; round < 5; ++round) {
      alone.push_back(SecondsOfScatter(seconds));
      std::atomic<bool> done = false;
      std::thread thread([&] {
        while (!done) other();
      });
      together.push_back(SecondsOfScatter(seconds));
      done = true;
      thread.join();
    }
    return {absl::StrCat("mean Scatter of 1,000 rows into ", bytes_ / 1'000'000,
                         " MB, beside ", beside, " / alone"),
            updates_->size_bytes(), Summarize(together), Summarize(alone)};
  }

 private:
  // The mean: a few that copy everything would not show in a median.
  double SecondsOfScatter(double seconds) {
    const absl::Time start = absl::Now();
    absl::Duration took;
    int count = 0;
    for (; took < absl::Seconds(seconds / 4); took = absl::Now() - start) {
      Must(variable_->Scatter(ScatterOp::kAdd, indices_, TensorRef(updates_)));
      ++count;
    }
    return absl::ToDoubleSeconds(took) / count;
  }

  const int64_t bytes_;
  const int64_t rows_;
  ServerProcess server_;
  const std::shared_ptr<client::Client> client_ =
      Must(client::Client::Connect(server_.address()));
  const std::shared_ptr<client::Session> session_ =
      Must(client_->OpenSession());
  std::unique_ptr<client::Variable> variable_;
  std::mt19937_64 engine_{1};
  TensorRef indices_;
  const std::shared_ptr<Tensor> updates_ =
      Must(Tensor::Create(DType::kFloat32, {kRows, kColumns}));
};

// They take turns: neither makes a copy of the variable.
Row ScattersBesideGathers(int64_t bytes, double seconds) {
  ScatteredTable table(bytes);
  auto connection = Must(client::Client::Connect(table.address()));
  const client::Variable variable = Must(connection->FindVariable("v"));
  std::mt19937_64 engine(2);
  const TensorRef indices = RandomRows(table.rows(), &engine);
  return table.Measure("gathers", seconds,
                       [&] { Must(variable.Gather(*indices)); });
}

// A save holds the value from its beginning to its end.
Row ScattersBesideSaves(int64_t bytes, double seconds) {
  ScatteredTable table(bytes);
  auto connection = Must(client::Client::Connect(table.address()));
  client::AdminClient admin(*connection);
  return table.Measure("saves", seconds, [&] { Must(admin.Save()); });
}

// And a reader of all of it.
Row ScattersBesideReads(int64_t bytes, double seconds) {
  ScatteredTable table(bytes);
  auto connection = Must(client::Client::Connect(table.address()));
  const client::Variable variable = Must(connection->FindVariable("v"));
  std::vector<float> memory(static_cast<size_t>(bytes / 4));
  return table.Measure("whole reads", seconds,
                       [&] { Must(variable.ReadInto(std::span(memory))); });
}

constexpr char kReaderFlag[] = "--read-v";

// A process of MemoryOfReaders.
void ReadV(const std::string& address) {
  auto connected = Must(client::Client::Connect(address));
  const client::Variable variable = Must(connected->FindVariable("v"));
  std::vector<float> memory(
      static_cast<size_t>(variable.shape().num_elements()));
  Must(variable.ReadInto(std::span(memory)));
}

Figure MemoryOfReaders(int64_t bytes) {
  constexpr int kReaders = 8;
  ServerProcess server;
  auto connected = Must(client::Client::Connect(server.address()));
  auto session = Must(connected->OpenSession());
  client::Variable variable =
      Must(session->GetVariable("v", Shape({bytes / 4}), client::Ones()));
  Must(session->Initialize());
  server.ResetPeak();
  std::deque<ChildProcess> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back(std::vector<std::string>{"/proc/self/exe", kReaderFlag,
                                                  server.address()});
  }
  for (ChildProcess& reader : readers) {
    if (!reader.Wait()) std::exit(1);
  }
  return {absl::StrCat("peak memory of the server, 8 processes reading ",
                       bytes / 1'000'000, " MB"),
          static_cast<double>(server.PeakResidentBytes()) /
              static_cast<double>(bytes),
          "x", 1.15};
}

// Into a variable without a value.
Figure MemoryOfAssign(int64_t bytes) {
  ServerProcess server;
  auto connected = Must(client::Client::Connect(server.address()));
  auto session = Must(connected->OpenSession());
  const client::Variable variable =
      Must(session->GetVariable("v", Shape({bytes / 4}), client::Ones()));
  auto value = Must(Tensor::Create(DType::kFloat32, variable.shape()));
  std::ranges::fill(value->mutable_values<float>(), 1.0f);
  const int64_t before = server.ResidentBytes();
  Must(variable.Assign(TensorRef(value)));
  return {
      absl::StrCat("memory an assign of ", bytes / 1'000'000,
                   " MB takes beside its value"),
      static_cast<double>(server.PeakResidentBytes() - before - bytes) / 1e6,
      "MB", 32};
}

// What declares variables in batches.
class Declarer {
 public:
  explicit Declarer(const std::string& address)
      : stub_(v1::VariableService::NewStub(grpc::CreateChannel(
            address, grpc::InsecureChannelCredentials()))) {}

  // Scalars, named by a running number, 1,000 in each scope.
  void Declare(int64_t count, bool initialize) {
    for (; count > 0; count -= kBatch) {
      const v1::Selection names = DeclareBatch(std::min(count, kBatch));
      if (initialize) Initialize(names);
    }
  }

 private:
  static constexpr int64_t kBatch = 1000;

  v1::Selection DeclareBatch(int64_t count) {
    v1::GetVariablesRequest request;
    v1::Selection selection;
    for (int64_t i = 0; i < count; ++i, ++declared_) {
      v1::VariableArguments* variable = request.add_variables();
      variable->set_name(
          absl::StrFormat("scope%d/v%03d", declared_ / 1000, declared_ % 1000));
      variable->mutable_shape();
      variable->mutable_initializer()->mutable_zeros();
      selection.mutable_names()->add_names(variable->name());
    }
    grpc::ClientContext declaring;
    declaring.set_wait_for_ready(true);
    v1::GetVariablesResponse declared;
    Check(stub_->GetVariables(&declaring, request, &declared));
    return selection;
  }

  void Initialize(const v1::Selection& selection) {
    grpc::ClientContext context;
    v1::InitializeRequest request;
    *request.mutable_selection() = selection;
    v1::InitializeResponse response;
    Check(stub_->Initialize(&context, request, &response));
  }

  static void Check(const grpc::Status& status) {
    if (status.ok()) return;
    std::cerr << status.error_message() << "\n";
    std::exit(1);
  }

  const std::unique_ptr<v1::VariableService::Stub> stub_;
  int64_t declared_ = 0;
};

void ManyVariables(int64_t count, const Options& options, Results* results) {
  constexpr int64_t kPart = 5000;
  ServerProcess full;
  ServerProcess empty;
  Declarer in_full(full.address());
  Declarer in_empty(empty.address());
  in_full.Declare(1000, true);
  in_empty.Declare(1000, true);
  const int64_t before = full.ResidentBytes();
  in_full.Declare(count, true);
  const std::string with = absl::StrCat(" with ", count, " variables");
  results->figures.push_back(
      {"memory of a scalar variable" + with,
       static_cast<double>(full.ResidentBytes() - before) /
           static_cast<double>(count),
       "B", 600});
  // Few of them: the store that begins empty must not fill meanwhile.
  results->rows.push_back(Compare(
      "GetVariables" + with + " / none", 0, options.seconds / 4,
      [&] { in_full.Declare(kPart, false); },
      [&] { in_empty.Declare(kPart, false); }, 0.8));
  auto connected = Must(client::Client::Connect(full.address()));
  client::AdminClient admin(*connected);
  std::vector<double> listing;
  while (listing.size() < 20) {
    listing.push_back(
        Seconds([&] { Must(admin.ListVariables("", "scope50")); }));
  }
  results->figures.push_back({"ls of 1,000" + with,
                              Summarize(std::move(listing)).median * 1e3, "ms",
                              10});
}

Results Measure(const Options& options) {
  KeepFreedMemory();
  const int64_t scale = options.quick ? 10 : 1;
  Results results;
  CallsWhileSaving(4'000'000'000 / scale, &results);
  results.rows.push_back(RowsOfLargeVariable(
      1'000'000'000 / scale, 10'000'000 / scale, options.seconds));
  results.rows.push_back(
      ScattersBesideGathers(1'000'000'000 / scale, options.seconds));
  results.rows.push_back(
      ScattersBesideSaves(1'000'000'000 / scale, options.seconds));
  results.rows.push_back(
      ScattersBesideReads(1'000'000'000 / scale, options.seconds));
  results.figures.push_back(MemoryOfReaders(1'000'000'000 / scale));
  results.figures.push_back(MemoryOfAssign(1'000'000'000 / scale));
  ManyVariables(1'000'000 / scale, options, &results);
  return results;
}

}  // namespace
}  // namespace varkeep::benchmarks

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == varkeep::benchmarks::kReaderFlag) {
    varkeep::benchmarks::ReadV(argv[2]);
    return 0;
  }
  return varkeep::benchmarks::Main(
      argc, argv, "Calls during saves, large variables, a million small ones.",
      varkeep::benchmarks::Measure);
}
