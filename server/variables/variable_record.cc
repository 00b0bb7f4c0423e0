// SPDX-License-Identifier: Apache-2.0
#include "server/variables/variable_record.h"

#include <utility>

namespace varkeep {
namespace {

TraitsRef TraitsOf(VariableInfo* info) {
  VariableSpec& spec = info->spec;
  return std::make_shared<VariableTraits>(VariableTraits{
      .container = std::move(info->container),
      .trainable = spec.trainable,
      .collections = std::move(spec.collections),
      .initializer = std::move(spec.initializer),
      .regularizer = std::move(spec.regularizer),
      .caching_device = std::move(spec.caching_device),
      .constraint = std::move(spec.constraint),
      .creator = std::move(spec.creator),
  });
}

}  // namespace

VariableRecord::VariableRecord(VariableInfo info)
    : name(info.spec.name),  // a copy: it has no room to spare
      traits(TraitsOf(&info)),
      shape(info.spec.shape),
      seeds(info.spec.seeds),
      declared(info.declared),
      run(info.run),
      dtype(info.spec.dtype) {}

VariableInfo VariableRecord::Info() const {
  return {
      .container = traits->container,
      .spec = {.name = name,
               .dtype = dtype,
               .shape = shape,
               .trainable = traits->trainable,
               .collections = traits->collections,
               .initializer = traits->initializer,
               .seeds = seeds,
               .regularizer = traits->regularizer,
               .caching_device = traits->caching_device,
               .constraint = traits->constraint,
               .creator = traits->creator},
      .initialized = value.tensor != nullptr,
      .version = version,
      .declared = declared,
      .run = run,
  };
}

}  // namespace varkeep
