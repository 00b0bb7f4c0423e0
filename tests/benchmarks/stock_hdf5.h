// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_STOCK_HDF5_H_
#define VARKEEP_TESTS_BENCHMARKS_STOCK_HDF5_H_

#include <string>

#include "storage/checkpoint.h"

namespace varkeep::benchmarks {

// What one would write first, as a yardstick: a new file with a contiguous
// dataset for each value, by the calls and defaults of the HDF5 library, and
// fsync. REQUIRES: values of int8. A program stops when a call fails.
void WriteStockHdf5(const storage::CheckpointContents& contents,
                    const std::string& path);

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_STOCK_HDF5_H_
