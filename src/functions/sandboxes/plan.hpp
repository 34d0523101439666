// SPDX-License-Identifier: Apache-2.0
// Room: sandboxes. The processes in which functions run: each with its keeper (andon-job --serve),
// its own directory, user, network and limits, kept warm between calls and used by one call at a
// time. What a call is, and how it may end, is said here. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::functions {

namespace fs = base::fs;

// What a sandbox is made from.
struct SandboxPlan {
  std::string key;  // those of one key do the same
  std::string function;
  std::string version;  // "$LATEST", "3"
  std::string role;     // an ARN
  std::string runtime;
  std::string handler;
  std::string log_group;
  std::int64_t memory_mib = 128;
  std::int64_t ephemeral_mib = 512;
  std::chrono::seconds timeout{3};
  std::map<std::string, std::string> environment;  // its owner's
  fs::path package;                                // seen as /var/task
  fs::path requirements;                           // seen as /var/requirements; empty: none
  fs::path layers;                                 // seen as /opt; empty: none
  std::optional<std::int64_t> reserved;            // calls at once
};

struct CallEnd {
  enum class Kind : std::uint8_t {
    answered,
    failed,     // the payload says how, as AWS has it
    throttled,  // no room: `text` is AWS's word for the limit
    refused     // the server could not run it: `text` says why
  };
  Kind kind = Kind::answered;
  std::string payload;
  std::string text;
  std::string log_tail;  // at most kMostTail bytes
};

inline constexpr std::size_t kMostTail = 4096;
inline constexpr std::size_t kMostPayload = 6'291'556;  // of an answer

struct Call {
  std::string id;   // a UUID
  std::string arn;  // as the function was asked for
  std::string payload;
  std::string client_context;  // JSON; empty: none
  // Once, on the sandboxes' thread: it must not wait.
  std::function<void(CallEnd)> done;
};

// Keys of the function's role, for its AWS SDK.
struct RoleCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  base::Timestamp expires;
};

}  // namespace andon::functions
