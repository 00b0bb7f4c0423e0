// SPDX-License-Identifier: Apache-2.0
//
// The names follow Prometheus: base units, counters end in _total.
#include "server/metrics/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace varkeep {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(const MetricsSources& sources) : sources_(sources) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    AddStore(&families);
    AddLog(&families);
    AddCheckpoints(&families);
    return families;
  }

 private:
  static MetricFamily Family(const std::string& name, const std::string& help,
                             MetricType type) {
    MetricFamily family;
    family.name = "varkeep_" + name;
    family.help = help;
    family.type = type;
    return family;
  }

  template <typename Number>
  static void Add(const std::string& name, const std::string& help,
                  MetricType type, Number value,
                  std::vector<MetricFamily>* families) {
    MetricFamily family = Family(name, help, type);
    prometheus::ClientMetric metric;
    if (type == MetricType::Counter) {
      metric.counter.value = static_cast<double>(value);
    } else {
      metric.gauge.value = static_cast<double>(value);
    }
    family.metric.push_back(std::move(metric));
    families->push_back(std::move(family));
  }

  void AddStore(std::vector<MetricFamily>* families) const {
    const StoreUsage usage = sources_.store->usage();
    Add("variables", "Variables declared", MetricType::Gauge, usage.variables,
        families);
    Add("uninitialized_variables", "Variables without a value",
        MetricType::Gauge, usage.uninitialized, families);
    Add("value_bytes", "Bytes of all current values", MetricType::Gauge,
        usage.value_bytes, families);
    Add("replaced_value_bytes",
        "Bytes of replaced values and rows that reads or saves still hold",
        MetricType::Gauge, usage.replaced_value_bytes, families);
    Add("memory_limit_bytes",
        "Largest allowed sum of varkeep_value_bytes and "
        "varkeep_replaced_value_bytes",
        MetricType::Gauge, sources_.store->limits().memory_limit_bytes,
        families);
    Add("call_bytes",
        "Bytes that uploads and answers under way hold beside the values",
        MetricType::Gauge, sources_.call_memory->held_bytes(), families);
    Add("call_limit_bytes", "Largest allowed varkeep_call_bytes",
        MetricType::Gauge, sources_.call_memory->limit_bytes(), families);
    Add("revision", "Revision of the last change", MetricType::Gauge,
        usage.revision, families);
    Add("draining", "1 while changes are refused on request", MetricType::Gauge,
        sources_.committer->draining() ? 1 : 0, families);
  }

  void AddLog(std::vector<MetricFamily>* families) const {
    const storage::Log::State log = sources_.log->state();
    Add("log_broken",
        "1 while changes are refused because a write or sync of the log failed",
        MetricType::Gauge, log.broken.ok() ? 0 : 1, families);
    AddRefused(families);
    Add("log_unsynced_revisions", "Revisions not known to be on the disk",
        MetricType::Gauge, log.published - std::min(log.synced, log.published),
        families);
    Add("log_bytes", "Bytes of records in all segments of the log",
        MetricType::Gauge, log.bytes, families);
    Add("log_segments", "Segments of the log", MetricType::Gauge, log.segments,
        families);
    Add("log_appended_bytes_total", "Bytes of records appended since the start",
        MetricType::Counter, log.appended_bytes, families);
  }

  // An alarm needs it beside log_broken: what a full disk refuses depends on
  // the size of the change, so there is no state to show.
  void AddRefused(std::vector<MetricFamily>* families) const {
    const Committer::Refused refused = sources_.committer->refused();
    MetricFamily family =
        Family("changes_refused_total",
               "Changes that the log did not take since the start",
               MetricType::Counter);
    for (const auto& [reason, count] :
         {std::pair("disk_full", refused.disk_full),
          std::pair("log_broken", refused.log_broken)}) {
      prometheus::ClientMetric metric;
      metric.label.push_back({"reason", reason});
      metric.counter.value = static_cast<double>(count);
      family.metric.push_back(std::move(metric));
    }
    families->push_back(std::move(family));
  }

  void AddCheckpoints(std::vector<MetricFamily>* families) const {
    const Checkpointer::State state = sources_.checkpointer->state();
    Add("save_failed", "1 when the last save failed", MetricType::Gauge,
        state.last_error.empty() ? 0 : 1, families);
    if (state.last) {
      Add("last_checkpoint_timestamp_seconds",
          "When the newest checkpoint was made", MetricType::Gauge,
          absl::ToUnixSeconds(state.last->created), families);
      Add("last_checkpoint_revision", "Revision of the newest checkpoint",
          MetricType::Gauge, state.last->revision, families);
    }
    const Scrubber::State scrubbed = sources_.scrubber->state();
    const auto damaged = std::ranges::count_if(
        scrubbed.verdicts,
        [](const auto& verdict) { return verdict.second.damaged; });
    Add("damaged_checkpoints", "Checkpoints that the scrub found damaged",
        MetricType::Gauge, damaged, families);
    Add("scrubbed_bytes_total", "Bytes that the scrub read since the start",
        MetricType::Counter, scrubbed.bytes, families);
  }

  const MetricsSources sources_;
};

class PrometheusEndpoint final : public MetricsEndpoint {
 public:
  // Throws what the library does.
  PrometheusEndpoint(const std::string& address, const MetricsSources& sources)
      : collector_(std::make_shared<Collector>(sources)),
        exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(collector_);
  }

  int port() const override { return exposer_.GetListeningPorts().at(0); }

 private:
  const std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const std::string& address, const MetricsSources& sources) {
  try {
    return std::make_unique<PrometheusEndpoint>(address, sources);
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat(
        "cannot serve metrics on ", address, ": ", error.what(),
        "; the address is in use, not this machine's, or not host:port"));
  }
}

}  // namespace varkeep
