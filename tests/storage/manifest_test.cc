// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "storage/checkpoint_layout.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(CheckpointLayoutTest, NamesAndIdsAreInverse) {
  for (CheckpointId id :
       {CheckpointId{1}, CheckpointId{42}, CheckpointId{999999},
        CheckpointId{1000000}, std::numeric_limits<CheckpointId>::max()}) {
    EXPECT_EQ(ParseCheckpointFileName(CheckpointFileName(id)), id);
  }
  EXPECT_EQ(CheckpointFileName(42), "ckpt-000042.h5");
}

TEST(CheckpointLayoutTest, OtherNamesAreNoIds) {
  for (const char* name :
       {"", "ckpt-.h5", "ckpt-42.h5", "ckpt-0000042.h5", "ckpt-000000.h5",
        "ckpt-+00042.h5", "ckpt--00042.h5", "ckpt-000042.h5.tmp",
        "xckpt-000042.h5", "ckpt-00004x.h5", "ckpt-99999999999999999999.h5"}) {
    EXPECT_EQ(ParseCheckpointFileName(name), std::nullopt) << name;
  }
}

TEST(CheckpointLayoutTest, KnowsTemporaryAndQuarantinedNames) {
  EXPECT_TRUE(IsTemporaryName("ckpt-000042.h5.tmp"));
  EXPECT_TRUE(IsTemporaryName("MANIFEST.json.tmp"));
  EXPECT_FALSE(IsTemporaryName("ckpt-000042.h5"));
  EXPECT_FALSE(IsTemporaryName("other.tmp"));
  EXPECT_EQ(ParseQuarantineName("ckpt-000042.h5.3"), 42);
  EXPECT_EQ(ParseQuarantineName("MANIFEST.json.3"), std::nullopt);
}

Manifest SampleManifest() {
  Manifest manifest;
  manifest.last_id = 9;
  manifest.removing = {3};
  CheckpointInfo info;
  info.id = 7;
  info.revision = std::numeric_limits<uint64_t>::max();
  info.file = CheckpointFileName(7);
  info.size_bytes = int64_t{1} << 40;
  info.crc32c = 0x0000ABCD;
  info.created = absl::FromUnixNanos(1'700'000'000'123'456'789);
  info.entries = 5;
  info.written_bytes = int64_t{1} << 39;
  info.shared_bytes = 17;
  info.holders = {2, 4};
  manifest.checkpoints = {info};
  for (CheckpointId id : info.holders) {
    CheckpointInfo holder;
    holder.id = id;
    holder.file = CheckpointFileName(id);
    manifest.holders.push_back(holder);
  }
  return manifest;
}

TEST(ManifestTest, IsReadAsItWasWritten) {
  const Manifest manifest = SampleManifest();
  ASSERT_OK_AND_ASSIGN(Manifest read,
                       ParseManifest(FormatManifest(manifest), "m"));
  EXPECT_EQ(read.last_id, 9);
  EXPECT_EQ(read.removing, manifest.removing);
  ASSERT_EQ(read.checkpoints.size(), 1);
  EXPECT_EQ(read.checkpoints[0].revision, manifest.checkpoints[0].revision);
  EXPECT_EQ(read.checkpoints[0].size_bytes, int64_t{1} << 40);
  EXPECT_EQ(read.checkpoints[0].crc32c, 0x0000ABCDu);
  EXPECT_EQ(read.checkpoints[0].created, manifest.checkpoints[0].created);
  EXPECT_EQ(read.checkpoints[0].entries, 5);
  EXPECT_EQ(read.checkpoints[0].written_bytes, int64_t{1} << 39);
  EXPECT_EQ(read.checkpoints[0].shared_bytes, 17);
  EXPECT_EQ(read.checkpoints[0].holders, (std::vector<CheckpointId>{2, 4}));
  ASSERT_EQ(read.holders.size(), 2);
  EXPECT_EQ(read.holders[1].file, "ckpt-000004.h5");
}

TEST(ManifestTest, WhatAnotherCheckpointNeedsStaysAsAHolder) {
  Manifest manifest;
  manifest.last_id = 3;
  for (CheckpointId id = 1; id <= 3; ++id) {
    CheckpointInfo info;
    info.id = id;
    if (id > 1) info.holders = {1};
    manifest.checkpoints.push_back(info);
  }
  Unlist(1, &manifest);
  EXPECT_EQ(manifest.checkpoints.size(), 2);
  ASSERT_EQ(manifest.holders.size(), 1);
  EXPECT_EQ(manifest.holders[0].id, 1);
  EXPECT_TRUE(manifest.removing.empty());

  Unlist(2, &manifest);
  EXPECT_EQ(manifest.holders.size(), 1);
  EXPECT_EQ(manifest.removing, std::vector<CheckpointId>{2});

  Unlist(3, &manifest);
  EXPECT_TRUE(manifest.checkpoints.empty());
  EXPECT_TRUE(manifest.holders.empty());
  EXPECT_EQ(manifest.removing, (std::vector<CheckpointId>{2, 1, 3}));
}

