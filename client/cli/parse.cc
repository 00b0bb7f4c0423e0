// SPDX-License-Identifier: Apache-2.0
#include "client/cli/parse.h"

#include <algorithm>
#include <charconv>
#include <complex>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace varkeep::cli {
namespace {

// One part of a slice within a dimension of `dim` elements.
struct Range {
  int64_t begin;
  int64_t size;
};

absl::StatusOr<int64_t> ParsePosition(absl::string_view text, int64_t dim,
                                      int64_t otherwise) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return otherwise;
  int64_t position = 0;
  if (!absl::SimpleAtoi(text, &position)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not a whole number"));
  }
  return position < 0 ? position + dim : position;
}

absl::StatusOr<Range> ParseRange(absl::string_view text, int64_t dim) {
  std::vector<absl::string_view> ends = absl::StrSplit(text, ':');
  if (ends.size() > 2) {
    return absl::InvalidArgumentError("steps are not supported");
  }
  ASSIGN_OR_RETURN(int64_t begin, ParsePosition(ends[0], dim, 0));
  if (ends.size() == 1) {
    if (absl::StripAsciiWhitespace(text).empty()) {
      return absl::InvalidArgumentError("a dimension is empty; ':' is all");
    }
    if (begin < 0 || begin >= dim) {
      return absl::InvalidArgumentError(
          absl::StrCat("index ", text, " is outside a dimension of ", dim));
    }
    return Range{begin, 1};
  }
  ASSIGN_OR_RETURN(int64_t end, ParsePosition(ends[1], dim, dim));
  if (begin < 0 || end > dim || begin > end) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is outside a dimension of ", dim));
  }
  return Range{begin, end - begin};
}

absl::string_view WithoutBrackets(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() < 2) return text;
  bool pair = (text.front() == '(' && text.back() == ')') ||
              (text.front() == '[' && text.back() == ']');
  return pair ? text.substr(1, text.size() - 2) : text;
}

bool ParseElement(absl::string_view text, bool* value) {
  return absl::SimpleAtob(text, value);
}

template <typename T>
requires std::is_integral_v<T>
bool ParseElement(absl::string_view text, T* value) {
  absl::ConsumePrefix(&text, "+");
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseElement(absl::string_view text, float* value) {
  return absl::SimpleAtof(text, value);
}

bool ParseElement(absl::string_view text, double* value) {
  return absl::SimpleAtod(text, value);
}

template <typename T>
requires(std::is_same_v<T, Eigen::half> ||
         std::is_same_v<T, Eigen::bfloat16>) bool ParseElement(absl::string_view
                                                                   text,
                                                               T* value) {
  float number = 0;
  if (!ParseElement(text, &number)) return false;
  *value = static_cast<T>(number);
  return true;
}

// "1", "2j", "1+2j", "1e-3-2e5j".
template <typename T>
bool ParseElement(absl::string_view text, std::complex<T>* value) {
  T real = 0;
  T imaginary = 0;
  if (!absl::ConsumeSuffix(&text, "j")) {
    if (!ParseElement(text, &real)) return false;
    *value = {real, imaginary};
    return true;
  }
  // The sign of the imaginary part is the last one that no exponent owns.
  size_t sign = text.find_last_of("+-");
  while (sign != absl::string_view::npos && sign > 0 &&
         (text[sign - 1] == 'e' || text[sign - 1] == 'E')) {
    sign = text.find_last_of("+-", sign - 1);
  }
  size_t split = sign == absl::string_view::npos ? 0 : sign;
  if (split > 0 && !ParseElement(text.substr(0, split), &real)) return false;
  if (!ParseElement(text.substr(split), &imaginary)) return false;
  *value = {real, imaginary};
  return true;
}

}  // namespace

absl::StatusOr<Shape> ParseShape(absl::string_view text) {
  absl::string_view inside = WithoutBrackets(text);
  if (inside == "scalar") inside = "";
  std::vector<int64_t> dims;
  for (absl::string_view part :
       absl::StrSplit(inside, ',', absl::SkipWhitespace())) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim)) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape '", text, "' is not a list such as 2,3"));
    }
    dims.push_back(dim);
  }
  return Shape::Create(dims);
}

absl::StatusOr<SliceSpec> ParseSlice(absl::string_view text,
                                     const Shape& shape) {
  std::vector<absl::string_view> parts =
      absl::StrSplit(WithoutBrackets(text), ',');
  if (parts.size() > static_cast<size_t>(shape.rank())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "slice '", text, "' has ", parts.size(),
        " dimensions, the variable's shape is ", shape.ToString()));
  }
  SliceSpec slice;
  for (int i = 0; i < shape.rank(); ++i) {
    bool given = static_cast<size_t>(i) < parts.size();
    absl::StatusOr<Range> range =
        ParseRange(given ? parts[static_cast<size_t>(i)] : ":", shape.dim(i));
    if (!range.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("slice '", text, "': ", range.status().message()));
    }
    slice.begin.push_back(range->begin);
    slice.size.push_back(range->size);
  }
  return slice;
}

absl::StatusOr<std::shared_ptr<Tensor>> ParseElements(
    const std::vector<std::string>& words, DType dtype, const Shape& shape) {
  auto count = static_cast<size_t>(shape.num_elements());
  if (words.size() != count && words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", shape.ToString(), " has ", count, " elements, ",
                     words.size(), " were given"));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor,
                   Tensor::Create(dtype, shape));
  return VisitDType(
      dtype, [&](auto tag) -> absl::StatusOr<std::shared_ptr<Tensor>> {
        using T = typename decltype(tag)::type;
        std::span<T> values = tensor->mutable_values<T>();
        for (size_t i = 0; i < count; ++i) {
          const std::string& word = words[words.size() == 1 ? 0 : i];
          T value{};
          if (!ParseElement(absl::StripAsciiWhitespace(word), &value)) {
            return absl::InvalidArgumentError(
                absl::StrCat("'", word, "' is not a ", DTypeName(dtype)));
          }
          values[i] = value;
        }
        return tensor;
      });
}

}  // namespace varkeep::cli
