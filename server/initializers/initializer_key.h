// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_INITIALIZERS_INITIALIZER_KEY_H_
#define VARKEEP_SERVER_INITIALIZERS_INITIALIZER_KEY_H_

#include <optional>
#include <string>

#include "server/initializers/initializer_spec.h"

namespace varkeep {

// Bytes that two specs have in common exactly when every field is the same, to
// the bit. nullopt for a spec with a large tensor, which is not looked at.
std::optional<std::string> InitializerKey(const InitializerSpec& spec);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_INITIALIZERS_INITIALIZER_KEY_H_
