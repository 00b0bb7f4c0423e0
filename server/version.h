// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VERSION_H_
#define VARKEEP_SERVER_VERSION_H_

namespace varkeep {

// Of the programs; the build passes the project's version.
inline constexpr char kVersion[] = VARKEEP_VERSION;

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VERSION_H_
