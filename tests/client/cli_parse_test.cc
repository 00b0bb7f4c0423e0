// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/cli/context.h"
#include "client/cli/format.h"
#include "client/cli/parse.h"
#include "client/cli/progress.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"
#include "varkeep/v1/variable.pb.h"

namespace varkeep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::string Parsed(const std::string& text, std::optional<int64_t> seed = {}) {
  absl::StatusOr<client::Initializer> parsed = ParseInitializer(text, seed);
  return parsed.ok() ? parsed->message()->ShortDebugString()
                     : std::string(parsed.status().message());
}

TEST(ParseInitializerTest, KnowsEveryInitializer) {
  EXPECT_EQ(Parsed("zeros"), "zeros { }");
  EXPECT_EQ(Parsed(" ones_initializer() "), "ones { }");
  EXPECT_EQ(Parsed("glorot_uniform", 7), "glorot_uniform { seed: 7 }");
  EXPECT_EQ(Parsed("he_normal(seed=3)", 7), "he_normal { seed: 3 }");
  EXPECT_EQ(Parsed("random_normal(stddev=0.5, seed=-7)"),
            "random_normal { stddev: 0.5 seed: -7 }");
  EXPECT_EQ(Parsed("random_uniform(minval=-1,maxval=2.5)"),
            "random_uniform { minval { integer: -1 } maxval { real: 2.5 } }");
  EXPECT_EQ(Parsed("variance_scaling(scale=2, mode=fan_out)"),
            "variance_scaling { scale: 2 mode: \"fan_out\" distribution: "
            "\"truncated_normal\" }");
  EXPECT_EQ(Parsed("orthogonal(gain=1.5)"), "orthogonal { gain: 1.5 }");
  EXPECT_EQ(Parsed("identity"), "identity { gain: 1 }");
}

TEST(ParseInitializerTest, ConstantsAreScalarsOrLists) {
  EXPECT_THAT(Parsed("constant(2)"), HasSubstr("DTYPE_INT64 data"));
  EXPECT_THAT(Parsed("constant(0.5)"), HasSubstr("DTYPE_FLOAT64 data"));
  EXPECT_THAT(Parsed("constant(1, 2, 3)"), HasSubstr("shape { dims: 3 }"));
}

TEST(ParseInitializerTest, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(Parsed("glorot"), HasSubstr("glorot_uniform"));
  EXPECT_THAT(Parsed("zeros(3)"), HasSubstr("name=value"));
  EXPECT_THAT(Parsed("zeros(gain=3)"), HasSubstr("unknown argument 'gain'"));
  EXPECT_THAT(Parsed("random_normal(stddev=x)"), HasSubstr("'x'"));
  EXPECT_THAT(Parsed("random_normal(stddev=1"), HasSubstr("end with ')'"));
  EXPECT_THAT(Parsed("constant(a)"), HasSubstr("'a' is not a number"));
}

TEST(ParseShapeTest, TakesListsAndScalars) {
  EXPECT_THAT(ParseShape("2,3"), IsOkAndHolds(Shape{2, 3}));
  EXPECT_THAT(ParseShape("(2, 3)"), IsOkAndHolds(Shape{2, 3}));
  EXPECT_THAT(ParseShape("(5,)"), IsOkAndHolds(Shape{5}));
  EXPECT_THAT(ParseShape(""), IsOkAndHolds(Shape{}));
  EXPECT_THAT(ParseShape("scalar"), IsOkAndHolds(Shape{}));
  EXPECT_THAT(ParseShape("2x3"), StatusIs(kInvalid, HasSubstr("'2x3'")));
  EXPECT_THAT(ParseShape("-1"), StatusIs(kInvalid, HasSubstr("negative")));
}

TEST(ParseSliceTest, ReadsAsPythonDoes) {
  Shape shape{10, 4};
  ASSERT_OK_AND_ASSIGN(SliceSpec slice, ParseSlice("2:-1,:", shape));
  EXPECT_THAT(slice.begin, ElementsAre(2, 0));
  EXPECT_THAT(slice.size, ElementsAre(7, 4));
  ASSERT_OK_AND_ASSIGN(slice, ParseSlice("-1", shape));
  EXPECT_THAT(slice.begin, ElementsAre(9, 0));
  EXPECT_THAT(slice.size, ElementsAre(1, 4));
}

TEST(ParseSliceTest, ErrorsSayWhatIsWrong) {
  Shape shape{10, 4};
  for (const char* text : {"0:11", "5:2", "10", "a", "0:4:2", ",", "1,2,3"}) {
    EXPECT_THAT(ParseSlice(text, shape), StatusIs(kInvalid, HasSubstr(text)));
  }
}

TEST(ParseElementsTest, EveryKindOfNumber) {
  EXPECT_THAT(*ParseElements({"1", "-2.5"}, DType::kFloat32, {2}),
              TensorEq(Of<float>({2}, {1, -2.5})));
  EXPECT_THAT(*ParseElements({"7"}, DType::kUint64, {3}),
              TensorEq(Of<uint64_t>({3}, {7, 7, 7})));
  EXPECT_TRUE((*ParseElements({"true"}, DType::kBool, {}))->values<bool>()[0]);
  EXPECT_THAT(*ParseElements({"1+2j", "-3e-2j"}, DType::kComplex64, {2}),
              TensorEq(Of<std::complex<float>>({2}, {{1, 2}, {0, -3e-2f}})));
  EXPECT_TRUE(std::isnan(
      (*ParseElements({"nan"}, DType::kFloat64, {}))->values<double>()[0]));
}

