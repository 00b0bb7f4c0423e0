// SPDX-License-Identifier: Apache-2.0
//
// {"kind": "random_normal", "mean": 0.0, "stddev": 0.35, "seed": 7}: every
// argument that has a value, unset optional ones left out. A number with a
// point or an exponent is a double, one without is an int64; the doubles that
// JSON cannot write are the strings "nan", "inf" and "-inf".
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/initializers/arguments.h"
#include "server/initializers/initializer.h"

namespace varkeep {
namespace {

using Json = nlohmann::json;

Json ToJson(bool value) { return value; }
Json ToJson(int64_t value) { return value; }
Json ToJson(const std::string& value) { return value; }
Json ToJson(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return value;
}
Json ToJson(const Number& value) {
  return std::visit([](auto number) { return ToJson(number); }, value);
}

// Each FromJson is false when the JSON is of another type.
bool FromJson(const Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

bool FromJson(const Json& json, std::string& value) {
  if (!json.is_string()) return false;
  value = json.get<std::string>();
  return true;
}

bool FromJson(const Json& json, int64_t& value) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<uint64_t>() > kMax) return false;
  value = json.get<int64_t>();
  return true;
}

bool FromJson(const Json& json, double& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (json.is_number()) {
    value = json.get<double>();
  } else if (json == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (json == "inf" || json == "-inf") {
    value = json == "inf" ? kInfinity : -kInfinity;
  } else {
    return false;
  }
  return true;
}

bool FromJson(const Json& json, Number& value) {
  if (json.is_number_integer()) return FromJson(json, value.emplace<int64_t>());
  return FromJson(json, value.emplace<double>());
}

absl::Status Invalid(absl::string_view problem) {
  return absl::DataLossError(absl::StrCat("initializer: ", problem));
}

// Takes one argument out of `json`; one that is optional may be missing.
template <typename T>
absl::Status Take(absl::string_view name, Json& json, T& value) {
  const auto found = json.find(std::string(name));
  if (found == json.end()) {
    return Invalid(absl::StrCat("argument '", name, "' is missing"));
  }
  if (!FromJson(*found, value)) {
    return Invalid(absl::StrCat("argument '", name, "' has the wrong type"));
  }
  json.erase(found);
  return absl::OkStatus();
}

template <typename T>
absl::Status Take(absl::string_view name, Json& json, std::optional<T>& value) {
  if (!json.contains(std::string(name))) return absl::OkStatus();
  return Take(name, json, value.emplace());
}

// A text from outside in a message.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, 64)), "'");
}

template <typename Init>
absl::StatusOr<InitializerSpec> ParseArguments(Json json, TensorRef value) {
  Init init;
  absl::Status status;
  initializers::ForEachArgument<Init>(
      [&](absl::string_view name, auto argument) {
        status.Update(Take(name, json, init.*argument));
      });
  RETURN_IF_ERROR(status);
  if (!json.empty()) {
    return Invalid(
        absl::StrCat("unknown argument ", Quoted(json.begin().key())));
  }
  if constexpr (requires { init.value; }) {
    if (value == nullptr) {
      return Invalid(absl::StrCat("a ", initializers::KindName<Init>(),
                                  " without its tensor"));
    }
    init.value = std::move(value);
  }
  return init;
}

// Tries the kinds of the variant from number `kIndex` on.
template <size_t kIndex = 0>
absl::StatusOr<InitializerSpec> ParseKind(absl::string_view kind, Json json,
                                          TensorRef value) {
  if constexpr (kIndex == std::variant_size_v<InitializerSpec>) {
    return Invalid(absl::StrCat("unknown kind ", Quoted(kind)));
  } else {
    using Init = std::variant_alternative_t<kIndex, InitializerSpec>;
    if (kind == initializers::KindName<Init>()) {
      return ParseArguments<Init>(std::move(json), std::move(value));
    }
    return ParseKind<kIndex + 1>(kind, std::move(json), std::move(value));
  }
}

}  // namespace

std::string InitializerToJson(const InitializerSpec& spec) {
  nlohmann::ordered_json json;
  std::visit(
      [&](const auto& init) {
        using Init = std::remove_cvref_t<decltype(init)>;
        json["kind"] = initializers::KindName<Init>();
        initializers::ForEachArgument<Init>(
            [&](const char* name, auto argument) {
              const auto& value = init.*argument;
              if constexpr (requires { value.has_value(); }) {
                if (value) json[name] = ToJson(*value);
              } else {
                json[name] = ToJson(value);
              }
            });
      },
      spec);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<InitializerSpec> ParseInitializer(absl::string_view json,
                                                 TensorRef value) {
  Json object = Json::parse(json.begin(), json.end(), nullptr, false);
  if (!object.is_object()) return Invalid("not a JSON object");
  std::string kind;
  RETURN_IF_ERROR(Take("kind", object, kind));
  return ParseKind(kind, std::move(object), std::move(value));
}

}  // namespace varkeep
