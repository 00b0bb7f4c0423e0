// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_format.h"
#include "client/cli/format.h"

namespace varkeep::cli {
namespace {

Json Dims(const Shape& shape) {
  Json dims = Json::array();
  for (int64_t dim : shape.dims()) dims.push_back(dim);
  return dims;
}

Json Time(absl::Time time) {
  if (time == absl::UnixEpoch()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace

Json ToJson(const client::VariableInfo& info) {
  return {{"name", info.name},
          {"op_name", info.op_name},
          {"container", info.container},
          {"dtype", std::string(DTypeName(info.dtype))},
          {"shape", Dims(info.shape)},
          {"trainable", info.trainable},
          {"collections", info.collections},
          {"initializer", info.initializer},
          {"seed", info.seed},
          {"seed2", info.seed2},
          {"run", info.run},
          {"initialized", info.initialized},
          {"version", info.version},
          {"declared", info.declared},
          {"size_bytes", info.size_bytes},
          {"regularizer", info.regularizer},
          {"caching_device", info.caching_device},
          {"constraint", info.constraint},
          {"creator", info.creator}};
}

Json ToJson(const client::CheckpointInfo& checkpoint) {
  return {{"id", checkpoint.id},
          {"revision", checkpoint.revision},
          {"file", checkpoint.file},
          {"size_bytes", checkpoint.size_bytes},
          {"crc32c", absl::StrFormat("%08x", checkpoint.crc32c)},
          {"created", Time(checkpoint.created)},
          {"entries", checkpoint.entries},
          {"shared_bytes", checkpoint.shared_bytes},
          {"verified",
           checkpoint.verified ? Json(Time(*checkpoint.verified)) : Json()},
          {"damage", checkpoint.damage}};
}

Json ToJson(const client::SessionInfo& session) {
  return {{"id", session.id},
          {"container", session.container},
          {"creator", session.creator},
          {"opened", Time(session.opened)},
          {"last_used", Time(session.last_used)},
          {"expires", Time(session.expires)},
          {"variables", session.variables}};
}

Json ToJson(const client::ServerStatus& status) {
  return {{"version", status.version},
          {"started", Time(status.started)},
          {"data_directory", status.data_directory},
          {"revision", status.revision},
          {"variables", status.variables},
          {"uninitialized", status.uninitialized},
          {"value_bytes", status.value_bytes},
          {"replaced_value_bytes", status.replaced_value_bytes},
          {"call_bytes", status.call_bytes},
          {"call_limit_bytes", status.call_limit_bytes},
          {"memory_limit_bytes", status.memory_limit_bytes},
          {"max_variable_bytes", status.max_variable_bytes},
          {"sessions", status.sessions},
          {"draining", status.draining},
          {"saving", status.saving},
          {"last_checkpoint",
           status.last_checkpoint ? ToJson(*status.last_checkpoint) : Json()},
          {"durability", DurabilityName(status.durability)},
          {"synced_revision", status.synced_revision},
          {"log_segments", status.log_segments},
          {"log_bytes", status.log_bytes},
          {"log_error", status.log_error},
          {"last_checkpoint_revision", status.last_checkpoint_revision},
          {"last_save_error", status.last_save_error},
          {"checkpoint_interval_seconds",
           absl::ToDoubleSeconds(status.checkpoint_interval)},
          {"idle_pool_bytes", status.idle_pool_bytes},
          {"log_level", status.log_level}};
}

Json ToJson(const client::RestoreReport& report) {
  Json variables = Json::array();
  for (const client::RestoreReport::Item& item : report.variables) {
    variables.push_back({{"checkpoint_name", item.checkpoint_name},
                         {"name", item.name},
                         {"container", item.container},
                         {"declared", item.declared},
                         {"has_value", item.has_value},
                         {"size_bytes", item.size_bytes}});
  }
  return {{"checkpoint", ToJson(report.checkpoint)},
          {"revision", report.revision},
          {"duplicate", report.duplicate},
          {"variables", variables}};
}

}  // namespace varkeep::cli
