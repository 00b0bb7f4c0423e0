// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_WORKLOAD_H_
#define VARKEEP_TESTS_CRASH_WORKLOAD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/blobs.h"
#include "tests/crash/raw_client.h"
#include "tests/crash/verdict.h"

namespace varkeep {

struct WorkloadOptions {
  std::string address;
  uint64_t seed = 1;
  int writers = 8;
  int readers = 2;
  int64_t max_bytes = int64_t{64} << 20;
};

// Writers and readers that know what the server must show, whatever happens to
// it:
//
//   blob/<w>           assigned by writer w alone: value n is what Blobs says
//   twin/<w>/a, b      the same, both in one transaction
//   pair/a, pair/b     every writer adds 1 to both in one transaction
//   pushes             every writer adds 1
//   drawn/<w>          drawn anew by writer w
//   temporary/<w>      created and deleted by writer w
//
// Additions are sent until they are answered, so that at the end each has
// happened once. Some assignments are given up instead.
class Workload {
 public:
  // `verdict` must live longer.
  Workload(const WorkloadOptions& options, Verdict* verdict);
  ~Workload();

  // Declares everything and gives it first values.
  void SetUp();
  void Start();
  // Lets what is under way be answered. REQUIRES: the server runs.
  void Stop();
  // Reads everything once and judges it.
  void Check(RawClient* client);
  // Judges what must be exact when nobody writes.
  void CheckTotals(RawClient* client);

  struct Counts {
    std::atomic<int64_t> acknowledged = 0;
    std::atomic<int64_t> sent_again = 0;
    std::atomic<int64_t> given_up = 0;
    std::atomic<int64_t> reads = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  // What may be in a variable: at least what was acknowledged when the read
  // began, at most what was sent when it ended.
  struct Bounds {
    std::atomic<uint64_t> acknowledged = 0;
    std::atomic<uint64_t> sent = 0;
  };
  struct Own {
    Bounds blob;
    Bounds twin;
  };
  class Writer;

  void ReadSomething(uint64_t random, RawClient* client);
  void CheckBlob(size_t writer, RawClient* client);
  void CheckTwin(size_t writer, RawClient* client);
  void CheckPair(RawClient* client);
  void CheckPushes(RawClient* client);
  void JudgeBlob(const std::string& what, const std::string& bytes,
                 uint64_t writer, uint64_t low, uint64_t high);
  void JudgeCounter(const std::string& what, const std::string& bytes,
                    uint64_t low, uint64_t high);
  // False, and judged, when a read failed.
  bool Answered(const absl::Status& status, const std::string& what);

  const WorkloadOptions options_;
  Verdict* const verdict_;
  const Blobs blobs_;
  Counts counts_;
  std::vector<Own> own_;
  Bounds pair_;
  Bounds pushes_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::thread> threads_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_WORKLOAD_H_
