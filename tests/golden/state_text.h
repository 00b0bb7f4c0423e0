// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_GOLDEN_STATE_TEXT_H_
#define VARKEEP_TESTS_GOLDEN_STATE_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/client.h"

namespace varkeep {

// All that a server keeps of its variables, as lines for people and for
// comparing; then those that change when everything without a value is
// initialized.
absl::StatusOr<std::string> StateText(client::Client* client);

}  // namespace varkeep

#endif  // VARKEEP_TESTS_GOLDEN_STATE_TEXT_H_
