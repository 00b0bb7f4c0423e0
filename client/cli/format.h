// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_CLI_FORMAT_H_
#define VARKEEP_CLIENT_CLI_FORMAT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/admin_client.h"
#include "client/variable_info.h"
#include "tensor/tensor.h"

namespace varkeep::cli {

using Json = nlohmann::ordered_json;

// Columns for people, aligned by their widest cell; all text, no escapes.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  // REQUIRES: as many cells as the header has.
  void Add(std::vector<std::string> row);
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string FormatBytes(uint64_t bytes);  // "627.2 kB", "1.5 GB"
std::string TimeText(absl::Time time);    // "2026-03-01 12:00:00 UTC"; "-"

// The elements as nested brackets, as NumPy prints them; long dimensions show
// `edge` elements at each end. edge 0: all of them.
std::string FormatTensor(const Tensor& tensor, int64_t edge);

// Elements as nested lists: numbers, booleans, [real, imaginary]; NaN and
// infinities are the strings "NaN", "Infinity", "-Infinity".
Json TensorToJson(const Tensor& tensor);

// Field names are stable; new ones may appear.
Json ToJson(const client::VariableInfo& info);
Json ToJson(const client::CheckpointInfo& checkpoint);
Json ToJson(const client::SessionInfo& session);
Json ToJson(const client::ServerStatus& status);
Json ToJson(const client::RestoreReport& report);

// Data goes to stdout; one JSON value to a run.
void Print(const std::string& text);
void PrintJson(const Json& json);

}  // namespace varkeep::cli

#endif  // VARKEEP_CLIENT_CLI_FORMAT_H_
