// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "client/cli/parse.h"

namespace varkeep::cli {
namespace {

using client::Initializer;
using client::Number;

// The text in parentheses.
struct Arguments {
  std::vector<Number> positional;
  std::map<std::string, std::string> named;
};

absl::StatusOr<Number> ParseNumber(absl::string_view text) {
  int64_t integer = 0;
  double real = 0;
  if (absl::SimpleAtoi(text, &integer)) return Number(integer);
  if (absl::SimpleAtod(text, &real)) return Number(real);
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not a number"));
}

absl::StatusOr<Arguments> ParseArguments(absl::string_view text) {
  Arguments arguments;
  for (absl::string_view part :
       absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (part.find('=') == absl::string_view::npos) {
      ASSIGN_OR_RETURN(Number number,
                       ParseNumber(absl::StripAsciiWhitespace(part)));
      arguments.positional.push_back(number);
    } else {
      arguments.named[std::string(absl::StripAsciiWhitespace(halves.first))] =
          std::string(absl::StripAsciiWhitespace(halves.second));
    }
  }
  return arguments;
}

// Takes named arguments out; what stays at the end was unknown.
class Taker {
 public:
  explicit Taker(Arguments* arguments) : arguments_(arguments) {}

  std::optional<std::string> Text(const std::string& name) {
    auto node = arguments_->named.extract(name);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }
  std::optional<Number> AnyNumber(const std::string& name) {
    std::optional<std::string> text = Text(name);
    if (!text) return std::nullopt;
    absl::StatusOr<Number> number = ParseNumber(*text);
    if (number.ok()) return *number;
    error_.Update(number.status());
    return std::nullopt;
  }
  void Real(const std::string& name, double* value) {
    if (std::optional<Number> number = AnyNumber(name)) {
      *value =
          std::visit([](auto n) { return static_cast<double>(n); }, *number);
    }
  }
  void Seed(std::optional<int64_t>* seed) {
    std::optional<std::string> text = Text("seed");
    int64_t value = 0;
    if (!text) return;
    if (absl::SimpleAtoi(*text, &value)) {
      *seed = value;
    } else {
      error_.Update(absl::InvalidArgumentError(
          absl::StrCat("seed '", *text, "' is not an integer")));
    }
  }
  absl::Status Finish() {
    RETURN_IF_ERROR(error_);
    if (!arguments_->named.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown argument '", arguments_->named.begin()->first, "'"));
    }
    if (!arguments_->positional.empty()) {
      return absl::InvalidArgumentError("arguments are written name=value");
    }
    return absl::OkStatus();
  }

