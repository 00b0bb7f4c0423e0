// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_NPY_H_
#define VARKEEP_CLIENT_CLI_NPY_H_

#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "tensor/tensor.h"

namespace varkeep::cli {

// NumPy's .npy files, version 1.0 (2.0 and 3.0 are read too). NumPy has no
// bfloat16: its bits are written as uint16.

// "<f4" and so on.
std::string NpyDescription(DType dtype);

// A write error shows in the stream's state.
void WriteNpy(const Tensor& tensor, std::ostream& out);

// Row-major whatever the file's order was. INVALID_ARGUMENT says what is wrong
// with the file: not npy, another byte order, a dtype we have not, too short,
// bytes after the end.
absl::StatusOr<std::shared_ptr<Tensor>> ReadNpy(std::istream& in);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_NPY_H_
