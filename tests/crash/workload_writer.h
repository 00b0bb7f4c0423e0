// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CRASH_WORKLOAD_WRITER_H_
#define VARKEEP_TESTS_CRASH_WORKLOAD_WRITER_H_

#include <functional>
#include <optional>
#include <random>
#include <string>

#include "tests/crash/workload.h"

namespace varkeep {

inline constexpr int64_t kCounterElements = 64;
inline constexpr char kPairA[] = "pair/a";
inline constexpr char kPairB[] = "pair/b";
inline constexpr char kPushes[] = "pushes";

// One writer of a Workload. One thread.
class Workload::Writer {
 public:
  Writer(Workload* workload, uint64_t number);

  void SetUp();
  void Step();

 private:
  using Call = std::function<absl::StatusOr<uint64_t>()>;
  // The revision of an acknowledged change; nullopt when it was given up.
  // Violated by any other answer.
  std::optional<uint64_t> Do(const std::string& what, bool may_give_up,
                             const Call& call);
  void Declare(const std::string& name, v1::DType dtype, int64_t elements,
               const v1::Initializer& initializer, bool must_create);
  void Initialize(const std::string& name, bool force);
  void AssignBlob();
  void AssignStale();
  void AssignTwins();
  void AddToPair();
  void Push();
  void DrawAnew();
  void CreateAndDelete();
  std::optional<RawValue> ReadOwn(const std::string& name);
  void ExpectRead(const std::string& name, const std::string& bytes);
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  Workload* const workload_;
  const uint64_t number_;
  const std::string blob_;
  const std::string twin_a_;
  const std::string twin_b_;
  const std::string drawn_;
  const std::string temporary_;
  std::mt19937_64 random_;
  RawClient client_;
  // Versions; unknown after a change that was given up.
  std::optional<uint64_t> blob_version_;
  std::optional<uint64_t> twin_version_;
  uint64_t last_revision_ = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CRASH_WORKLOAD_WRITER_H_
