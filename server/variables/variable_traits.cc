// SPDX-License-Identifier: Apache-2.0
#include "server/variables/variable_traits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/initializers/initializer_key.h"

namespace varkeep {
namespace {

void AppendText(absl::string_view text, std::string* key) {
  absl::StrAppend(key, text.size(), ":", text);
}

std::optional<std::string> KeyOf(const VariableTraits& traits) {
  std::optional<std::string> key = InitializerKey(traits.initializer);
  if (!key) return std::nullopt;
  for (const std::string* text :
       {&traits.container, &traits.regularizer, &traits.caching_device,
        &traits.constraint, &traits.creator}) {
    AppendText(*text, &*key);
  }
  key->push_back(traits.trainable ? 't' : 'f');
  for (const std::string& collection : traits.collections) {
    AppendText(collection, &*key);
  }
  return key;
}

}  // namespace

TraitsRef TraitsTable::Share(TraitsRef traits) {
  std::optional<std::string> key = KeyOf(*traits);
  if (!key) return traits;
  if (known_.size() >= sweep_at_) Sweep();
  return known_.try_emplace(*std::move(key), std::move(traits)).first->second;
}

// Often enough that those in use are at least half, seldom enough that its cost
// does not show.
void TraitsTable::Sweep() {
  absl::erase_if(
      known_, [](const auto& entry) { return entry.second.use_count() == 1; });
  sweep_at_ = std::max<size_t>(64, 2 * known_.size());
}

}  // namespace varkeep
