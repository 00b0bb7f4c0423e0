// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/checkpoint_store_suite.h"

#include <gmock/gmock.h>

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/checkpoints.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using storage::Attribute;
using storage::CheckpointContents;
using storage::CheckpointEntry;
using storage::CheckpointInfo;
using storage::CheckpointReader;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Writes the contents, which are sorted, and expects to read the same.
void ExpectRoundTrip(storage::CheckpointStore& store,
                     const CheckpointContents& contents) {
  ASSERT_OK_AND_ASSIGN(CheckpointInfo info, store.Write(contents, nullptr));
  ASSERT_OK_AND_ASSIGN(auto reader, store.Open(info.id));
  const CheckpointContents& read = reader->contents();
  EXPECT_EQ(read.revision, contents.revision);
  EXPECT_EQ(read.attributes, contents.attributes);
  ASSERT_EQ(read.entries.size(), contents.entries.size());
  for (size_t i = 0; i < contents.entries.size(); ++i) {
    const CheckpointEntry& expected = contents.entries[i];
    SCOPED_TRACE(expected.path);
    EXPECT_EQ(read.entries[i].path, expected.path);
    EXPECT_EQ(read.entries[i].dtype, expected.dtype);
    EXPECT_EQ(read.entries[i].shape, expected.shape);
    EXPECT_EQ(read.entries[i].attributes, expected.attributes);
    EXPECT_EQ(read.entries[i].value, nullptr);
    ASSERT_EQ(reader->HasValue(i), expected.value != nullptr);
    if (expected.value == nullptr) continue;
    EXPECT_OK(reader->Verify(i));
    EXPECT_THAT(reader->Read(i), IsOkAndHolds(TensorEq(expected.value)));
  }
}

TEST_P(CheckpointStoreSuite, IsEmptyAtFirst) {
  EXPECT_THAT(store().List(), IsOkAndHolds(IsEmpty()));
}

TEST_P(CheckpointStoreSuite, KeepsEveryDTypeInEveryShapeBitByBit) {
  const Shape shapes[] = {
      {}, {1}, {5}, {0}, {3, 0, 2}, {1, 2, 1, 2, 1, 2, 1, 2}, {100, 300, 2}};
  CheckpointContents contents;
  uint32_t seed = 1;
  for (DType dtype : kAllDTypes) {
    for (const Shape& shape : shapes) {
      contents.entries.push_back(
          EntryOf(absl::StrCat("variables/", DTypeName(dtype), "/",
                               shape.ToString(), ":0"),
                  RandomTensor(dtype, shape, ++seed)));
    }
  }
  storage::Sort(&contents);
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsSpecialFloats) {
  using Limits = std::numeric_limits<float>;
  std::vector<float> special = {-0.0f,
                                Limits::infinity(),
                                -Limits::infinity(),
                                Limits::denorm_min(),
                                -Limits::denorm_min(),
                                std::bit_cast<float>(0x7FC12345u),
                                std::bit_cast<float>(0xFF800001u)};
  CheckpointContents contents;
  contents.entries = {EntryOf("a", Of<float>({7}, special))};
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsNullValues) {
  CheckpointContents contents;
  for (DType dtype : kAllDTypes) {
    contents.entries.push_back({absl::StrCat(DTypeName(dtype), ":0"),
                                dtype,
                                {2, 0, 5},
                                nullptr,
                                {{"name", std::string("x")}}});
  }
  contents.entries.push_back({"scalar", DType::kBool, {}, nullptr, {}});
  storage::Sort(&contents);
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsAttributes) {
  using Strings = std::vector<std::string>;
  std::vector<Attribute> attributes = {
      {"empty", std::string()},
      {"empty list", Strings{}},
      {"false", false},
      {"int", int64_t{-1}},
      {"int min", std::numeric_limits<int64_t>::min()},
      {"list of one", Strings{"x"}},
      {"list with empty", Strings{"", "a", ""}},
      {"long", std::string(32000, 'x')},
      {"long list", Strings(2000, "")},
      {"text", std::string("{\"stddev\": 0.5}\n")},
      {"true", true},
      {"uint max", std::numeric_limits<uint64_t>::max()},
      {"\u00e9\u00df", std::string("\u00fc\u4e2d\U0001F600 \xFF")}};
  CheckpointContents contents;
  contents.revision = std::numeric_limits<uint64_t>::max();
  contents.attributes = attributes;
  contents.entries = {EntryOf("a", Of<float>({}, {1}), attributes)};
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsManyAttributesOfAnEntry) {
  CheckpointContents contents;
  std::vector<Attribute> attributes;
  for (int i = 0; i < 300; ++i) {
    attributes.push_back({absl::StrCat("a", i), std::string(3000, 'x')});
  }
  contents.entries = {EntryOf("a", Of<float>({}, {1}), attributes)};
  storage::Sort(&contents);
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsManyEntries) {
  CheckpointContents contents;
  for (uint32_t i = 0; i < 2000; ++i) {
    contents.entries.push_back(
        EntryOf(absl::StrCat("variables/layer_", i % 100, "/w_", i, ":0"),
                RandomTensor(DType::kFloat32, {i % 7}, i),
                {{"name", absl::StrCat("w_", i)}}));
  }
  storage::Sort(&contents);
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsUnusualPaths) {
  const TensorRef value = Of<float>({}, {1});
  CheckpointContents contents;
  std::string deep = "d";
  for (int i = 0; i < 200; ++i) deep += "/d";
  contents.entries = {EntryOf(" ", value),
                      EntryOf("%/%2E/%2E%2E", value),
                      EntryOf("...", value),
                      EntryOf(".a/..b", value),
                      EntryOf("a", value),
                      EntryOf("a:0/b", value),
                      EntryOf(deep, value),
                      EntryOf(std::string(10000, 'n'), value),
                      EntryOf("\u00e9\u00df\U0001F600", value)};
  storage::Sort(&contents);
  ExpectRoundTrip(store(), contents);
}

