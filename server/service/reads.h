// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_SERVER_SERVICE_READS_H_
#define VARKEEP_SERVER_SERVICE_READS_H_

#include "absl/status/statusor.h"
#include "server/service/read_stream.h"
#include "server/service/services.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {

// What a request for one variable is answered with. A part that has to be
// copied counts in the memory of calls until nobody has it.
absl::StatusOr<ReadStream::Item> ReadOne(const ServiceContext& services,
                                         const v1::ReadValueRequest& request);
absl::StatusOr<ReadStream::Item> GatherFromOne(
    const ServiceContext& services, const v1::GatherRequest& request);
// The variables of a request for many, and what it is answered with: one cut.
PreparedRead Prepare(const v1::ReadValuesRequest& request);
absl::StatusOr<ReadStream> ReadMany(const ServiceContext& services,
                                    PreparedRead* read);

}  // namespace varkeep

#endif  // VARKEEP_SERVER_SERVICE_READS_H_
