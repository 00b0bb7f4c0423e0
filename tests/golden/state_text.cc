// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/state_text.h"

#include <set>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "client/admin_client.h"

namespace varkeep {
namespace {

using client::VariableInfo;

constexpr size_t kShownBytes = 128;

// The bytes of a small value; of a large one its checksum.
std::string ValueText(const Tensor& value) {
  const std::span<const std::byte> bytes = value.bytes();
  if (bytes.size() > kShownBytes) {
    return absl::StrCat("crc32c ", absl::Hex(Crc32c(bytes), absl::kZeroPad8));
  }
  return absl::StrCat("bytes ", absl::BytesToHexString(absl::string_view(
                                    reinterpret_cast<const char*>(bytes.data()),
                                    bytes.size())));
}

std::string InfoText(const VariableInfo& info) {
  return absl::StrCat(
      "'", info.container, "' ", info.op_name, " ", DTypeName(info.dtype),
      info.shape.ToString(), info.trainable ? " trainable" : "", " version ",
      info.version, " declared ", info.declared, " collections ",
      absl::StrJoin(info.collections, ","), " initializer ", info.initializer,
      " seeds ", info.seed, ",", info.seed2, " run ", info.run,
      " regularizer '", info.regularizer, "' constraint '", info.constraint,
      "' device '", info.caching_device, "'");
}

absl::StatusOr<std::vector<std::string>> Lines(client::Client* client) {
  ASSIGN_OR_RETURN(
      std::vector<VariableInfo> variables,
      client::AdminClient(*client).ListVariables(/*container=*/std::nullopt));
  std::vector<std::string> lines;
  for (const VariableInfo& info : variables) {
    std::string value = "no value";
    if (info.initialized) {
      ASSIGN_OR_RETURN(client::Variable variable,
                       client->FindVariable(info.op_name, info.container));
      ASSIGN_OR_RETURN(TensorRef read, variable.Read());
      value = ValueText(*read);
    }
    lines.push_back(absl::StrCat(InfoText(info), " ", value));
  }
  return lines;
}

}  // namespace

absl::StatusOr<std::string> StateText(client::Client* client) {
  ASSIGN_OR_RETURN(std::vector<std::string> text, Lines(client));
  RETURN_IF_ERROR(client->Initialize(client::Selection::All()).status());
  ASSIGN_OR_RETURN(std::vector<std::string> after, Lines(client));
  const std::set<std::string> before(text.begin(), text.end());
  text.push_back("initialized:");
  for (std::string& line : after) {
    if (!before.contains(line)) text.push_back(std::move(line));
  }
  return absl::StrJoin(text, "\n") + "\n";
}

}  // namespace varkeep