TEST_P(CheckpointStoreSuite, KeepsNothing) {
  ExpectRoundTrip(store(), CheckpointContents());
}

TEST_P(CheckpointStoreSuite, GivesContentsBackInOrder) {
  CheckpointContents contents = SampleContents(1);
  CheckpointContents shuffled = contents;
  std::reverse(shuffled.entries.begin(), shuffled.entries.end());
  std::reverse(shuffled.entries[5].attributes.begin(),
               shuffled.entries[5].attributes.end());

  ASSERT_OK_AND_ASSIGN(CheckpointInfo info, store().Write(shuffled, nullptr));

  ASSERT_OK_AND_ASSIGN(auto reader, store().Open(info.id));
  for (size_t i = 0; i < contents.entries.size(); ++i) {
    EXPECT_EQ(reader->contents().entries[i].path, contents.entries[i].path);
    EXPECT_EQ(reader->contents().entries[i].attributes,
              contents.entries[i].attributes);
  }
}

TEST_P(CheckpointStoreSuite, ListsWhatWasWrittenOldestFirst) {
  ASSERT_OK_AND_ASSIGN(CheckpointInfo one,
                       store().Write(SampleContents(10), nullptr));
  ASSERT_OK_AND_ASSIGN(CheckpointInfo two,
                       store().Write(SampleContents(20), nullptr));

  ASSERT_OK_AND_ASSIGN(auto infos, store().List());

  ASSERT_EQ(infos.size(), 2);
  EXPECT_EQ(infos[0].id, one.id);
  EXPECT_EQ(infos[0].revision, 10);
  EXPECT_EQ(infos[0].entries, 7);
  EXPECT_EQ(infos[0].file, one.file);
  EXPECT_EQ(infos[0].created, one.created);
  EXPECT_EQ(infos[1].id, one.id + 1);
  EXPECT_EQ(infos[1].revision, 20);
}

TEST_P(CheckpointStoreSuite, RemovedIsNotFoundAndItsIdNotUsedAgain) {
  ASSERT_OK_AND_ASSIGN(CheckpointInfo one,
                       store().Write(SampleContents(1), nullptr));
  ASSERT_OK(store().Remove(one.id));
  EXPECT_THAT(store().List(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store().Open(one.id),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("1")));
  EXPECT_THAT(store().Remove(one.id),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("1")));
  ASSERT_OK_AND_ASSIGN(CheckpointInfo two,
                       store().Write(SampleContents(2), nullptr));
  EXPECT_GT(two.id, one.id);
}

