// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SCOPES_ANSWER_MEMORY_H_
#define VARKEEP_SERVER_SCOPES_ANSWER_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/variables/mutation.h"

namespace varkeep {

// What the last kAnswers requests of a session were answered, so that a
// repeated one finds the same variable. One thread only.
class AnswerMemory {
 public:
  static constexpr size_t kAnswers = 1024;

  struct Answer {
    std::string op_name;
    bool created = false;
  };

  // Null when unknown; valid until the next Record.
  const Answer* Find(const RequestId& id) const;
  // Forgets the oldest when there are too many. A known id keeps its answer.
  void Record(const RequestId& id, Answer answer);

 private:
  using Key = std::pair<uint64_t, uint64_t>;
  absl::flat_hash_map<Key, Answer> answers_;
  std::deque<Key> order_;  // oldest first
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SCOPES_ANSWER_MEMORY_H_
