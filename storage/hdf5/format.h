// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_STORAGE_HDF5_FORMAT_H_
#define VARKEEP_STORAGE_HDF5_FORMAT_H_

namespace varkeep::storage::hdf5 {

// The words of docs/checkpoint_format.md that other readers rely on.
inline constexpr char kFormatName[] = "varkeep checkpoint";

// Attributes of the root group.
inline constexpr char kFormat[] = "format";
inline constexpr char kFormatVersion[] = "format_version";
inline constexpr char kRevision[] = "revision";
inline constexpr char kCreated[] = "created";
inline constexpr char kHolders[] = "holders";

// Attributes of a dataset.
inline constexpr char kDType[] = "dtype";
inline constexpr char kCrc32c[] = "crc32c";
inline constexpr char kValueVersion[] = "value_version";
inline constexpr char kAttributes[] = "attributes";

}  // namespace varkeep::storage::hdf5

#endif  // VARKEEP_STORAGE_HDF5_FORMAT_H_
