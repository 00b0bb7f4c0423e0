// SPDX-License-Identifier: Apache-2.0
//
// What HDF5 refuses is an error that says which call and why.
#include <gmock/gmock.h>
#include <hdf5.h>

#include "storage/hdf5/attributes.h"
#include "storage/hdf5/datatypes.h"
#include "storage/hdf5/error.h"
#include "storage/hdf5/file_driver.h"
#include "storage/hdf5/group_path.h"
#include "tests/testing/status_matchers.h"

namespace varkeep::storage::hdf5 {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Hdf5ErrorTest : public ::testing::Test {
 protected:
  Hdf5ErrorTest() { PrepareThread(); }

  // Adds a dataset of one int8.
  static absl::Status Add(GroupPath& group, const std::string& path) {
    absl::StatusOr<DatatypeHandle> type = FileType(DType::kInt8);
    const DataspaceHandle space(H5Screate(H5S_SCALAR));
    return group.AddDataset(path, type->id(), space.id(), H5P_DEFAULT).status();
  }
};

TEST_F(Hdf5ErrorTest, SaysTheCallAndTheReason) {
  EXPECT_THAT(Check(H5Fclose(H5I_INVALID_HID), "H5Fclose"),
              StatusIs(StatusCode::kInternal,
                       "HDF5 H5Fclose failed: H5Fclose: not a file ID"));
  EXPECT_THAT(Own<DatatypeHandle>(H5Tcopy(H5I_INVALID_HID), "H5Tcopy"),
              StatusIs(StatusCode::kInternal,
                       HasSubstr("HDF5 H5Tcopy failed: H5Tcopy: ")));
}

TEST_F(Hdf5ErrorTest, IsNotToldAgainOfTheNextCall) {
  ASSERT_FALSE(Check(H5Fclose(H5I_INVALID_HID), "H5Fclose").ok());

  EXPECT_THAT(ErrorFromStack("H5Dget_offset"),
              StatusIs(StatusCode::kInternal, "HDF5 H5Dget_offset failed: "));
}

TEST_F(Hdf5ErrorTest, NamesTheAttributeThatCannotBeWritten) {
  const Attribute attributes[] = {{"a", true},
                                  {"a", int64_t{1}},
                                  {"a", uint64_t{1}},
                                  {"a", std::string("text")},
                                  {"a", std::vector<std::string>{"x", "y"}}};
  ASSERT_OK_AND_ASSIGN(const AttributeWriter writer, AttributeWriter::Create());
  for (const Attribute& attribute : attributes) {
    EXPECT_THAT(writer.Write(H5I_INVALID_HID, attribute),
                StatusIs(StatusCode::kInternal,
                         AllOf(HasSubstr("attribute 'a'"),
                               HasSubstr("HDF5 H5Acreate2 failed"))));
  }
  EXPECT_THAT(writer.WriteShape(H5I_INVALID_HID, {2, 3}),
              StatusIs(StatusCode::kInternal, HasSubstr("H5Acreate2")));
}

TEST_F(Hdf5ErrorTest, AnAttributeIsThereOnce) {
  FileDriver driver;
  ASSERT_OK_AND_ASSIGN(FileHandle file, driver.Create(4096));
  ASSERT_OK_AND_ASSIGN(const AttributeWriter writer, AttributeWriter::Create());
  ASSERT_OK(writer.Write(file.id(), {"a", true}));

  EXPECT_THAT(writer.Write(file.id(), {"a", true}),
              StatusIs(StatusCode::kInternal, HasSubstr("already exists")));
  EXPECT_OK(Check(file.Close(), "H5Fclose"));
}

TEST_F(Hdf5ErrorTest, APathIsThereOnce) {
  FileDriver driver;
  ASSERT_OK_AND_ASSIGN(FileHandle file, driver.Create(4096));
  {
    ASSERT_OK_AND_ASSIGN(GroupPath group, GroupPath::Create(file.id()));
    ASSERT_OK(Add(group, "a/b"));

    EXPECT_THAT(Add(group, "a/b"),
                StatusIs(StatusCode::kInternal, HasSubstr("H5Dcreate2")));
    EXPECT_THAT(group.AddExternalLink("a/b", "other.h5"),
                StatusIs(StatusCode::kInternal,
                         HasSubstr("HDF5 H5Lcreate_external failed")));
    for (const absl::Status& below_a_value :
         {Add(group, "a/b/c"), group.AddExternalLink("a/b/c", "other.h5")}) {
      EXPECT_THAT(below_a_value,
                  StatusIs(StatusCode::kInternal, HasSubstr("H5Gcreate2")));
    }
    EXPECT_OK(group.AddExternalLink("a/c", "other.h5"));
  }
  EXPECT_OK(Check(file.Close(), "H5Fclose"));
}

TEST_F(Hdf5ErrorTest, ABlockOfNothingIsAFileAllTheSame) {
  FileDriver driver;
  ASSERT_OK_AND_ASSIGN(FileHandle file, driver.Create(0));
  EXPECT_OK(Check(file.Close(), "H5Fclose"));
  EXPECT_GT(driver.size(), 0);
}

TEST_F(Hdf5ErrorTest, OnlyADTypeHasAFileType) {
  EXPECT_THAT(FileType(static_cast<DType>(99)),
              StatusIs(StatusCode::kInternal, "not a dtype"));
}

}  // namespace
}  // namespace varkeep::storage::hdf5
