// SPDX-License-Identifier: Apache-2.0
#include "server/durability/committer.h"

#include "tests/server/variables/store_testing.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class CommitterTest : public StoreTest {
 protected:
  Committer committer_{&store_};
};

TEST_F(CommitterTest, AppliesToTheStore) {
  ASSERT_OK_AND_ASSIGN(Applied applied,
                       committer_.Apply(DeclareMutation{"", SpecOf("v"), false},
                                        RequestId{1, 1}));

  EXPECT_EQ(applied.revision, 1u);
  EXPECT_OK(store_.Find("", "v"));
  ASSERT_OK_AND_ASSIGN(VariableInfo info, committer_.Find("", "v"));
  EXPECT_EQ(info.declared, 1u);
  ASSERT_OK_AND_ASSIGN(
      applied, committer_.Declare(DeclareMutation{"", SpecOf("v"), false},
                                  RequestId{1, 1}));
  EXPECT_TRUE(applied.duplicate);
}

TEST_F(CommitterTest, RefusesEveryChangeWhileDraining) {
  ASSERT_OK(Declare(store_, SpecOf("v", {1})));
  committer_.SetDraining(true);
  EXPECT_TRUE(committer_.draining());

  const auto refused = StatusIs(StatusCode::kUnavailable,
                                HasSubstr("draining: it accepts no changes"));
  EXPECT_THAT(committer_.Apply(InitializeMutation{"", {"v"}, false}), refused);
  EXPECT_THAT(committer_.Declare(DeclareMutation{"", SpecOf("w"), false}, {}),
              refused);
  EXPECT_OK(committer_.Find("", "v"));
  EXPECT_EQ(store_.usage().revision, 1u);

  committer_.SetDraining(false);
  EXPECT_OK(committer_.Apply(InitializeMutation{"", {"v"}, false}));
}

}  // namespace
}  // namespace varkeep
