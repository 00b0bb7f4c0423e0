// SPDX-License-Identifier: Apache-2.0
//
// The loops behind UpdateInPlace give what single operations give, on every
// kind of processor that this one can be.
#include "tensor/update_kernels.h"

#include <gmock/gmock.h>

#include <Eigen/Core>
#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace varkeep {
namespace {

// Elements of random bits, so that all exponents, infinities and NaNs occur.
template <typename T>
std::vector<T> RandomBits(uint64_t seed, size_t count) {
  std::mt19937_64 engine(seed);
  std::vector<T> values(count);
  for (T& value : values) {
    const uint64_t bits = engine();
    std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  }
  return values;
}

template <typename T>
void ExpectSame(T got, T want, size_t i) {
  if (want != want) {  // NaN
    if constexpr (std::is_floating_point_v<T>) {
      ASSERT_NE(got, got) << i;
      return;
    }
    want = std::numeric_limits<T>::quiet_NaN();
  }
  ASSERT_EQ(std::memcmp(&got, &want, sizeof(T)), 0) << i;
}

template <typename T>
void ExpectSingleOperations(UpdateKernels::Kernel add,
                            UpdateKernels::Kernel subtract) {
  constexpr size_t kCount = 100'003;
  const auto a = RandomBits<T>(1, kCount);
  const auto b = RandomBits<T>(2, kCount);
  std::vector<T> sum(kCount);
  add(a.data(), b.data(), sum.data(), kCount);
  std::vector<T> difference = a;  // in place
  subtract(difference.data(), b.data(), difference.data(), kCount);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_NO_FATAL_FAILURE(ExpectSame(sum[i], static_cast<T>(a[i] + b[i]), i));
    ASSERT_NO_FATAL_FAILURE(
        ExpectSame(difference[i], static_cast<T>(a[i] - b[i]), i));
  }
}

template <typename T>
void ExpectSingleOperations(const UpdateKernels& kernels, Addend addend) {
  const auto at = static_cast<size_t>(addend);
  SCOPED_TRACE(at);
  ExpectSingleOperations<T>(kernels.add[at], kernels.subtract[at]);
}

TEST(UpdateKernelsTest, DoWhatSingleOperationsDo) {
  for (CpuPath path : kAllCpuPaths) {
    if (!IsSupported(path)) continue;
    SCOPED_TRACE(CpuPathName(path));
    const UpdateKernels& kernels = UpdateKernelsOf(path);
    ExpectSingleOperations<uint8_t>(kernels, Addend::kInt8);
    ExpectSingleOperations<uint16_t>(kernels, Addend::kInt16);
    ExpectSingleOperations<uint32_t>(kernels, Addend::kInt32);
    ExpectSingleOperations<uint64_t>(kernels, Addend::kInt64);
    ExpectSingleOperations<Eigen::half>(kernels, Addend::kFloat16);
    ExpectSingleOperations<Eigen::bfloat16>(kernels, Addend::kBfloat16);
    ExpectSingleOperations<float>(kernels, Addend::kFloat32);
    ExpectSingleOperations<double>(kernels, Addend::kFloat64);
  }
}

// Every half, with numbers that make subnormals, ties and overflow.
TEST(UpdateKernelsTest, EveryHalfIsRoundedAsEigenDoes) {
  std::vector<Eigen::half> all(1 << 16);
  std::vector<Eigen::half> sum(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = std::bit_cast<Eigen::half>(static_cast<uint16_t>(i));
  }
  for (CpuPath path : kAllCpuPaths) {
    if (!IsSupported(path)) continue;
    const auto add =
        UpdateKernelsOf(path).add[static_cast<size_t>(Addend::kFloat16)];
    for (int bits : {0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x1401, 0x3C00,
                     0x6BFF, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00}) {
      const auto other =
          std::bit_cast<Eigen::half>(static_cast<uint16_t>(bits));
      const std::vector<Eigen::half> others(all.size(), other);
      add(all.data(), others.data(), sum.data(),
          static_cast<int64_t>(all.size()));
      for (size_t i = 0; i < all.size(); ++i) {
        ASSERT_NO_FATAL_FAILURE(ExpectSame(sum[i], all[i] + other, i));
      }
    }
  }
}

}  // namespace
}  // namespace varkeep
