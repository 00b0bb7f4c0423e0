// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/workload.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "tests/crash/workload_writer.h"

namespace varkeep {

Workload::Workload(const WorkloadOptions& options, Verdict* verdict)
    : options_(options),
      verdict_(verdict),
      blobs_(options.seed, options.max_bytes),
      own_(static_cast<size_t>(options.writers)) {
  for (size_t i = 0; i < own_.size(); ++i) {
    writers_.push_back(std::make_unique<Writer>(this, i));
  }
}

Workload::~Workload() = default;

void Workload::SetUp() {
  for (const auto& writer : writers_) writer->SetUp();
}

void Workload::Start() {
  for (const auto& writer : writers_) {
    threads_.emplace_back([this, writer = writer.get()] {
      while (!stop_) writer->Step();
    });
  }
  for (int i = 0; i < options_.readers; ++i) {
    threads_.emplace_back([this, i] {
      std::mt19937_64 random(options_.seed + static_cast<uint64_t>(i));
      RawClient client(options_.address, static_cast<uint64_t>(i) + 1);
      while (!stop_) ReadSomething(random(), &client);
    });
  }
}

void Workload::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workload::ReadSomething(uint64_t random, RawClient* client) {
  const size_t writer = (random >> 8) % own_.size();
  switch (random % 4) {
    case 0:
      return CheckBlob(writer, client);
    case 1:
      return CheckTwin(writer, client);
    case 2:
      return CheckPair(client);
    default:
      return CheckPushes(client);
  }
}

void Workload::Check(RawClient* client) {
  for (size_t i = 0; i < own_.size(); ++i) {
    CheckBlob(i, client);
    CheckTwin(i, client);
  }
  CheckPair(client);
  CheckPushes(client);
}

void Workload::CheckTotals(RawClient* client) {
  Check(client);
  if (pair_.acknowledged != pair_.sent ||
      pushes_.acknowledged != pushes_.sent) {
    verdict_->Violate(Verdict::kWrongAnswer, "an addition was not answered");
  }
}

bool Workload::Answered(const absl::Status& status, const std::string& what) {
  if (status.ok()) {
    ++counts_.reads;
    return true;
  }
  if (!RawClient::IsUnanswered(status)) {
    verdict_->Violate(Verdict::kLost,
                      absl::StrCat("read ", what, ": ", status.ToString()));
  }
  return false;
}

void Workload::CheckBlob(size_t writer, RawClient* client) {
  const std::string name = absl::StrCat("blob/", writer);
  const Bounds& bounds = own_[writer].blob;
  const uint64_t low = bounds.acknowledged;
  absl::StatusOr<RawValue> value = client->Read(name);
  if (!Answered(value.status(), name)) return client->WaitForServer();
  JudgeBlob(name, value->bytes, writer, low, bounds.sent);
}

void Workload::CheckTwin(size_t writer, RawClient* client) {
  const std::string name = absl::StrCat("twin/", writer);
  const Bounds& bounds = own_[writer].twin;
  const uint64_t low = bounds.acknowledged;
  absl::StatusOr<std::vector<RawValue>> cut =
      client->ReadCut({name + "/a", name + "/b"});
  if (!Answered(cut.status(), name)) return client->WaitForServer();
  if ((*cut)[0].bytes != (*cut)[1].bytes ||
      (*cut)[0].version != (*cut)[1].version) {
    verdict_->Violate(Verdict::kTorn, name + " differ");
  }
  JudgeBlob(name, (*cut)[0].bytes, writer, low, bounds.sent);
}

void Workload::CheckPair(RawClient* client) {
  const uint64_t low = pair_.acknowledged;
  absl::StatusOr<std::vector<RawValue>> cut = client->ReadCut({kPairA, kPairB});
  if (!Answered(cut.status(), "the pair")) return client->WaitForServer();
  if ((*cut)[0].bytes != (*cut)[1].bytes) {
    verdict_->Violate(Verdict::kTorn, "the pair differs");
  }
  JudgeCounter("the pair", (*cut)[0].bytes, low, pair_.sent);
}

void Workload::CheckPushes(RawClient* client) {
  const uint64_t low = pushes_.acknowledged;
  absl::StatusOr<RawValue> value = client->Read(kPushes);
  if (!Answered(value.status(), kPushes)) return client->WaitForServer();
  JudgeCounter(kPushes, value->bytes, low, pushes_.sent);
}

void Workload::JudgeBlob(const std::string& what, const std::string& bytes,
                         uint64_t writer, uint64_t low, uint64_t high) {
  if (blobs_.Find(bytes, writer, low, high) != 0) return;
  const uint64_t older = blobs_.Find(bytes, writer, 1, low);
  if (older != 0) {
    verdict_->Violate(Verdict::kLost,
                      absl::StrCat(what, " has value ", older, ", and ", low,
                                   " was acknowledged"));
    return;
  }
  verdict_->Violate(
      Verdict::kTorn,
      absl::StrCat(what, " has ", bytes.size(),
                   " bytes that nobody wrote; expected was a value from ", low,
                   " to ", high));
}

void Workload::JudgeCounter(const std::string& what, const std::string& bytes,
                            uint64_t low, uint64_t high) {
  const std::vector<int64_t> elements = Int64Elements(bytes);
  for (int64_t element : elements) {
    if (element != elements[0]) {
      verdict_->Violate(Verdict::kTorn, what + " is half added");
      return;
    }
  }
  const auto value = static_cast<uint64_t>(elements[0]);
  const std::string numbers =
      absl::StrCat(what, " is ", value, "; acknowledged were ", low,
                   " additions, sent were ", high);
  if (value < low) verdict_->Violate(Verdict::kLost, numbers);
  if (value > high) verdict_->Violate(Verdict::kDuplicated, numbers);
}

}  // namespace varkeep