TEST(ParseElementsTest, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(ParseElements({"300"}, DType::kUint8, {}),
              StatusIs(kInvalid, HasSubstr("'300' is not a uint8")));
  EXPECT_THAT(ParseElements({"1.5"}, DType::kInt32, {}),
              StatusIs(kInvalid, HasSubstr("int32")));
  EXPECT_THAT(ParseElements({"1", "2"}, DType::kInt32, {3}),
              StatusIs(kInvalid, HasSubstr("3 elements, 2 were given")));
}

TEST(ParseLiteralTest, ListsSayTheirShape) {
  EXPECT_THAT(*ParseLiteral("5", DType::kInt64),
              TensorEq(Of<int64_t>({}, {5})));
  EXPECT_THAT(*ParseLiteral("4, -7", DType::kInt64),
              TensorEq(Of<int64_t>({2}, {4, -7})));
  EXPECT_THAT(*ParseLiteral("[3]", DType::kInt64),
              TensorEq(Of<int64_t>({1}, {3})));
  EXPECT_THAT(*ParseLiteral(" [[1, 2.5], [3,4], [5,-6e1]] ", DType::kFloat32),
              TensorEq(Of<float>({3, 2}, {1, 2.5, 3, 4, 5, -60})));
  EXPECT_THAT(*ParseLiteral("[[[1]],[[2]]]", DType::kInt32),
              TensorEq(Of<int32_t>({2, 1, 1}, {1, 2})));
  EXPECT_THAT(*ParseLiteral("[[],[]]", DType::kInt32),
              TensorEq(Of<int32_t>({2, 0}, {})));
  EXPECT_THAT(*ParseLiteral("[1+2j]", DType::kComplex64),
              TensorEq(Of<std::complex<float>>({1}, {{1, 2}})));
}

TEST(ParseLiteralTest, ErrorsSayWhatIsWrong) {
  const std::pair<const char*, const char*> kRows[] = {
      {"", "lacks an element"},
      {"[1,]", "lacks an element"},
      {"[1,2", "'[1,2' lacks a comma or a bracket"},
      {"[[1][2]]", "lacks a comma or a bracket"},
      {"[1]]", "goes on after its end"},
      {"[1] 2", "goes on after its end"},
      {"[[1,2],[3]]", "'[[1,2],[3]]' is ragged: lists of 2 and of 1"},
      {"[[],[3]]", "is ragged: lists of 0 and of 1"},
      {"[1,[2]]", "is ragged: lists beside elements"},
      {"[[1],2]", "is ragged: elements beside lists"},
      {"[[[[[[[[[1]]]]]]]]]", "has more than 8 lists in lists"},
      {"[1,x]", "'x' is not a float32"},
  };
  for (const auto& [text, error] : kRows) {
    EXPECT_THAT(ParseLiteral(text, DType::kFloat32),
                StatusIs(kInvalid, HasSubstr(error)))
        << text;
  }
}

TEST(FormatTest, TensorsAreNestedAndShortened) {
  auto matrix = Of<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(FormatTensor(*matrix, 0), "[[1 2 3]\n [4 5 6]]");
  EXPECT_EQ(FormatTensor(*Of<int32_t>({7}, {1, 2, 3, 4, 5, 6, 7}), 2),
            "[1 2 ... 6 7]");
  EXPECT_EQ(FormatTensor(*Of<float>({}, {0.1f}), 0), "0.1");
  EXPECT_EQ(TensorToJson(*matrix).dump(), "[[1,2,3],[4,5,6]]");
}

TEST(FormatTest, NumbersThatJsonHasNotAreText) {
  EXPECT_EQ(
      TensorToJson(*Of<float>({4}, {0.1f, NAN, INFINITY, -INFINITY})).dump(),
      R"([0.1,"NaN","Infinity","-Infinity"])");
}

TEST(FormatTest, TablesAreAligned) {
  Table table({"A", "B"});
  table.Add({"long", "x"});
  EXPECT_EQ(table.ToString(), "A     B\nlong  x\n");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(627200), "627.2 kB");
  EXPECT_THAT(ProgressBar::Line("get w", 50, 100), HasSubstr(" 50%"));
}

TEST(CliTest, EveryErrorHasItsExitCode) {
  EXPECT_EQ(ExitCode(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCode(absl::InternalError("")), 1);
  EXPECT_EQ(ExitCode(UsageError("x")), 2);
  EXPECT_EQ(ExitCode(absl::UnavailableError("")), 3);
  EXPECT_EQ(ExitCode(absl::PermissionDeniedError("")), 4);
  EXPECT_EQ(ExitCode(absl::DataLossError("")), 5);
  EXPECT_EQ(ExitCode(absl::NotFoundError("")), 6);
  EXPECT_EQ(ExitCode(absl::AlreadyExistsError("")), 7);
  EXPECT_EQ(ExitCode(absl::ResourceExhaustedError("")), 8);
}

TEST(CliTest, SuggestsTheNearestVerb) {
  EXPECT_EQ(NearestVerb("stauts", {"status", "set", "save"}), "status");
  EXPECT_EQ(NearestVerb("frobnicate", {"status", "set", "save"}), "");
}

}  // namespace
}  // namespace varkeep::cli