// Whether or not a store writes them again.
TEST_P(CheckpointStoreSuite, KeepsValuesThatDidNotChange) {
  const std::string kPath = "variables/frozen:0";
  for (uint64_t revision = 1; revision <= 4; ++revision) {
    ExpectRoundTrip(store(), SampleContents(revision));
  }
  ASSERT_OK(store().Remove(1));
  ASSERT_OK(store().Remove(3));
  for (storage::CheckpointId id : {2, 4}) {
    ASSERT_OK_AND_ASSIGN(auto reader, store().Open(id));
    ASSERT_EQ(reader->contents().entries[3].path, kPath);
    EXPECT_THAT(reader->Read(3), IsOkAndHolds(TensorEq(FrozenTensor())));
  }
}

TEST_P(CheckpointStoreSuite, VerifiesWhatItHas) {
  ASSERT_OK_AND_ASSIGN(CheckpointInfo info,
                       store().Write(SampleContents(1), nullptr));
  int64_t bytes = 0;
  ASSERT_OK_AND_ASSIGN(storage::VerifyReport report,
                       store().Verify(info.id, [&](int64_t done, int64_t all) {
                         EXPECT_GE(done, bytes);
                         EXPECT_LE(done, all);
                         bytes = done;
                         return true;
                       }));
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.bytes, bytes);
  EXPECT_EQ(report.values, 6);
  EXPECT_GE(bytes, storage::ValueBytes(SampleContents(1)));
  EXPECT_THAT(store().Verify(info.id, [](int64_t, int64_t) { return false; }),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("given up")));
  EXPECT_THAT(store().Verify(info.id + 1, nullptr),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
}

TEST_P(CheckpointStoreSuite, AnOpenReaderOutlivesRemoval) {
  CheckpointContents contents = SampleContents(1);
  ASSERT_OK_AND_ASSIGN(CheckpointInfo info, store().Write(contents, nullptr));
  ASSERT_OK_AND_ASSIGN(auto reader, store().Open(info.id));
  ASSERT_OK(store().Remove(info.id));
  EXPECT_THAT(reader->Read(1),
              IsOkAndHolds(TensorEq(contents.entries[1].value)));
}

TEST_P(CheckpointStoreSuite, ReportsProgress) {
  const CheckpointContents contents = SampleContents(1);
  const int64_t all = storage::ValueBytes(contents);
  std::vector<int64_t> done;
  ASSERT_OK(store().Write(contents, [&](int64_t bytes, int64_t total) {
    EXPECT_EQ(total, all);
    done.push_back(bytes);
  }));
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  ASSERT_FALSE(done.empty());
  EXPECT_EQ(done.back(), all);
}

TEST_P(CheckpointStoreSuite, RefusesContentsThatBreakTheRules) {
  const TensorRef value = Of<float>({}, {1});
  const std::pair<std::vector<CheckpointEntry>, const char*> cases[] = {
      {{EntryOf("", value)}, "component"},
      {{EntryOf("/a", value)}, "component"},
      {{EntryOf("a/", value)}, "component"},
      {{EntryOf("a//b", value)}, "component"},
      {{EntryOf("./a", value)}, "'.'"},
      {{EntryOf("a/..", value)}, "'..'"},
      {{EntryOf(std::string("a\0b", 3), value)}, "NUL"},
      {{EntryOf(std::string(20000, 'a'), value)}, "20000"},
      {{EntryOf("a", value), EntryOf("a", value)}, "twice"},
      {{EntryOf("a/b", value), EntryOf("a-", value), EntryOf("a", value)},
       "inside the entry 'a'"},
      {{EntryOf("a", value, {{"dtype", true}})}, "reserved"},
      {{EntryOf("a", value, {{"value_version", true}})}, "reserved"},
      {{EntryOf("a", value, {{"", true}})}, "name"},
      {{EntryOf("a", value, {{"x", true}, {"x", false}})}, "twice"},
      {{EntryOf("a", value, {{"x", std::string("\0", 1)}})}, "NUL"},
      {{EntryOf("a", value, {{"x", std::string(40000, 'x')}})}, "40001"},
      {{{"a", DType::kFloat64, {}, value, {}}}, "float64"},
      {{{"a", DType::kFloat32, {1}, value, {}}}, "[1]"},
  };
  for (const auto& [entries, reason] : cases) {
    CheckpointContents contents;
    contents.entries = entries;
    EXPECT_THAT(
        store().Write(contents, nullptr),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)));
  }
  EXPECT_THAT(store().List(), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace varkeep
