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

}  // namespace

absl::StatusOr<ReadStream::Item> ReadOne(const ServiceContext& services,
                                         const v1::ReadValueRequest& request) {
  ReadStream::Item item;
  ASSIGN_OR_RETURN(
      item.value,
      services.store->Read(request.container(), StripOutput(request.name())));
  item.not_modified = request.has_if_newer_than() &&
                      item.value.version <= request.if_newer_than();
  if (!request.has_slice() || item.not_modified) return item;
  const SliceSpec slice = SliceFromProto(request.slice());
  const Tensor& whole = *item.value.value;
  ASSIGN_OR_RETURN(Shape shape, SliceShape(whole.shape(), slice));
  ASSIGN_OR_RETURN(const int64_t bytes, SizeBytes(whole.dtype(), shape));
  const std::optional<int64_t> start = ContiguousStart(whole.shape(), slice);
  if (start && bytes >= kShareBytes) {
    item.value.value = Tensor::Part(item.value.value, *start, shape);
    return item;
  }
  ASSIGN_OR_RETURN(item.value.value,
                   Counted(services.call_memory, whole.dtype(), shape,
                           [&] { return CopySlice(whole, slice); }));
  return item;
}

absl::StatusOr<ReadStream::Item> GatherFromOne(
    const ServiceContext& services, const v1::GatherRequest& request) {
  ASSIGN_OR_RETURN(TensorRef indices, TensorFromProto(request.indices()));
  ReadStream::Item item;
  ASSIGN_OR_RETURN(
      item.value,
      services.store->Read(request.container(), StripOutput(request.name())));
  const Tensor& params = *item.value.value;
  ASSIGN_OR_RETURN(Shape shape,
                   request.nd()
                       ? GatherNdShape(params.shape(), *indices)
                       : GatherShape(params.shape(), *indices, request.axis()));
  ASSIGN_OR_RETURN(item.value.value,
                   Counted(services.call_memory, params.dtype(), shape, [&] {
                     return request.nd()
                                ? GatherNd(params, *indices)
                                : Gather(params, *indices, request.axis());
                   }));
  return item;
}

absl::StatusOr<ReadStream> ReadMany(const ServiceContext& services,
                                    const v1::ReadValuesRequest& request) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(request.names_size()));
  for (const std::string& name : request.names()) {
    names.emplace_back(StripOutput(name));
  }
  ASSIGN_OR_RETURN(
      Cut cut, services.store->ReadCut(request.container(), std::move(names)));
  std::vector<ReadStream::Item> items;
  items.reserve(cut.values.size());
  for (VersionedValue& value : cut.values) {
    items.push_back({std::move(value), /*not_modified=*/false});
  }
  return ReadStream(cut.revision, std::move(items));
}

}  // namespace varkeep
