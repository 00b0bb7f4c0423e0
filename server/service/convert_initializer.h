// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_CONVERT_INITIALIZER_H_
#define VARKEEP_SERVER_SERVICE_CONVERT_INITIALIZER_H_

#include "absl/status/statusor.h"
#include "server/initializers/initializer.h"
#include "varkeep/v1/variable.pb.h"

namespace varkeep {

// monostate when no kind is set. INVALID_ARGUMENT for a malformed tensor
// inside.
absl::StatusOr<InitializerSpec> InitializerFromProto(
    const v1::Initializer& initializer);

// Unset for monostate. `with_values` false leaves tensors out, for replies that
// only describe a variable.
void InitializerToProto(const InitializerSpec& spec, bool with_values,
                        v1::Initializer* out);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_CONVERT_INITIALIZER_H_
