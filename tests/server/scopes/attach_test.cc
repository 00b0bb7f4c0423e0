// SPDX-License-Identifier: Apache-2.0
//
// What a session makes of variables that another one declared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/scopes/program.h"
#include "tests/testing/tensors.h"

namespace varkeep {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using With = Program::With;

class AttachTest : public ::testing::Test {
 protected:
  static VariableArguments Shaped(const std::string& name, const Shape& shape) {
    VariableArguments args = Program::Arguments(name);
    args.shape = PartialShape(shape);
    return args;
  }

  FakeDeclarer declarer_;
  Program first_{&declarer_, OptionsOf("", {}, "first")};
  Program second_{&declarer_, OptionsOf("", {}, "second")};
};

// S26.
TEST_F(AttachTest, TheSameProgramTwiceSharesEverything) {
  for (Program* p : {&first_, &second_}) {
    EXPECT_EQ(p->Get("w"), "w:0");
    EXPECT_EQ(p->Get("w"), ExistsText("w"));
    EXPECT_EQ(p->Create("w"), "w_1:0");
    EXPECT_THAT(p->session().Collection(kGlobalVariables),
                ElementsAre("w", "w_1"));
  }
  EXPECT_EQ(declarer_.size(), 2u);
  second_.current().reuse = Reuse::kReuse;
  ASSERT_OK_AND_ASSIGN(Declared w, second_.TryGet("w"));
  EXPECT_EQ(w.info.spec.creator, "first");
  EXPECT_FALSE(w.created);
}

TEST_F(AttachTest, ADeclarationThatDiffersIsAnErrorAndChangesNothing) {
  ASSERT_OK(first_.TryGet(Shaped("w", {2})));
  EXPECT_THAT(second_.TryGet(Shaped("w", {3})),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("differ")));
  EXPECT_THAT(second_.session().Declarations(), IsEmpty());
  EXPECT_EQ(second_.Get(Shaped("w", {2})), "w:0");
}

TEST_F(AttachTest, ReuseFindsWhatOnlyTheContainerHas) {
  VariableArguments args = Program::Arguments("w");
  args.collections = {"mine", kGlobalVariables};
  ASSERT_OK(first_.TryGet(args));

  second_.current().reuse = Reuse::kReuse;
  ASSERT_OK_AND_ASSIGN(Declared w, second_.TryGet("w"));

  EXPECT_FALSE(w.created);
  EXPECT_THAT(second_.session().Declarations(), ElementsAre("w"));
  EXPECT_THAT(second_.session().Collection("mine"), ElementsAre("w"));
  second_.current().reuse = Reuse::kCreate;
  EXPECT_EQ(second_.Get("w"), ExistsText("w"));
  EXPECT_EQ(second_.Create("w"), "w_1:0");
  second_.current().reuse = Reuse::kReuse;
  EXPECT_EQ(second_.Get("nope"), MissingText("nope"));
}

TEST_F(AttachTest, ReuseComparesShapeAndDtype) {
  ASSERT_OK(first_.TryGet(Shaped("w", {2})));
  for (Reuse reuse : {Reuse::kReuse, Reuse::kAuto}) {
    second_.current().reuse = reuse;
    EXPECT_EQ(second_.Get(Shaped("w", {3})),
              "Trying to share variable w, but specified shape (3,) and found "
              "shape (2,).");
    VariableArguments args = Shaped("w", {2});
    args.dtype = DType::kInt32;
    EXPECT_EQ(second_.Get(args),
              "Trying to share variable w, but specified dtype int32 and found "
              "dtype float32_ref.");
    EXPECT_THAT(second_.session().Declarations(), IsEmpty());
  }
}

TEST_F(AttachTest, AutoReuseNeedsNoShapeForWhatIsThere) {
  ASSERT_OK(first_.TryGet(Shaped("w", {2})));
  second_.current().reuse = Reuse::kAuto;
  VariableArguments args = Program::Arguments("w");
  args.shape = std::nullopt;
  args.collections = {"mine"};
  ASSERT_OK_AND_ASSIGN(Declared w, second_.TryGet(args));
  EXPECT_EQ(w.info.spec.shape, Shape({2}));
  EXPECT_THAT(second_.session().Collection("mine"), ElementsAre("w"));
  EXPECT_THAT(second_.session().Collection(kGlobalVariables), IsEmpty());
}

// The first of two workers creates an int32 variable by this very call.
TEST_F(AttachTest, AutoReuseOfAValueComparesTheValue) {
  VariableArguments args;
  args.name = "w";
  args.initializer = ValueInitializer{Of<int32_t>({2}, {1, 2})};
  for (Program* p : {&first_, &second_}) {
    p->current().reuse = Reuse::kAuto;
    ASSERT_OK_AND_ASSIGN(Declared w, p->TryGet(args));
    EXPECT_EQ(w.info.spec.dtype, DType::kInt32);
    EXPECT_EQ(w.created, p == &first_);
  }
}

TEST_F(AttachTest, AutoReuseCreatesWhatIsNowhere) {
  second_.current().reuse = Reuse::kAuto;
  ASSERT_OK_AND_ASSIGN(Declared w, second_.TryGet("w"));
  EXPECT_TRUE(w.created);
}

TEST_F(AttachTest, ContainersAreApart) {
  ASSERT_OK(first_.TryGet("w"));
  Program other(&declarer_, OptionsOf("other"));
  other.current().reuse = Reuse::kReuse;
  EXPECT_EQ(other.Get("w"), MissingText("w"));
}

// A lost session is opened again and its declarations are made again; a request
// whose answer was lost has its old id.
TEST_F(AttachTest, ARequestOfALostSessionIsAppliedOnce) {
  const RequestId id{.client = 9, .sequence = 1};
  VariableArguments args = Shaped("w", {2});
  ASSERT_OK(first_.TryGet(args, id));
  ASSERT_OK_AND_ASSIGN(Declared w, second_.TryGet(args, id));
  EXPECT_EQ(w.info.spec.creator, "first");
  EXPECT_EQ(declarer_.declarations(), 1);
  EXPECT_THAT(second_.session().Declarations(), ElementsAre("w"));
  // An id that is used for something else does not go through.
  Program third(&declarer_);
  EXPECT_THAT(third.TryGet(Shaped("w", {3}), id),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("(3,)")));
}

}  // namespace
}  // namespace varkeep
