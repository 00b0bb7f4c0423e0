// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_STATUS_ANNOTATE_H_
#define VARKEEP_BASE_STATUS_ANNOTATE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// Puts `context` before the message of an error, keeping its code:
// Annotate(NOT_FOUND "no such file", "open 'x'") is NOT_FOUND
// "open 'x': no such file". OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace varkeep

#endif  // VARKEEP_BASE_STATUS_ANNOTATE_H_
