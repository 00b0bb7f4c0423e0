// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_BENCHMARKS_REDIS_PEER_H_
#define VARKEEP_TESTS_BENCHMARKS_REDIS_PEER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/benchmarks/server_process.h"

struct redisContext;

namespace varkeep::benchmarks {

// A connection to a Redis server with its own C client, which receives into
// memory of its own. One thread at a time. A program stops when a call fails.
class RedisClient {
 public:
  explicit RedisClient(int port);

  void Set(const std::string& key, std::span<const std::byte> value);
  void Get(const std::string& key, size_t bytes);
  void GetAll(const std::vector<std::string>& keys);

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Close> context_;
};

// The yardstick: a Redis server over loopback that keeps nothing on disk.
class RedisPeer {
 public:
  // Null, and says so, where redis-server is not installed. REQUIRES: before
  // any thread.
  static std::unique_ptr<RedisPeer> StartIfInstalled();

  RedisClient Connect() const { return RedisClient(port_); }

 private:
  RedisPeer();

  const int port_;
  ChildProcess process_;
};

}  // namespace varkeep::benchmarks

#endif  // VARKEEP_TESTS_BENCHMARKS_REDIS_PEER_H_
