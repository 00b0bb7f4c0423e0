// SPDX-License-Identifier: Apache-2.0
#include "storage/import/hdf5_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/storage/import/import_testing.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Pair;

template <typename T>
std::vector<T> Values(const Imported& imported, const std::string& path) {
  auto it = imported.values.find(path);
  if (it == imported.values.end() || it->second == nullptr) {
    ADD_FAILURE() << path << " has no value";
    return {};
  }
  EXPECT_EQ(it->second->dtype(), DTypeOf<T>()) << path;
  if (it->second->dtype() != DTypeOf<T>()) return {};
  const auto values = it->second->template values<T>();
  return {values.begin(), values.end()};
}

TEST(Hdf5ImportTest, ReadsWhatKerasWrites) {
  const Imported imported = Import(Files() + "/good.h5");

  ASSERT_OK(imported.status);
  EXPECT_EQ(imported.summary.datasets, 17);
  EXPECT_EQ(imported.values.size(), 17u);
  EXPECT_EQ(Values<float>(imported, "dense/dense/kernel:0"),
            (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(imported.values.at("dense/dense/kernel:0")->shape(), Shape({2, 3}));
}

TEST(Hdf5ImportTest, ReadsEveryDTypeInEitherByteOrder) {
  const Imported imported = Import(Files() + "/good.h5");

  ASSERT_OK(imported.status);
  EXPECT_THAT(Values<float>(imported, "dense/dense/bias:0"),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(Values<double>(imported, "other/double"), ElementsAre(2.5));
  EXPECT_THAT(Values<Eigen::half>(imported, "other/half"),
              ElementsAre(Eigen::half(0.5f), Eigen::half(-2.0f)));
  EXPECT_THAT(Values<int8_t>(imported, "other/i1"), ElementsAre(1, 2));
  EXPECT_THAT(Values<int16_t>(imported, "other/i2"), ElementsAre(1, 2));
  EXPECT_THAT(Values<int32_t>(imported, "other/i4"), ElementsAre(1, 2));
  EXPECT_THAT(Values<int64_t>(imported, "other/i8"), ElementsAre(1, 2));
  EXPECT_THAT(Values<uint8_t>(imported, "other/u1"), ElementsAre(1, 2));
  EXPECT_THAT(Values<uint16_t>(imported, "other/u2"), ElementsAre(1, 2));
  EXPECT_THAT(Values<uint32_t>(imported, "other/u4"), ElementsAre(1, 2));
  EXPECT_THAT(Values<uint64_t>(imported, "other/u8"), ElementsAre(1, 2));
  EXPECT_THAT(Values<bool>(imported, "other/bool"),
              ElementsAre(true, false, true));
  EXPECT_THAT(Values<std::complex<float>>(imported, "other/complex"),
              ElementsAre(std::complex<float>(1, 2)));
  std::vector<int32_t> counted(1000);
  for (int i = 0; i < 1000; ++i) counted[static_cast<size_t>(i)] = i;
  EXPECT_EQ(Values<int32_t>(imported, "other/chunked"), counted);
  EXPECT_EQ(Values<Eigen::bfloat16>(Import(Files() + "/bfloat16.h5"), "v"),
            (std::vector<Eigen::bfloat16>{Eigen::bfloat16(1.0f),
                                          Eigen::bfloat16(2.0f)}));
}

TEST(Hdf5ImportTest, EmptyIsAValueAndNullIsNone) {
  const Imported imported = Import(Files() + "/good.h5");

  ASSERT_OK(imported.status);
  EXPECT_EQ(imported.values.at("other/null"), nullptr);
  ASSERT_NE(imported.values.at("other/nothing"), nullptr);
  EXPECT_EQ(imported.values.at("other/nothing")->shape(), Shape({2, 0}));
}

TEST(Hdf5ImportTest, ReadsTheNewestFormat) {
  EXPECT_THAT(Values<float>(Import(Files() + "/latest.h5"), "a/b"),
              ElementsAre(0, 1, 2, 3));
}

TEST(Hdf5ImportTest, OnlyWhatIsWantedIsLookedAt) {
  ImportOptions options;
  options.only = {"real"};
  const Imported imported = Import(Files() + "/soft_link.h5", options);
  ASSERT_OK(imported.status);
  EXPECT_THAT(imported.values, ElementsAre(Key("real")));

  options.only = {"dense"};
  EXPECT_THAT(
      Import(Files() + "/good.h5", options).values,
      ElementsAre(Key("dense/dense/bias:0"), Key("dense/dense/kernel:0")));
  options.only = {"dense/de"};
  EXPECT_THAT(Import(Files() + "/good.h5", options).values, ElementsAre());
  options.only = {"../x"};
  EXPECT_THAT(Import(Files() + "/good.h5", options).status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("..")));
}

TEST(Hdf5ImportTest, TheVisitorsErrorComesBackAsItIs) {
  ImportOptions options;
  options.helper = IMPORT_HELPER;
  int visits = 0;
  auto summary =
      ImportHdf5(Files() + "/good.h5", options, [&](const ImportedDataset&) {
        ++visits;
        return absl::AbortedError("enough");
      });
  EXPECT_EQ(summary.status(), absl::AbortedError("enough"));
  EXPECT_EQ(visits, 1);
}

TEST(Hdf5ImportTest, TellsHowFarItIs) {
  ImportOptions options;
  int64_t last = 0;
  int64_t all = 0;
  options.progress = [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    last = done;
    all = total;
  };
  const Imported imported = Import(Files() + "/good.h5", options);
  EXPECT_EQ(last, imported.summary.value_bytes);
  EXPECT_EQ(all, imported.summary.value_bytes);
}

TEST(Hdf5ImportTest, WhatIsNoFileIsToldApart) {
  EXPECT_THAT(Import("/nowhere/x.h5").status,
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("x.h5")));
  EXPECT_THAT(
      Import(Files()).status,
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("regular file")));
  EXPECT_THAT(Import(MAKE_FILES).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("make_files.py': it is not an HDF5 file")));
}

}  // namespace
}  // namespace varkeep::storage
