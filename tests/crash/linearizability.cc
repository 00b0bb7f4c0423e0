// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/linearizability.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace varkeep {
namespace {

using Call = RecordedCall;

bool IsVersion(const RegisterState& state, uint64_t version) {
  return state.exact ? version == state.version : version > state.version;
}

// Wraps, as the server's integers do.
int64_t Sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}

// What the variable is after a call; nullopt when the call cannot have had its
// outcome.
std::optional<RegisterState> After(const RegisterState& state,
                                   const Call& call) {
  if (call.kind == Call::kRead) {
    if (call.value != state.value || !IsVersion(state, call.version)) {
      return std::nullopt;
    }
    return RegisterState{call.value, call.version, true};
  }
  uint64_t version = state.version;
  if (call.kind == Call::kCompareAndSet) {
    if (call.outcome == Call::kRefused) {
      const bool other = !state.exact || state.version != call.expected_version;
      return other ? std::optional(state) : std::nullopt;
    }
    if (!IsVersion(state, call.expected_version)) return std::nullopt;
    version = call.expected_version;
  }
  RegisterState after{call.argument, version, false};
  if (call.kind == Call::kAdd) after.value = Sum(state.value, call.argument);
  if (call.outcome == Call::kDone) {
    if (call.version <= version) return std::nullopt;
    after.version = call.version;
    after.exact = true;
  }
  return after;
}

// False when the call cannot follow `state` or anything after it: versions only
// grow. Told before other calls are tried, for unanswered ones may be left out
// or put anywhere, and every way to do so would be tried in vain.
bool MayFollow(const RegisterState& state, const Call& call) {
  const uint64_t least = state.version + (state.exact ? 0 : 1);
  if (call.outcome != Call::kDone) return true;
  if (call.kind == Call::kRead) return call.version >= least;
  if (call.kind == Call::kCompareAndSet && call.expected_version < least) {
    return false;
  }
  return call.version > state.version;
}

class Search {
 public:
  explicit Search(std::vector<Call> calls) : calls_(std::move(calls)) {
    // An unanswered read says nothing.
    std::erase_if(calls_, [](const Call& call) {
      return call.kind == Call::kRead && call.outcome == Call::kUnanswered;
    });
    std::sort(calls_.begin(), calls_.end(),
              [](const Call& a, const Call& b) { return a.began < b.began; });
    placed_.resize(calls_.size(), '0');
    for (const Call& call : calls_) {
      if (call.outcome != Call::kUnanswered) ++answered_left_;
    }
    fewest_left_ = answered_left_ + 1;
  }

  // True when all calls that are left can follow `state`.
  bool Place(const RegisterState& state) {
    if (answered_left_ == 0) return true;
    if (!tried_
             .insert(absl::StrCat(placed_, ":", state.value, ":", state.version,
                                  ":", state.exact))
             .second) {
      return false;
    }
    const std::vector<size_t> candidates = Candidates();
    if (answered_left_ < fewest_left_) {
      fewest_left_ = answered_left_;
      furthest_ = candidates.front();
    }
    if (!AllMayFollow(state)) return false;
    for (size_t i : candidates) {
      const std::optional<RegisterState> after = After(state, calls_[i]);
      if (!after) continue;
      const bool answered = calls_[i].outcome != Call::kUnanswered;
      placed_[i] = '1';
      answered_left_ -= answered ? 1 : 0;
      if (Place(*after)) return true;
      placed_[i] = '0';
      answered_left_ += answered ? 1 : 0;
    }
    return false;
  }

  const Call& furthest() const { return calls_[furthest_]; }

 private:
  bool AllMayFollow(const RegisterState& state) const {
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (placed_[i] == '0' && !MayFollow(state, calls_[i])) return false;
    }
    return true;
  }

  // Those that may come next: no other had ended when they began. First those
  // that ended first; those without an answer last.
  std::vector<size_t> Candidates() const {
    std::vector<size_t> candidates;
    int64_t first_end = std::numeric_limits<int64_t>::max();
    for (size_t i = 0; i < calls_.size() && calls_[i].began <= first_end; ++i) {
      if (placed_[i] == '1') continue;
      candidates.push_back(i);
      first_end = std::min(first_end, calls_[i].ended);
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [this](size_t a, size_t b) {
                       return calls_[a].ended < calls_[b].ended;
                     });
    return candidates;
  }

  std::vector<Call> calls_;  // as they began
  std::string placed_;       // '1' for each that has its place
  absl::flat_hash_set<std::string> tried_;
  int64_t answered_left_ = 0;
  int64_t fewest_left_ = 0;
  size_t furthest_ = 0;
};

}  // namespace

std::string RecordedCall::ToString() const {
  static constexpr const char* kKinds[] = {"read", "assign", "add",
                                           "compare-and-set"};
  static constexpr const char* kOutcomes[] = {"done", "refused", "unanswered"};
  return absl::StrCat(kKinds[kind], " ", argument, " expecting ",
                      expected_version, ": ", kOutcomes[outcome], ", value ",
                      value, ", version ", version, ", from ", began, " to ",
                      ended);
}

std::optional<RecordedCall> FindViolation(const RegisterState& before,
                                          std::vector<RecordedCall> calls) {
  Search search(std::move(calls));
  if (search.Place(before)) return std::nullopt;
  return search.furthest();
}

}  // namespace varkeep
