// SPDX-License-Identifier: Apache-2.0
#include "server/service/convert.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"
#include "server/service/convert_initializer.h"

namespace varkeep {
namespace {

absl::StatusOr<Reuse> ReuseFromProto(v1::Reuse reuse) {
  switch (reuse) {
    case v1::REUSE_UNSPECIFIED:
      return Reuse::kCreate;
    case v1::REUSE_TRUE:
      return Reuse::kReuse;
    case v1::REUSE_AUTO:
      return Reuse::kAuto;
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "The reuse parameter must be True or False or None. (it is ",
          static_cast<int>(reuse), ")"));
  }
}

v1::Reuse ReuseToProto(Reuse reuse) {
  switch (reuse) {
    case Reuse::kCreate:
      return v1::REUSE_UNSPECIFIED;
    case Reuse::kReuse:
      return v1::REUSE_TRUE;
    case Reuse::kAuto:
      return v1::REUSE_AUTO;
  }
  return v1::REUSE_UNSPECIFIED;
}

absl::StatusOr<std::optional<DType>> OptionalDType(v1::DType dtype) {
  if (dtype == v1::DTYPE_UNSPECIFIED) return std::nullopt;
  ASSIGN_OR_RETURN(DType known, DTypeFromProto(dtype));
  return known;
}

absl::StatusOr<Synchronization> SynchronizationFromProto(
    v1::Synchronization synchronization) {
  switch (synchronization) {
    case v1::SYNCHRONIZATION_AUTO:
      return Synchronization::kAuto;
    case v1::SYNCHRONIZATION_NONE:
      return Synchronization::kNone;
    case v1::SYNCHRONIZATION_ON_WRITE:
      return Synchronization::kOnWrite;
    case v1::SYNCHRONIZATION_ON_READ:
      return Synchronization::kOnRead;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("Invalid variable synchronization mode: ",
                       static_cast<int>(synchronization)));
  }
}

}  // namespace

absl::StatusOr<Scope> ScopeFromProto(const v1::Scope& proto) {
  Scope scope;
  scope.variable_scope = proto.variable_scope();
  scope.name_scope = proto.name_scope();
  ASSIGN_OR_RETURN(scope.reuse, ReuseFromProto(proto.reuse()));
  ASSIGN_OR_RETURN(scope.initializer,
                   InitializerFromProto(proto.initializer()));
  ASSIGN_OR_RETURN(std::optional<DType> dtype, OptionalDType(proto.dtype()));
  scope.dtype = dtype.value_or(DType::kFloat32);
  scope.regularizer = proto.regularizer();
  scope.caching_device = proto.caching_device();
  scope.constraint = proto.constraint();
  scope.original_name_scope = proto.original_name_scope();
  scope.stack = proto.stack();
  scope.opening = proto.opening();
  return scope;
}

v1::Scope ScopeToProto(const Scope& scope) {
  v1::Scope proto;
  proto.set_variable_scope(scope.variable_scope);
  proto.set_name_scope(scope.name_scope);
  proto.set_reuse(ReuseToProto(scope.reuse));
  if (!std::holds_alternative<std::monostate>(scope.initializer)) {
    InitializerToProto(scope.initializer, /*with_values=*/true,
                       proto.mutable_initializer());
  }
  proto.set_dtype(DTypeToProto(scope.dtype));
  proto.set_regularizer(scope.regularizer);
  proto.set_caching_device(scope.caching_device);
  proto.set_constraint(scope.constraint);
  proto.set_original_name_scope(scope.original_name_scope);
  proto.set_stack(scope.stack);
  proto.set_opening(scope.opening);
  return proto;
}

absl::StatusOr<VariableScopeArguments> VariableScopeFromProto(
    const v1::VariableScopeArguments& proto) {
  VariableScopeArguments arguments;
  switch (proto.name_or_scope_case()) {
    case v1::VariableScopeArguments::kName:
      arguments.name_or_scope = proto.name();
      break;
    case v1::VariableScopeArguments::kScope: {
      ASSIGN_OR_RETURN(Scope scope, ScopeFromProto(proto.scope()));
      arguments.name_or_scope = std::move(scope);
      break;
    }
    case v1::VariableScopeArguments::NAME_OR_SCOPE_NOT_SET:
      break;
  }
  if (proto.has_default_name()) arguments.default_name = proto.default_name();
  ASSIGN_OR_RETURN(arguments.reuse, ReuseFromProto(proto.reuse()));
  ASSIGN_OR_RETURN(arguments.initializer,
                   InitializerFromProto(proto.initializer()));
  ASSIGN_OR_RETURN(arguments.dtype, OptionalDType(proto.dtype()));
  if (proto.has_regularizer()) arguments.regularizer = proto.regularizer();
  if (proto.has_caching_device()) {
    arguments.caching_device = proto.caching_device();
  }
  if (proto.has_constraint()) arguments.constraint = proto.constraint();
  if (proto.has_auxiliary_name_scope()) {
    arguments.auxiliary_name_scope = proto.auxiliary_name_scope();
  }
  return arguments;
}

