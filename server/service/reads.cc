// SPDX-License-Identifier: Apache-2.0
#include "server/service/reads.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/variables/names.h"
#include "tensor/tensor_ops.h"
#include "tensor/tensor_rows.h"

namespace varkeep {
namespace {

// Copying a smaller slice costs less than holding the whole value for it, which
// an update meanwhile would have to copy.
constexpr int64_t kShareBytes = 64 << 10;

// What `make` makes, a tensor of this dtype and shape, counted.
absl::StatusOr<TensorRef> Counted(
    CallMemory* memory, DType dtype, const Shape& shape,
    absl::FunctionRef<absl::StatusOr<std::shared_ptr<Tensor>>()> make) {
  struct Result {
    explicit Result(CallMemory* memory) : held(memory) {}
    CallMemory::Hold held;
    TensorRef tensor;
  };
  ASSIGN_OR_RETURN(const int64_t bytes, SizeBytes(dtype, shape));
  auto result = std::make_shared<Result>(memory);
  RETURN_IF_ERROR(result->held.Take(bytes));
  ASSIGN_OR_RETURN(result->tensor, make());
  const Tensor* tensor = result->tensor.get();
  return TensorRef(std::move(result), tensor);
}

absl::StatusOr<ReadStream::Item> SliceOf(VersionedValue whole,
                                         const SliceSpec& slice,
                                         CallMemory* memory) {
  const Tensor& value = *whole.value;
  ASSIGN_OR_RETURN(Shape shape, SliceShape(value.shape(), slice));
  ASSIGN_OR_RETURN(const int64_t bytes, SizeBytes(value.dtype(), shape));
  const std::optional<int64_t> start = ContiguousStart(value.shape(), slice);
  if (start && bytes >= kShareBytes && whole.overlay == nullptr) {
    whole.value = Tensor::Part(whole.value, *start, shape);
  } else {
    ASSIGN_OR_RETURN(whole.value, Counted(memory, value.dtype(), shape, [&] {
                       return CopySlice(whole.view(), slice);
                     }));
    whole.overlay = nullptr;
  }
  return ReadStream::Item{std::move(whole)};
}

absl::StatusOr<ReadStream::Item> GatheredFrom(VersionedValue params,
                                              const v1::GatherRequest& request,
                                              const Tensor& indices,
                                              CallMemory* memory) {
  const Tensor& value = *params.value;
  ASSIGN_OR_RETURN(Shape shape,
                   request.nd()
                       ? GatherNdShape(value.shape(), indices)
                       : GatherShape(value.shape(), indices, request.axis()));
  ASSIGN_OR_RETURN(params.value, Counted(memory, value.dtype(), shape, [&] {
                     return request.nd() ? GatherNd(params.view(), indices)
                                         : Gather(params.view(), indices,
                                                  request.axis());
                   }));
  params.overlay = nullptr;
  return ReadStream::Item{std::move(params)};
}

}  // namespace

absl::StatusOr<ReadStream::Item> ReadOne(const ServiceContext& services,
                                         const v1::ReadValueRequest& request) {
  ReadStream::Item item;
  const absl::string_view name = StripOutput(request.name());
  const auto is_known = [&](Revision version) {
    return request.has_if_newer_than() && version <= request.if_newer_than();
  };
  if (!request.has_slice()) {
    ASSIGN_OR_RETURN(item.value,
                     services.store->Read(request.container(), name));
    item.not_modified = is_known(item.value.version);
    return item;
  }
  const SliceSpec slice = SliceFromProto(request.slice());
  RETURN_IF_ERROR(services.store->ReadBriefly(
      request.container(), name, [&](VersionedValue whole) -> absl::Status {
        if (is_known(whole.version)) {
          item = {std::move(whole), /*not_modified=*/true};
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(
            item, SliceOf(std::move(whole), slice, services.call_memory));
        return absl::OkStatus();
      }));
  return item;
}

absl::StatusOr<ReadStream::Item> GatherFromOne(
    const ServiceContext& services, const v1::GatherRequest& request) {
  ASSIGN_OR_RETURN(TensorRef indices, TensorFromProto(request.indices()));
  ReadStream::Item item;
  RETURN_IF_ERROR(services.store->ReadBriefly(
      request.container(), StripOutput(request.name()),
      [&](VersionedValue params) -> absl::Status {
        ASSIGN_OR_RETURN(item, GatheredFrom(std::move(params), request,
                                            *indices, services.call_memory));
        return absl::OkStatus();
      }));
  return item;
}

PreparedRead Prepare(const v1::ReadValuesRequest& request) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(request.names_size()));
  for (const std::string& name : request.names()) {
    names.emplace_back(StripOutput(name));
  }
  return {request.container(), std::move(names)};
}

absl::StatusOr<ReadStream> ReadMany(const ServiceContext& services,
                                    PreparedRead* read) {
  std::vector<ReadStream::Item> items;
  items.reserve(read->names().size());
  for (const std::string& name : read->names()) {
    items.push_back({{nullptr, 0, name}});
  }
  auto item = items.begin();
  ASSIGN_OR_RETURN(const Revision revision,
                   services.store->ReadCut(
                       read, [&](const StoredValue& value, Revision version) {
                         item->value.value = value.tensor;
                         item->value.overlay = value.overlay;
                         item->value.version = version;
                         ++item;
                       }));
  return ReadStream(revision, std::move(items));
}

}  // namespace varkeep
