// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_VARIABLES_WATCH_H_
#define VARKEEP_SERVER_VARIABLES_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/variables/variable.h"

namespace varkeep {

// Waits for variables to be initialized.
struct Watch {
  std::string container;
  std::vector<std::string> names;
  std::function<void(Revision)> ready;
};

// One that came true and was not called yet.
struct ReadyWatch {
  uint64_t id = 0;
  std::function<void(Revision)> call;
  Revision revision = 0;
};

}  // namespace varkeep

#endif  // VARKEEP_SERVER_VARIABLES_WATCH_H_