 private:
  Arguments* const arguments_;
  absl::Status error_;
};

Initializer MakeConstant(const std::vector<Number>& numbers) {
  bool integers = true;
  std::vector<int64_t> as_integers;
  std::vector<double> as_reals;
  for (const Number& number : numbers) {
    integers = integers && std::holds_alternative<int64_t>(number);
    std::visit(
        [&](auto n) {
          as_integers.push_back(static_cast<int64_t>(n));
          as_reals.push_back(static_cast<double>(n));
        },
        number);
  }
  if (numbers.size() == 1) {
    return integers ? client::Constant(as_integers[0])
                    : client::Constant(as_reals[0]);
  }
  return integers ? client::Constant(as_integers) : client::Constant(as_reals);
}

using Seed = std::optional<int64_t>;
using Maker = std::function<Initializer(Taker*, Seed)>;

Maker Normal(Initializer (*make)(const client::RandomNormalOptions&)) {
  return [make](Taker* taker, Seed seed) {
    client::RandomNormalOptions options{
        .mean = 0.0, .stddev = 1.0, .seed = seed};
    taker->Real("mean", &options.mean);
    taker->Real("stddev", &options.stddev);
    return make(options);
  };
}

Maker Seeded(Initializer (*make)(client::Seed)) {
  return [make](Taker*, Seed seed) { return make(seed); };
}

Initializer MakeUniform(Taker* taker, Seed seed) {
  client::RandomUniformOptions options;
  options.seed = seed;
  options.minval = taker->AnyNumber("minval").value_or(options.minval);
  options.maxval = taker->AnyNumber("maxval");
  return client::RandomUniform(options);
}

Initializer MakeVarianceScaling(Taker* taker, Seed seed) {
  client::VarianceScalingOptions options;
  options.seed = seed;
  taker->Real("scale", &options.scale);
  options.mode = taker->Text("mode").value_or(options.mode);
  options.distribution =
      taker->Text("distribution").value_or(options.distribution);
  return client::VarianceScaling(options);
}

const std::map<std::string, Maker, std::less<>>& Makers() {
  static const auto* makers = new std::map<std::string, Maker, std::less<>>{
      {"zeros", [](Taker*, Seed) { return client::Zeros(); }},
      {"ones", [](Taker*, Seed) { return client::Ones(); }},
      {"random_uniform", MakeUniform},
      {"random_normal", Normal(client::RandomNormal)},
      {"truncated_normal", Normal(client::TruncatedNormal)},
      {"uniform_unit_scaling",
       [](Taker* taker, Seed seed) {
         client::UniformUnitScalingOptions options{.factor = 1.0, .seed = seed};
         taker->Real("factor", &options.factor);
         return client::UniformUnitScaling(options);
       }},
      {"variance_scaling", MakeVarianceScaling},
      {"glorot_uniform", Seeded(client::GlorotUniform)},
      {"glorot_normal", Seeded(client::GlorotNormal)},
      {"he_uniform", Seeded(client::HeUniform)},
      {"he_normal", Seeded(client::HeNormal)},
      {"lecun_uniform", Seeded(client::LecunUniform)},
      {"lecun_normal", Seeded(client::LecunNormal)},
      {"orthogonal",
       [](Taker* taker, Seed seed) {
         client::OrthogonalOptions options{.gain = 1.0, .seed = seed};
         taker->Real("gain", &options.gain);
         return client::Orthogonal(options);
       }},
      {"identity", [](Taker* taker, Seed) {
         double gain = 1.0;
         taker->Real("gain", &gain);
         return client::Identity(gain);
       }}};
  return *makers;
}

absl::Status UnknownName(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "'", name, "' is not an initializer; they are constant, ",
      absl::StrJoin(Makers(), ", ", [](std::string* out, const auto& entry) {
        absl::StrAppend(out, entry.first);
      })));
}

}  // namespace

absl::StatusOr<Initializer> ParseInitializer(absl::string_view text,
                                             std::optional<int64_t> seed) {
  text = absl::StripAsciiWhitespace(text);
  size_t open = std::min(text.find('('), text.size());
  absl::string_view name = absl::StripSuffix(
      absl::StripAsciiWhitespace(text.substr(0, open)), "_initializer");
  absl::string_view inside = text.substr(open);
  if (!inside.empty()) {
    if (inside.back() != ')') {
      return absl::InvalidArgumentError(
          absl::StrCat("initializer '", text, "' does not end with ')'"));
    }
    inside = inside.substr(1, inside.size() - 2);
  }
  auto explain = [&](const absl::Status& status) {
    return absl::InvalidArgumentError(
        absl::StrCat("initializer '", text, "': ", status.message()));
  };
  absl::StatusOr<Arguments> arguments = ParseArguments(inside);
  if (!arguments.ok()) return explain(arguments.status());
  if (name == "constant") {
    if (arguments->named.empty()) return MakeConstant(arguments->positional);
    return explain(absl::InvalidArgumentError("constant takes only numbers"));
  }
  auto maker = Makers().find(name);
  if (maker == Makers().end()) return UnknownName(name);
  Taker taker(&*arguments);
  taker.Seed(&seed);
  Initializer initializer = maker->second(&taker, seed);
  if (absl::Status status = taker.Finish(); !status.ok()) {
    return explain(status);
  }
  return initializer;
}

}  // namespace varkeep::cli
