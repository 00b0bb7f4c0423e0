// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_BASE_DURABILITY_H_
#define VARKEEP_BASE_DURABILITY_H_

namespace varkeep {

// How safe a change is when it is acknowledged. All of them survive the end of
// the process, kill -9 included.
enum class Durability {
  kNone,      // the system writes it to the disk when it likes
  kInterval,  // on the disk at most the sync interval later
  kFsync,     // on the disk
};

// "none", "interval", "fsync".
constexpr const char* DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return "none";
    case Durability::kInterval:
      return "interval";
    case Durability::kFsync:
      break;
  }
  return "fsync";
}

}  // namespace varkeep

#endif  // VARKEEP_BASE_DURABILITY_H_
