// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/slow_save.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace varkeep {
namespace {

constexpr int kVariables = 32;
constexpr int64_t kElements = int64_t{512} << 10;  // of four bytes

}  // namespace

SlowSave::SlowSave(const std::string& address, uint64_t id)
    : client_(address, id) {
  for (int i = 0; i < kVariables; ++i) {
    names_.push_back(absl::StrCat("slow/", i));
  }
}

absl::Status SlowSave::SetUp() {
  for (const std::string& name : names_) {
    v1::GetVariableRequest request;
    request.mutable_scope()->set_reuse(v1::REUSE_AUTO);
    v1::VariableArguments* variable = request.mutable_variable();
    variable->set_name(name);
    variable->set_dtype(v1::DTYPE_FLOAT32);
    *variable->mutable_shape() = VectorShape(kElements);
    variable->mutable_initializer()->mutable_random_uniform();
    *request.mutable_request_id() = client_.NextRequestId();
    RETURN_IF_ERROR(client_.GetVariable(request));
  }
  return absl::OkStatus();
}

absl::Status SlowSave::Run(const std::function<void(double)>& progress) {
  v1::InitializeRequest request;
  for (const std::string& name : names_) {
    request.mutable_selection()->mutable_names()->add_names(name);
  }
  request.set_force(true);
  *request.mutable_request_id() = client_.NextRequestId();
  RETURN_IF_ERROR(client_.Initialize(request));
  return client_.Save(progress);
}

}  // namespace varkeep
