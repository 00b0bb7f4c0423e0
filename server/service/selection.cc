// SPDX-License-Identifier: Apache-2.0
#include "server/service/selection.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "server/variables/names.h"

namespace varkeep {
namespace {

std::vector<std::string> AllOf(const VariableStore& store,
                               const std::string& container) {
  std::vector<std::string> names;
  ListQuery query;
  query.container = container;
  for (;;) {
    std::vector<VariableInfo> page = store.List(query);
    if (page.empty()) return names;
    for (const VariableInfo& info : page) names.push_back(info.spec.name);
    query.after = std::move(page.back());
  }
}

}  // namespace

absl::StatusOr<Selected> Select(const ServiceContext& services,
                                const std::string& session_id,
                                const std::string& container,
                                const v1::Selection& selection) {
  std::shared_ptr<Session> session;
  Selected selected;
  selected.container = container;
  if (!session_id.empty()) {
    ASSIGN_OR_RETURN(session, services.sessions->Find(session_id));
    selected.container = session->options().container;
  }
  switch (selection.which_case()) {
    case v1::Selection::kNames:
      for (const std::string& name : selection.names().names()) {
        selected.names.emplace_back(StripOutput(name));
      }
      return selected;
    case v1::Selection::kCollection:
      selected.names =
          session != nullptr
              ? session->Collection(selection.collection())
              : services.store->Collection(container, selection.collection());
      return selected;
    case v1::Selection::kAll:
      if (!selection.all()) break;
      selected.names = session != nullptr ? session->Declarations()
                                          : AllOf(*services.store, container);
      return selected;
    case v1::Selection::WHICH_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "the selection names no variables, no collection and not all");
}

absl::StatusOr<Selected> SelectGlobalAndLocal(const ServiceContext& services,
                                              const std::string& session_id,
                                              const std::string& container) {
  v1::Selection selection;
  selection.set_collection(kGlobalVariables);
  ASSIGN_OR_RETURN(Selected selected,
                   Select(services, session_id, container, selection));
  selection.set_collection(kLocalVariables);
  ASSIGN_OR_RETURN(Selected local,
                   Select(services, session_id, container, selection));
  selected.names.insert(selected.names.end(), local.names.begin(),
                        local.names.end());
  return selected;
}

}  // namespace varkeep
