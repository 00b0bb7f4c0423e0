// SPDX-License-Identifier: Apache-2.0
#include "proto/grpc_status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace varkeep {
namespace {

constexpr size_t kMaxMessageBytes = 1024;

std::string Cut(absl::string_view message) {
  if (message.size() <= kMaxMessageBytes) return std::string(message);
  constexpr absl::string_view kEnd = "...";
  size_t size = kMaxMessageBytes - kEnd.size();
  // Not inside a character of UTF-8.
  while (size > 0 && (message[size] & 0xC0) == 0x80) --size;
  return absl::StrCat(message.substr(0, size), kEnd);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), Cut(status.message())};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  int code = static_cast<int>(status.error_code());
  bool known = code > 0 && code <= static_cast<int>(grpc::UNAUTHENTICATED);
  return {
      known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
      Cut(status.error_message())};
}

}  // namespace varkeep
