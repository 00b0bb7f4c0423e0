// SPDX-License-Identifier: Apache-2.0
//
// Files that want more than to be read: none of them ends or holds up this
// process, none brings bytes that are not its own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/import/helper_process.h"
#include "tests/storage/import/import_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace varkeep::storage {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

TEST(HostileFileTest, IsRefusedWithItsReason) {
  struct Row {
    const char* file;
    absl::StatusCode code;
    const char* message;
  };
  const Row kRows[] = {
      {"external_storage", kInvalid, "'leak': its values are in another file"},
      {"external_link", kInvalid, "'link': it is a link into another file"},
      {"soft_link", kInvalid, "'link': it is a soft link"},
      {"virtual", kInvalid, "'v': its values are those of other datasets"},
      {"declared_bomb", kExhausted, "'bomb': it has 4611686018427387904 bytes"},
      {"deflate_bomb", kExhausted, "more than 1000 times"},
      {"chunk_bomb", kExhausted, "one of its chunks has 4294967295 bytes"},
      {"deep", kExhausted, "more than 64 groups deep"},
      {"vlen", kInvalid, "'v': its elements are sequences of any length"},
      {"string", kInvalid, "its elements are strings"},
      {"reference", kInvalid, "its elements are references"},
      {"compound", kInvalid, "its elements are a compound"},
      {"enumeration", kInvalid, "its elements are an enumeration"},
      {"rank9", kInvalid, "it has rank 9"},
      {"filter", kInvalid, "it is stored with filter 32000"},
      {"scaleoffset", kInvalid, "it is stored with filter 6"},
      {"not_bool", kDataLoss, "'v': it holds 7"},
      {"bad_utf8", kInvalid, ": its name is not UTF-8"},
      {"control", kInvalid, "'a?[2Jb'"},
      {"cycle", kInvalid, "'a/b/back': it is a hard link"},
      {"self", kInvalid, "'root': it is a hard link"},
      {"shared", kInvalid, "it is a hard link"},
      {"user_block", kInvalid, "it is not an HDF5 file"},
  };
  for (const Row& row : kRows) {
    const Imported imported =
        Import(absl::StrCat(Files(), "/", row.file, ".h5"));

    EXPECT_THAT(
        imported.status,
        StatusIs(row.code, AllOf(HasSubstr(row.file), HasSubstr(row.message))))
        << row.file;
    EXPECT_THAT(imported.values, IsEmpty()) << row.file;
  }
}

TEST(HostileFileTest, LimitsHold) {
  ImportOptions options;
  options.limits.max_objects = 2999;
  EXPECT_THAT(Import(Files() + "/many_objects.h5", options).status,
              StatusIs(kExhausted, HasSubstr("more than 2999 objects")));
  options = {};
  options.limits.max_tensor_bytes = 3999;
  EXPECT_THAT(Import(Files() + "/good.h5", options).status,
              StatusIs(kExhausted, HasSubstr("other/chunked")));
  options = {};
  options.limits.max_total_bytes = 4000;
  EXPECT_THAT(Import(Files() + "/good.h5", options).status,
              StatusIs(kExhausted, HasSubstr("more than 4000 bytes")));
  options = {};
  options.limits.max_file_bytes = 100;
  EXPECT_THAT(Import(Files() + "/good.h5", options).status,
              StatusIs(kInvalid, HasSubstr("the limit is 100")));
  options = {};
  options.limits.max_depth = 2;
  EXPECT_THAT(Import(Files() + "/good.h5", options).status,
              StatusIs(kExhausted, HasSubstr("2 groups deep")));
}

#ifndef __SANITIZE_ADDRESS__  // with it there is no limit of memory
TEST(HostileFileTest, MemoryHasALimit) {
  ImportOptions options;
  options.limits.max_tensor_bytes = 1 << 20;
  EXPECT_THAT(
      Import(Files() + "/memory.h5", options).status,
      StatusIs(kExhausted, AllOf(HasSubstr("memory.h5"), HasSubstr("'v'"),
                                 HasSubstr("memory allocation"))));
}
#endif

