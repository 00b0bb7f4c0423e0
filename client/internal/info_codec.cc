// SPDX-License-Identifier: Apache-2.0
#include "client/internal/info_codec.h"

#include "absl/strings/str_cat.h"
#include "client/internal/connection.h"
#include "proto/tensor_codec.h"

namespace varkeep::client {

absl::StatusOr<VariableInfo> InfoFromProto(const v1::VariableInfo& info) {
  absl::StatusOr<DType> dtype = DTypeFromProto(info.dtype());
  absl::StatusOr<Shape> shape = ShapeFromProto(info.shape());
  if (!dtype.ok() || !shape.ok()) {
    return absl::InternalError(absl::StrCat(
        "the server describes variable '", info.op_name(), "' wrongly: ",
        dtype.ok() ? shape.status().message() : dtype.status().message()));
  }
  return VariableInfo{
      .name = info.name(),
      .op_name = info.op_name(),
      .container = info.container(),
      .dtype = *dtype,
      .shape = *shape,
      .trainable = info.trainable(),
      .collections = {info.collections().begin(), info.collections().end()},
      .initializer = info.initializer_text(),
      .seed = info.seed(),
      .seed2 = info.seed2(),
      .run = info.run(),
      .initialized = info.initialized(),
      .version = info.version(),
      .declared = info.declared(),
      .size_bytes = info.size_bytes(),
      .regularizer = info.regularizer(),
      .caching_device = info.caching_device(),
      .constraint = info.constraint(),
      .creator = info.creator()};
}

std::string VariableInfo::ToString() const {
  return absl::StrCat("<tf.Variable '", name, "' shape=", shape.ToTupleString(),
                      " dtype=", DTypeName(dtype), "_ref>");
}

v1::Selection SelectionToProto(const Selection& selection) {
  v1::Selection message;
  if (const auto* key =
          std::get_if<Selection::InCollection>(&selection.which)) {
    message.set_collection(key->key);
  } else if (const auto* names =
                 std::get_if<Selection::Names>(&selection.which)) {
    message.mutable_names();
    for (const std::string& name : *names) {
      message.mutable_names()->add_names(OpName(name));
    }
  } else {
    message.set_all(true);
  }
  return message;
}

v1::Reuse ReuseToProto(Reuse reuse) {
  switch (reuse) {
    case Reuse::kInherit:
      return v1::REUSE_UNSPECIFIED;
    case Reuse::kTrue:
      return v1::REUSE_TRUE;
    case Reuse::kAuto:
      return v1::REUSE_AUTO;
  }
  return v1::REUSE_UNSPECIFIED;
}

v1::VariableArguments ArgumentsToProto(const VariableOptions& options) {
  v1::VariableArguments message;
  if (options.dtype) message.set_dtype(DTypeToProto(*options.dtype));
  if (options.partial_shape) {
    message.mutable_shape()->mutable_dims()->Assign(
        options.partial_shape->begin(), options.partial_shape->end());
  }
  if (options.initializer.message() != nullptr) {
    *message.mutable_initializer() = *options.initializer.message();
  }
  if (options.trainable) message.set_trainable(*options.trainable);
  if (options.collections) {
    message.mutable_collections();
    for (const std::string& key : *options.collections) {
      message.mutable_collections()->add_keys(key);
    }
  }
  message.set_local(options.local);
  if (options.regularizer) message.set_regularizer(*options.regularizer);
  if (options.caching_device) {
    message.set_caching_device(*options.caching_device);
  }
  if (options.constraint) message.set_constraint(*options.constraint);
  message.set_synchronization(
      static_cast<v1::Synchronization>(options.synchronization));
  return message;
}

}  // namespace varkeep::client
