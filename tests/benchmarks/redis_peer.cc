// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/redis_peer.h"

#include <hiredis/hiredis.h>
#include <poll.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace varkeep::benchmarks {
namespace {

using Reply = std::unique_ptr<redisReply, void (*)(void*)>;

Reply Command(redisContext* context,
              const std::vector<std::span<const std::byte>>& words) {
  std::vector<const char*> starts;
  std::vector<size_t> sizes;
  for (const std::span<const std::byte> word : words) {
    starts.push_back(reinterpret_cast<const char*>(word.data()));
    sizes.push_back(word.size());
  }
  void* reply = redisCommandArgv(context, static_cast<int>(words.size()),
                                 starts.data(), sizes.data());
  if (reply == nullptr) {
    std::cerr << "redis: " << context->errstr << "\n";
    std::exit(1);
  }
  return {static_cast<redisReply*>(reply), freeReplyObject};
}

std::span<const std::byte> Word(const std::string& word) {
  return std::as_bytes(std::span(word));
}

void Check(bool ok, const char* what) {
  if (ok) return;
  std::cerr << "redis: " << what << "\n";
  std::exit(1);
}

}  // namespace

void RedisClient::Close::operator()(redisContext* context) const {
  redisFree(context);
}

RedisClient::RedisClient(int port) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    context_.reset(redisConnect("127.0.0.1", port));
    if (context_ != nullptr && context_->err == 0) return;
    poll(nullptr, 0, /*timeout=*/10);
  }
  Check(false, "the server does not listen");
}

void RedisClient::Set(const std::string& key,
                      std::span<const std::byte> value) {
  const Reply reply = Command(context_.get(), {Word("SET"), Word(key), value});
  Check(reply->type == REDIS_REPLY_STATUS, "SET failed");
}

void RedisClient::Get(const std::string& key, size_t bytes) {
  const Reply reply = Command(context_.get(), {Word("GET"), Word(key)});
  Check(reply->type == REDIS_REPLY_STRING && reply->len == bytes, "GET failed");
}

void RedisClient::GetAll(const std::vector<std::string>& keys) {
  std::vector<std::span<const std::byte>> words = {Word("MGET")};
  for (const std::string& key : keys) words.push_back(Word(key));
  const Reply reply = Command(context_.get(), words);
  Check(reply->type == REDIS_REPLY_ARRAY && reply->elements == keys.size(),
        "MGET failed");
}

std::unique_ptr<RedisPeer> RedisPeer::StartIfInstalled() {
  if (std::system("command -v redis-server >/dev/null") == 0) {
    return std::unique_ptr<RedisPeer>(new RedisPeer);
  }
  std::cout << "redis-server is not installed: without the rows of Redis\n";
  return nullptr;
}

RedisPeer::RedisPeer()
    : port_(FreePort()),
      process_({"redis-server", "--bind", "127.0.0.1", "--port",
                absl::StrCat(port_), "--save", "", "--appendonly", "no",
                "--logfile", "/dev/null"}) {}

}  // namespace varkeep::benchmarks