TEST(ManifestTest, DamageIsDataLossAndNamesTheFile) {
  const std::string text = FormatManifest(SampleManifest());
  for (const std::string& bad : {std::string(), std::string("{}"),
                                 std::string("[]"), std::string(100000, '['),
                                 text.substr(0, text.size() / 2), text + "x"}) {
    EXPECT_THAT(
        ParseManifest(bad, "/d/MANIFEST.json"),
        StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/d/MANIFEST.json")));
  }
}

// No flip of a bit goes unnoticed, unless it changes white space only.
TEST(ManifestTest, EveryFlippedBitIsNoticed) {
  const std::string text = FormatManifest(SampleManifest());
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string bad = text;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    absl::StatusOr<Manifest> read = ParseManifest(bad, "m");
    if (read.ok()) {
      EXPECT_EQ(FormatManifest(*read), text) << "bit " << bit;
    }
  }
}

// A manifest as another program may write it: a member is replaced, or gone
// when `value` is nothing, and the checksum is right.
std::string Changed(const char* member, std::optional<json> value) {
  json manifest = json::parse(FormatManifest(SampleManifest()));
  const json::json_pointer at(member);
  if (value.has_value()) {
    manifest[at] = *value;
  } else {
    manifest.at(at.parent_pointer()).erase(at.back());
  }
  manifest.erase("crc32c");
  const std::string text = manifest.dump();
  manifest["crc32c"] = absl::StrCat(
      absl::Hex(Crc32c(std::as_bytes(std::span(text))), absl::kZeroPad8));
  return manifest.dump();
}

TEST(ManifestTest, AMissingOrMistypedMemberIsNamed) {
  EXPECT_OK(ParseManifest(Changed("/later", "more"), "m"));
  for (const std::string member :
       {"/format", "/format_version", "/last_id", "/removing", "/holders",
        "/checkpoints", "/checkpoints/0/id", "/checkpoints/0/revision",
        "/checkpoints/0/file", "/checkpoints/0/size_bytes",
        "/checkpoints/0/crc32c", "/checkpoints/0/created",
        "/checkpoints/0/entries", "/checkpoints/0/written_bytes",
        "/checkpoints/0/shared_bytes", "/checkpoints/0/holders",
        "/holders/1/id"}) {
    const std::string name = member.substr(member.rfind('/') + 1);
    const auto named = StatusIs(absl::StatusCode::kDataLoss,
                                "manifest 'm': the member '" + name +
                                    "' is missing or not what it should be");
    EXPECT_THAT(ParseManifest(Changed(member.c_str(), std::nullopt), "m"),
                named);
    EXPECT_THAT(ParseManifest(Changed(member.c_str(), true), "m"), named);
  }
}

TEST(ManifestTest, WhatAMemberSaysMustMakeSense) {
  struct {
    const char* member;
    json value;
    const char* name;
  } const changes[] = {{"/format", "another format", "format"},
                       {"/last_id", -1, "last_id"},
                       {"/last_id", uint64_t{1} << 63, "last_id"},
                       {"/last_id", 6, "id"},
                       {"/removing/0", "3", "removing"},
                       {"/checkpoints/0", 7, "checkpoints"},
                       {"/checkpoints/0/crc32c", "abcd", "crc32c"},
                       {"/checkpoints/0/crc32c", "0000wxyz", "crc32c"},
                       {"/checkpoints/0/created", "yesterday", "created"},
                       {"/checkpoints/0/file", "../ckpt-000007.h5", "file"},
                       {"/checkpoints/0/holders/0", nullptr, "holders"},
                       {"/holders/1",
                        json::parse(FormatManifest(SampleManifest()))
                            .at(json::json_pointer("/holders/0")),
                        "id"}};
  for (const auto& change : changes) {
    EXPECT_THAT(
        ParseManifest(Changed(change.member, change.value), "m"),
        StatusIs(absl::StatusCode::kDataLoss,
                 HasSubstr(absl::StrCat("the member '", change.name, "' is"))))
        << change.member << " " << change.value;
  }
}

// As another program would write it, with its own checksum.
TEST(ManifestTest, AnotherVersionIsRefused) {
  const std::string later =
      R"({"crc32c":"49cc7b33","format":"varkeep manifest","format_version":3})";
  EXPECT_THAT(ParseManifest(later, "m"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "manifest 'm': it has format version 3, this program "
                       "reads and writes version 2"));
  const std::string earlier =
      R"({"crc32c":"6e894bdd","format":"varkeep manifest","format_version":1})";
  EXPECT_THAT(ParseManifest(earlier, "m"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "manifest 'm': it has format version 1, this program "
                       "reads and writes version 2"));
}

}  // namespace
}  // namespace varkeep::storage
