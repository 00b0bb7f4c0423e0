// SPDX-License-Identifier: Apache-2.0
#include "client/cli/import_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "client/cli/context.h"

namespace varkeep::cli {
namespace {

constexpr char kVariables[] = "variables/";
constexpr char kOutput[] = ":0";
// As server/variables/names.h has it.
constexpr size_t kMaxNameBytes = 1024;

bool IsOfCheckpoint(const std::string& path) {
  return absl::StartsWith(path, kVariables) && absl::EndsWith(path, kOutput);
}

bool IsNameChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.' || c == '-' || c == '/';
}

// One "_" for each character, however many bytes it has in UTF-8.
std::string ValidName(absl::string_view path) {
  std::string name;
  for (char c : path) {
    if (IsNameChar(c)) {
      name += c;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      name += '_';
    }
  }
  return name;
}

// What the server would refuse, said before anything is changed.
absl::Status CheckName(const std::string& path, const std::string& name) {
  const auto first = static_cast<unsigned char>(name.empty() ? '/' : name[0]);
  if (!absl::ascii_isalnum(first) && first != '.') {
    return UsageError(absl::StrCat(
        "dataset '", path, "': no variable can be named '", name,
        "', which begins with neither a letter nor a digit; give --scope"));
  }
  if (name.size() > kMaxNameBytes) {
    return UsageError(absl::StrCat(
        "dataset '", path.substr(0, 128), "...': its name has ", name.size(),
        " bytes, a variable's at most ", kMaxNameBytes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> VariableNames(
    const std::vector<std::string>& datasets, const std::string& scope) {
  const bool checkpoint =
      std::any_of(datasets.begin(), datasets.end(), IsOfCheckpoint);
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> datasets_by_name;
  for (const std::string& path : datasets) {
    if (checkpoint && !IsOfCheckpoint(path)) continue;
    absl::string_view rest = absl::StripSuffix(path, kOutput);
    if (checkpoint) rest = absl::StripPrefix(rest, kVariables);
    std::string name = ValidName(rest);
    if (!scope.empty()) name = absl::StrCat(scope, "/", name);
    RETURN_IF_ERROR(CheckName(path, name));
    auto [other, is_new] = datasets_by_name.try_emplace(name, path);
    if (!is_new) {
      return UsageError(absl::StrCat("the datasets '", other->second, "' and '",
                                     path, "' would both be variable '", name,
                                     "'; choose one with --only"));
    }
    names[path] = std::move(name);
  }
  return names;
}

}  // namespace varkeep::cli
