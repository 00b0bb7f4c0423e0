// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <Eigen/Core>

#include "tests/server/initializers/run.h"

namespace varkeep {
namespace {

using ::testing::DoubleNear;
using ::testing::IsEmpty;
using ::testing::Pointwise;

// How far the short side's products are from the identity matrix, at most.
template <typename T>
double Deviation(const Shape& shape) {
  const std::vector<T> values =
      DrawValues<T>(OrthogonalInitializer{}, shape, OpSeeds(1));
  const Eigen::Index columns = shape.dim(shape.rank() - 1);
  Eigen::MatrixXd q(shape.num_elements() / columns, columns);
  for (Eigen::Index i = 0; i < q.size(); ++i) {
    q(i / columns, i % columns) =
        static_cast<double>(values[static_cast<size_t>(i)]);
  }
  const Eigen::MatrixXd products = q.rows() < q.cols()
                                       ? Eigen::MatrixXd(q * q.transpose())
                                       : Eigen::MatrixXd(q.transpose() * q);
  return (products -
          Eigen::MatrixXd::Identity(products.rows(), products.cols()))
      .cwiseAbs()
      .maxCoeff();
}

TEST(OrthogonalTest, TheShortSideIsOrthonormal) {
  for (const Shape& shape :
       {Shape({4, 4}), Shape({10, 10}), Shape({10, 9, 8}), Shape({100, 5, 5}),
        Shape({50, 40}), Shape({40, 50}), Shape({1, 7}), Shape({7, 1}),
        Shape({1, 1})}) {
    EXPECT_LT(Deviation<float>(shape), 1e-5) << shape.ToString();
    EXPECT_LT(Deviation<double>(shape), 1e-13) << shape.ToString();
  }
}

TEST(OrthogonalTest, SmallFloatsAreOrthonormalToTheirPrecision) {
  EXPECT_LT(Deviation<Eigen::half>({10, 10}), 5e-3);
  EXPECT_LT(Deviation<Eigen::bfloat16>({10, 10}), 4e-2);
}

TEST(OrthogonalTest, GainMultiplies) {
  const auto one =
      DrawValues<double>(OrthogonalInitializer{}, {6, 4}, OpSeeds(1));
  auto expected = one;
  for (double& element : expected) element *= 3.14;
  EXPECT_THAT(
      DrawValues<double>(OrthogonalInitializer{3.14, {}}, {6, 4}, OpSeeds(1)),
      Pointwise(DoubleNear(1e-12), expected));
}

// A wide matrix is a tall one, turned.
TEST(OrthogonalTest, WideIsTheTransposeOfTall) {
  const auto tall =
      DrawValues<float>(OrthogonalInitializer{}, {3, 2}, OpSeeds(1));
  const auto wide =
      DrawValues<float>(OrthogonalInitializer{}, {2, 3}, OpSeeds(1));
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 2; ++j) {
      EXPECT_EQ(tall[2 * i + j], wide[3 * j + i]);
    }
  }
}

TEST(OrthogonalTest, EachRunDrawsAnewWhateverThePool) {
  ThreadPool pool(3);
  const OrthogonalInitializer init;
  const TensorRef first = Draw(init, DType::kFloat32, {300, 300}, {1, 2});
  EXPECT_FALSE(BitwiseEqual(
      *first, *Draw(init, DType::kFloat32, {300, 300}, {1, 2}, 1)));
  EXPECT_THAT(Draw(init, DType::kFloat32, {300, 300}, {1, 2}, 0, &pool),
              TensorEq(first));
}

TEST(OrthogonalTest, EmptyShapes) {
  EXPECT_THAT(DrawValues<float>(OrthogonalInitializer{}, {0, 3}), IsEmpty());
  EXPECT_THAT(DrawValues<float>(OrthogonalInitializer{}, {3, 0}), IsEmpty());
  EXPECT_THAT(DrawValues<float>(OrthogonalInitializer{},
                                {int64_t{1} << 40, int64_t{1} << 40, 0}),
              IsEmpty());
}

TEST(OrthogonalTest, NeedsTwoDimensions) {
  for (const Shape& shape : {Shape(), Shape({5}), Shape({10})}) {
    ExpectRejected(OrthogonalInitializer{}, DType::kFloat32, shape,
                   "The tensor to initialize must be at least "
                   "two-dimensional");
  }
}

}  // namespace
}  // namespace varkeep
