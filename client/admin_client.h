// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_CLIENT_ADMIN_CLIENT_H_
#define VARKEEP_CLIENT_ADMIN_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/durability.h"
#include "client/variable_info.h"

namespace varkeep::client {

class Client;
class Connection;

struct CheckpointInfo {
  int64_t id = 0;
  uint64_t revision = 0;  // everything up to this revision is in it
  std::string file = {};  // name in the data directory
  uint64_t size_bytes = 0;
  uint32_t crc32c = 0;  // of the whole file
  absl::Time created;
  int64_t entries = 0;  // datasets: variables, and constants of initializers
  uint64_t shared_bytes = 0;  // of values that are in files of earlier ones
  // Of ListCheckpoints: when the server last read all of it, and what was wrong
  // then; "": nothing.
  std::optional<absl::Time> verified = {};
  std::string damage = {};
};

// What was found when a checkpoint was read and all checksums compared.
struct VerifyReport {
  struct Damage {
    std::string file = {};   // name in the data directory
    std::string entry = {};  // path of the value; "": it is not one
    int64_t offset = 0;      // in the file
    std::string message = {};
  };
  uint64_t bytes = 0;  // read
  int64_t values = 0;
  std::vector<Damage> damage;  // none: everything is as it was written
};

struct RestoreOptions {
  int64_t id = 0;  // 0: the newest
  // Op names in the checkpoint; none: all of them.
  std::vector<std::string> names = {};
  std::string container = {};  // of `names` and `name_map`
  // Name in the checkpoint to the variable that gets the value.
  std::map<std::string, std::string> name_map;
  bool dry_run = false;
};

struct RestoreReport {
  struct Item {
    std::string checkpoint_name = {};
    std::string name = {};
    std::string container = {};
    bool declared = false;  // the server did not have it
    bool has_value = false;
    uint64_t size_bytes = 0;
  };
  CheckpointInfo checkpoint;
  uint64_t revision = 0;  // of the commit; 0 for a dry run
  // The call was repeated after its answer was lost: it had been done, and
  // checkpoint and variables are not told.
  bool duplicate = false;
  std::vector<Item> variables;
};

struct ServerStatus {
  std::string version = {};
  absl::Time started;
  std::string data_directory = {};
  uint64_t revision = 0;
  int64_t variables = 0;
  int64_t uninitialized = 0;
  uint64_t value_bytes = 0;
  uint64_t replaced_value_bytes = 0;  // that reads or saves still hold
  uint64_t call_bytes = 0;            // of uploads and answers under way
  uint64_t call_limit_bytes = 0;      // the most it may be
  uint64_t memory_limit_bytes = 0;    // 0: none
  uint64_t max_variable_bytes = 0;
  int64_t sessions = 0;
  bool draining = false;
  bool saving = false;
  std::optional<CheckpointInfo> last_checkpoint = {};
  uint64_t last_checkpoint_revision = 0;  // later changes are not saved yet
  std::string last_save_error = {};       // "": the last save succeeded
  absl::Duration checkpoint_interval;
  uint64_t idle_pool_bytes = 0;
  std::string log_level = {};
  Durability durability = Durability::kNone;  // unless a request says otherwise
  uint64_t synced_revision = 0;  // changes up to it are on the disk
  int64_t log_segments = 0;
  uint64_t log_bytes = 0;
  std::string log_error = {};  // "": the log works
};

struct SessionInfo {
  std::string id = {};
  std::string container = {};
  std::string creator = {};
  absl::Time opened;
  absl::Time last_used;
  absl::Time expires;
  int64_t variables = 0;  // that it declared
};

// What an operator asks of a server. Thread-safe.
class AdminClient {
 public:
  explicit AdminClient(const Client& client);

  // In order of op name. `scope`: the variable of that name and those under it;
  // "": all. nullopt container: all containers.
  absl::StatusOr<std::vector<VariableInfo>> ListVariables(
      const std::optional<std::string>& container,
      const std::string& scope = "");
  // Members in order of declaration; an unknown key has none.
  absl::StatusOr<std::vector<VariableInfo>> Collection(
      const std::string& container, const std::string& key);
  // NOT_FOUND.
  absl::Status DeleteVariable(const std::string& container,
                              const std::string& name);
  struct Dropped {
    int64_t variables = 0;
    int64_t sessions = 0;
  };
  absl::StatusOr<Dropped> ResetContainer(const std::string& container);

  // `progress` gets bytes written and in all; may be null. RESOURCE_EXHAUSTED
  // when the disk is full.
  absl::StatusOr<CheckpointInfo> Save(
      const std::function<void(int64_t, int64_t)>& progress = nullptr);
  absl::StatusOr<RestoreReport> Restore(const RestoreOptions& options);
  // Oldest first.
  absl::StatusOr<std::vector<CheckpointInfo>> ListCheckpoints();
  // What is in one; 0 is the newest.
  absl::StatusOr<std::vector<VariableInfo>> DescribeCheckpoint(int64_t id);
  // Reads a checkpoint, 0 the newest, with every file it needs. `progress` as
  // Save. Damage is no error.
  absl::StatusOr<VerifyReport> VerifyCheckpoint(
      int64_t id,
      const std::function<void(int64_t, int64_t)>& progress = nullptr);
  // FAILED_PRECONDITION for the newest.
  absl::Status DeleteCheckpoint(int64_t id);

  absl::StatusOr<ServerStatus> Status();
  // grpc.health.v1: "SERVING", "NOT_SERVING", ...
  absl::StatusOr<std::string> Health();
  absl::StatusOr<std::vector<SessionInfo>> ListSessions();
  absl::Status CloseSession(const std::string& id);
  // Returns the level before.
  absl::StatusOr<std::string> SetLogLevel(const std::string& level);
  absl::Status Drain();
  absl::Status Resume();

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace varkeep::client

#endif  // VARKEEP_CLIENT_ADMIN_CLIENT_H_
