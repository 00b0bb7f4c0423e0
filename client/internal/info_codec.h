// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_INTERNAL_INFO_CODEC_H_
#define VARKEEP_CLIENT_INTERNAL_INFO_CODEC_H_

#include "absl/status/statusor.h"
#include "client/selection.h"
#include "client/variable_info.h"
#include "client/variable_options.h"
#include "varkeep/v1/variable.pb.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep::client {

// Between the client's plain values and the messages.

// INTERNAL when the server's answer makes no sense.
absl::StatusOr<VariableInfo> InfoFromProto(const v1::VariableInfo& info);

v1::Selection SelectionToProto(const Selection& selection);

v1::Reuse ReuseToProto(Reuse reuse);

// get_variable's and Variable's arguments, without name and shape.
v1::VariableArguments ArgumentsToProto(const VariableOptions& options);

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_INTERNAL_INFO_CODEC_H_
