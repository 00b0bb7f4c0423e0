// SPDX-License-Identifier: Apache-2.0
#include "server/scopes/answer_memory.h"

namespace varkeep {

const AnswerMemory::Answer* AnswerMemory::Find(const RequestId& id) const {
  const auto it = answers_.find(Key(id.client, id.sequence));
  return it == answers_.end() ? nullptr : &it->second;
}

void AnswerMemory::Record(const RequestId& id, Answer answer) {
  const Key key(id.client, id.sequence);
  if (!answers_.try_emplace(key, std::move(answer)).second) return;
  order_.push_back(key);
  if (order_.size() <= kAnswers) return;
  answers_.erase(order_.front());
  order_.pop_front();
}

}  // namespace varkeep
