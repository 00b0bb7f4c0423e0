// SPDX-License-Identifier: Apache-2.0
#include "storage/hdf5/error.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace varkeep::storage::hdf5 {
namespace {

struct Innermost {
  std::string message;
  bool no_memory = false;
};

// Called from the innermost frame outwards; keeps the first.
herr_t KeepInnermost(unsigned /*depth*/, const H5E_error2_t* error,
                     void* kept) {
  auto* innermost = static_cast<Innermost*>(kept);
  if (innermost->message.empty()) {
    innermost->message = absl::StrCat(
        error->func_name, ": ", error->desc == nullptr ? "" : error->desc);
    innermost->no_memory = error->min_num == H5E_NOSPACE;
  }
  return 0;
}

}  // namespace

void PrepareThread() {
  static const bool prepared = [] {
    // Nothing of ours is open in HDF5 when the process ends, and its clean-up
    // at exit would race with threads that still run.
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(prepared);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

absl::Status ErrorFromStack(absl::string_view call) {
  Innermost innermost;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, KeepInnermost, &innermost);
  H5Eclear2(H5E_DEFAULT);
  return absl::Status(innermost.no_memory ? absl::StatusCode::kResourceExhausted
                                          : absl::StatusCode::kInternal,
                      absl::StrCat("HDF5 ", call, " failed: ",
                                   innermost.message.substr(0, 512)));
}

}  // namespace varkeep::storage::hdf5