absl::StatusOr<VariableArguments> VariableFromProto(
    const v1::VariableArguments& proto) {
  VariableArguments arguments;
  arguments.name = proto.name();
  if (proto.has_shape()) {
    ASSIGN_OR_RETURN(arguments.shape, PartialShapeFromProto(proto.shape()));
  }
  ASSIGN_OR_RETURN(arguments.dtype, OptionalDType(proto.dtype()));
  ASSIGN_OR_RETURN(arguments.initializer,
                   InitializerFromProto(proto.initializer()));
  if (proto.has_trainable()) arguments.trainable = proto.trainable();
  if (proto.has_collections()) {
    arguments.collections.emplace(proto.collections().keys().begin(),
                                  proto.collections().keys().end());
  }
  arguments.local = proto.local();
  if (proto.has_regularizer()) arguments.regularizer = proto.regularizer();
  if (proto.has_caching_device()) {
    arguments.caching_device = proto.caching_device();
  }
  if (proto.has_constraint()) arguments.constraint = proto.constraint();
  ASSIGN_OR_RETURN(arguments.synchronization,
                   SynchronizationFromProto(proto.synchronization()));
  return arguments;
}

void VariableToProto(const VariableInfo& info, v1::VariableInfo* out) {
  const VariableSpec& spec = info.spec;
  out->set_name(spec.name + ":0");
  out->set_op_name(spec.name);
  out->set_container(info.container);
  out->set_dtype(DTypeToProto(spec.dtype));
  ShapeToProto(spec.shape, out->mutable_shape());
  out->set_trainable(spec.trainable);
  for (const std::string& key : spec.collections) out->add_collections(key);
  InitializerToProto(spec.initializer, /*with_values=*/false,
                     out->mutable_initializer());
  out->set_initializer_text(InitializerToString(spec.initializer));
  out->set_seed(spec.seeds.seed);
  out->set_seed2(spec.seeds.seed2);
  out->set_run(info.run);
  out->set_initialized(info.initialized);
  out->set_version(info.version);
  // A declared variable's size was checked.
  out->set_size_bytes(
      static_cast<uint64_t>(spec.shape.num_elements() * ItemSize(spec.dtype)));
  out->set_regularizer(spec.regularizer);
  out->set_caching_device(spec.caching_device);
  out->set_constraint(spec.constraint);
  out->set_creator(spec.creator);
  out->set_declared(info.declared);
}

std::optional<Durability> DurabilityFromProto(v1::Durability durability) {
  switch (durability) {
    case v1::DURABILITY_NONE:
      return Durability::kNone;
    case v1::DURABILITY_INTERVAL:
      return Durability::kInterval;
    case v1::DURABILITY_FSYNC:
      return Durability::kFsync;
    default:
      return std::nullopt;
  }
}

v1::Durability DurabilityToProto(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return v1::DURABILITY_NONE;
    case Durability::kInterval:
      return v1::DURABILITY_INTERVAL;
    case Durability::kFsync:
      break;
  }
  return v1::DURABILITY_FSYNC;
}

void CheckpointToProto(const storage::CheckpointInfo& info,
                       v1::Checkpoint* out) {
  out->set_id(info.id);
  out->set_revision(info.revision);
  out->set_file(info.file);
  out->set_size_bytes(static_cast<uint64_t>(info.size_bytes));
  out->set_crc32c(info.crc32c);
  *out->mutable_created() = TimeToProto(info.created);
  out->set_entries(info.entries);
  out->set_shared_bytes(static_cast<uint64_t>(info.shared_bytes));
}

google::protobuf::Timestamp TimeToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const absl::Duration since = time - absl::UnixEpoch();
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(since, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

google::protobuf::Duration DurationToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

}  // namespace varkeep
