// SPDX-License-Identifier: Apache-2.0
#include "server/service/read_stream.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "proto/tensor_header.h"
#include "server/service/wire.h"
#include "varkeep/v1/variable_service.pb.h"

namespace varkeep {
namespace {

// With headers of at most ~1 KiB a message keeps room for data.
constexpr size_t kHeadersPerMessage = 1024;
// With a name of some 40 bytes.
constexpr size_t kUsualHeader = 64;
using Response = v1::ReadValuesResponse;
constexpr uint32_t kRevisionTag = VarintTag(Response::kRevisionFieldNumber);
constexpr uint32_t kHeadersTag = DelimitedTag(Response::kHeadersFieldNumber);
constexpr uint32_t kDataTag = DelimitedTag(Response::kDataFieldNumber);

}  // namespace

ReadStream::ReadStream(Revision revision, std::vector<Item> items)
    : revision_(revision), items_(std::move(items)) {}

ReadStream::ReadStream(Item item) : revision_(item.value.version) {
  items_.push_back(std::move(item));
}

bool ReadStream::Next(grpc::ByteBuffer* message) {
  if (AtEnd()) return false;
  std::vector<grpc::Slice> slices;
  if (first_ || current_ == announced_) Announce(&slices);
  size_t used = 0;
  for (const grpc::Slice& slice : slices) used += slice.size();
  if (used < kMaxMessageBytes) AddData(kMaxMessageBytes - used, &slices);
  *message = grpc::ByteBuffer(slices.data(), slices.size());
  return true;
}

void ReadStream::Announce(std::vector<grpc::Slice>* slices) {
  std::string encoded;
  if (first_ && revision_ != 0) AppendField(kRevisionTag, revision_, &encoded);
  first_ = false;
  std::string header;
  const size_t end = std::min(items_.size(), announced_ + kHeadersPerMessage);
  encoded.reserve(kUsualHeader * (end - announced_));
  for (; announced_ < end; ++announced_) {
    const Item& item = items_[announced_];
    const Tensor& value = *item.value.value;
    header.clear();
    AppendTensorHeader(
        {.name = item.value.name,
         .dtype = value.dtype(),
         .shape = value.shape(),
         .version = item.value.version,
         .size_bytes =
             item.not_modified ? 0 : static_cast<uint64_t>(value.size_bytes()),
         .not_modified = item.not_modified},
        &header);
    AppendField(kHeadersTag, header.size(), &encoded);
    encoded.append(header);
  }
  slices->push_back(Own(std::move(encoded)));
}

void ReadStream::AddData(size_t room, std::vector<grpc::Slice>* slices) {
  std::vector<grpc::Slice> data;
  std::string copied;  // small pieces in a row
  size_t total = 0;
  auto flush = [&] {
    if (!copied.empty()) data.push_back(Own(std::exchange(copied, {})));
  };
  while (current_ < announced_ && total < room) {
    const Item& item = items_[current_];
    const size_t size =
        item.not_modified ? 0
                          : static_cast<size_t>(item.value.value->size_bytes());
    const size_t piece = std::min(size - offset_, room - total);
    const std::span<const std::byte> run = item.value.view().Run(
        static_cast<int64_t>(offset_), static_cast<int64_t>(piece));
    if (run.size() < kCopyBytes) {
      copied.append(reinterpret_cast<const char*>(run.data()), run.size());
    } else {
      flush();
      data.push_back(Borrow(item.value, run));
    }
    total += run.size();
    offset_ += run.size();
    if (offset_ < size) continue;
    ++current_;
    offset_ = 0;
  }
  flush();
  if (total == 0) return;
  std::string start;
  AppendField(kDataTag, total, &start);
  slices->emplace_back(start);
  slices->insert(slices->end(), data.begin(), data.end());
}

}  // namespace varkeep
