// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/initializers/argument_errors.h"
#include "server/initializers/arguments.h"
#include "server/initializers/element_cast.h"
#include "server/initializers/initializer.h"

namespace varkeep {
namespace {

constexpr size_t kShownElements = 6;

// The shortest text that reads back as the same number: "0.35", "1".
template <typename T>
std::string Shortest(T value) {
  std::array<char, 32> text;
  const std::to_chars_result end =
      std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(int64_t value) { return absl::StrCat(value); }
std::string Text(double value) { return Shortest(value); }
std::string Text(const Number& value) {
  return std::visit([](auto number) { return Text(number); }, value);
}
std::string Text(const std::string& value) {
  return absl::StrCat("\"", absl::CHexEscape(value.substr(0, 64)), "\"");
}
template <typename T>
std::string Text(const std::optional<T>& value) {
  return value ? Text(*value) : "none";
}

template <typename T>
std::string ElementText(T element) {
  if constexpr (std::is_same_v<T, bool>) {
    return Text(element);
  } else if constexpr (initializers::kIsComplex<T>) {
    return initializers::PythonRepr(
        initializers::CastElement<std::complex<double>>(element));
  } else if constexpr (initializers::kIsSmallFloat<T>) {
    return Shortest(static_cast<float>(element));
  } else {
    return Shortest(element);
  }
}

std::string ElementsText(const TensorRef& value) {
  if (value == nullptr) return "?";
  return VisitDType(value->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::span<const T> elements = value->values<T>();
    if (value->shape().rank() == 0) return ElementText(elements[0]);
    std::vector<std::string> texts;
    for (T element :
         elements.first(std::min(elements.size(), kShownElements))) {
      texts.push_back(ElementText(element));
    }
    if (elements.size() > kShownElements) texts.emplace_back("...");
    return absl::StrCat("[", absl::StrJoin(texts, ", "), "]");
  });
}

// An initializer of the same name that was given no arguments.
template <typename Init>
Init WithDefaults(const Init&) {
  return {};
}
VarianceScalingInitializer WithDefaults(
    const VarianceScalingInitializer& init) {
  VarianceScalingInitializer defaults =
      NamedVarianceScaling(init.alias).value_or(VarianceScalingInitializer());
  defaults.alias = init.alias;  // is the name, not an argument
  return defaults;
}

template <typename Init>
std::vector<std::string> ArgumentTexts(const Init& init) {
  std::vector<std::string> texts;
  if constexpr (requires { init.value; }) {
    texts.push_back(ElementsText(init.value));
  }
  const Init defaults = WithDefaults(init);
  initializers::ForEachArgument<Init>(
      [&](absl::string_view name, auto argument) {
        if (init.*argument == defaults.*argument) return;
        texts.push_back(absl::StrCat(name, "=", Text(init.*argument)));
      });
  return texts;
}

}  // namespace

std::string InitializerName(const InitializerSpec& spec) {
  const auto* scaling = std::get_if<VarianceScalingInitializer>(&spec);
  if (scaling != nullptr && !scaling->alias.empty()) return scaling->alias;
  return std::visit(
      [](const auto& init) {
        using Init = std::remove_cvref_t<decltype(init)>;
        return std::string(initializers::KindName<Init>());
      },
      spec);
}

std::string InitializerToString(const InitializerSpec& spec) {
  const std::vector<std::string> arguments =
      std::visit([](const auto& init) { return ArgumentTexts(init); }, spec);
  const std::string name = InitializerName(spec);
  if (arguments.empty()) return name;
  return absl::StrCat(name, "(", absl::StrJoin(arguments, ", "), ")");
}

}  // namespace varkeep