TEST(HostileFileTest, TimeHasALimit) {
  ImportOptions options;
  options.limits.timeout = absl::ZeroDuration();  // 1 s for what is in the file
  EXPECT_THAT(Import(Files() + "/time.h5", options).status,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("time.h5"), HasSubstr("takes longer"))));
}

TEST(HostileFileTest, ProcessorTimeHasALimit) {
  const int file = open((Files() + "/time.h5").c_str(), O_RDONLY | O_CLOEXEC);
  const std::string much = absl::StrCat(int64_t{1} << 40);
  ASSERT_OK_AND_ASSIGN(
      auto helper,
      HelperProcess::Start(IMPORT_HELPER, {"10", "10", much, much, "1"}, file));
  close(file);
  std::vector<char> announced(4096);
  while (read(helper->results(), announced.data(), announced.size()) > 0) {
  }

  EXPECT_THAT(helper->WhyItEnded(),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("processor time")));
}

TEST(HostileFileTest, AHundredThousandObjectsAreSoonTooMany) {
  const TempDir directory;
  const std::string path = directory.path() + "/objects.h5";
  const hid_t file =
      H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_STD_I8LE);
  for (int i = 0; i < 100'000; ++i) {
    // Links to one object are enough to be counted.
    if (i == 0)
      H5Tcommit2(file, "0", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    else
      H5Lcreate_hard(file, "0", file, absl::StrCat(i).c_str(), H5P_DEFAULT,
                     H5P_DEFAULT);
  }
  H5Tclose(type);
  H5Fclose(file);

  EXPECT_THAT(Import(path).status,
              StatusIs(kExhausted, HasSubstr("more than 100000 objects")));
}

TEST(HostileFileTest, CutAnywhereItIsRefused) {
  const TempDir directory;
  const std::string path = directory.path() + "/cut.h5";
  const std::vector<char> whole = ReadBytes(Files() + "/small.h5");
  ASSERT_GT(whole.size(), 1000u);
  for (size_t size = 0; size < whole.size(); size += 97) {
    WriteBytes(path, {whole.begin(), whole.begin() + static_cast<long>(size)});
    EXPECT_THAT(Import(path).status, StatusIs(kInvalid, HasSubstr("cut.h5")))
        << size;
  }
}

// Imports the file with bits flipped, one at a time: errors are of the promised
// kinds.
void FlipBits(const std::vector<char>& whole, int flips, unsigned seed) {
  const TempDir directory;
  const std::string path = directory.path() + "/flipped.h5";
  std::mt19937 random(seed);
  for (int i = 0; i < flips; ++i) {
    std::vector<char> flipped = whole;
    // Every other one in the metadata at the front.
    const size_t bits = (i % 2 == 0 ? whole.size() : 1000) * 8;
    const size_t bit = random() % bits;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    WriteBytes(path, flipped);

    ImportOptions options;
    options.limits.max_total_bytes = 1 << 20;
    const Imported imported = Import(path, options);

    if (!imported.status.ok()) {
      EXPECT_THAT(imported.status,
                  StatusIs(imported.status.code(), HasSubstr("flipped.h5")));
      EXPECT_THAT(imported.status.code(),
                  AnyOf(Eq(kInvalid), Eq(kDataLoss), Eq(kExhausted)))
          << imported.status << " bit " << bit;
    }
  }
}

TEST(HostileFileTest, FlippedBitsDoNoHarm) {
#ifdef __SANITIZE_ADDRESS__
  constexpr int kFlipsPerThread = 75;
#else
  constexpr int kFlipsPerThread = 500;
#endif
  const std::vector<char> whole = ReadBytes(Files() + "/small.h5");
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back(
        [&whole, seed] { FlipBits(whole, kFlipsPerThread, seed); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace varkeep::storage
