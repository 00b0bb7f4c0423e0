// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_NAMES_H_
#define VARKEEP_SERVER_VARIABLES_NAMES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace varkeep {

// TensorFlow's rules for names (SEMANTICS 1.1), and our limit of length.
inline constexpr size_t kMaxNameBytes = 1024;
inline constexpr size_t kMaxCollections = 64;
inline constexpr size_t kMaxCollectionKeyBytes = 256;
inline constexpr size_t kMaxNoteBytes = 256;

// An op name: letters, digits and "_.-/", first a letter, digit or dot.
// INVALID_ARGUMENT "'<name>' is not a valid node name"; long names are cut in
// the message.
absl::Status CheckOpName(absl::string_view name);

// A name scope: as an op name at the root; inside another scope any character
// of an op name may come first. INVALID_ARGUMENT "'<name>' is not a valid scope
// name".
absl::Status CheckScopeName(absl::string_view name, bool at_root);

// "": the default container. INVALID_ARGUMENT "container contains invalid
// characters: <name>".
absl::Status CheckContainerName(absl::string_view name);

// A collection key: any text up to kMaxCollectionKeyBytes, not empty, UTF-8
// without control characters.
absl::Status CheckCollectionKey(absl::string_view key);

// Texts that are kept and reported (creator, constraint, caching_device, ...):
// up to kMaxNoteBytes of UTF-8 without control characters, also none. `what`
// names the field in the error.
absl::Status CheckNote(absl::string_view what, absl::string_view text);

// "foo/v" of "foo/v:0" and of "foo/v".
absl::string_view StripOutput(absl::string_view name);

// For error messages: at most 128 bytes, then "..."; control characters and
// what is not UTF-8 as "?".
std::string Shorten(absl::string_view text);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_NAMES_H_
