// SPDX-License-Identifier: Apache-2.0
// What a keeper is told of its job, and what it leaves of it: documents in the job's directory,
// written by the server and by the keeper, each whole or not at all. The room also knows that
// directory and the job's log. Plain values; parsing throws base::Error(invalid_argument).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "job/sandbox/rules.hpp"

namespace andon::job {

struct JobOrder {
  std::string id;  // the same at each repetition of the call
  std::int64_t execution = 0;
  std::int64_t task = 0;  // of the execution
  std::string execution_arn;
  std::string state;
  // Where what it writes goes; empty: where the jobs' output goes.
  std::string log_group;
  std::string log_stream;
  Command command;
  SandboxRules rules;  // but for its directories, which are those of the job
  std::chrono::seconds timeout{86'400};
  std::chrono::seconds grace{5};                  // between being asked to end and being ended
  std::optional<std::chrono::seconds> heartbeat;  // without output and without a beat
  std::uint64_t log_bytes = 10U << 20U;           // kept of it
  // Of a sandbox that serves (keeper/served.hpp): where on this machine what connects to the second
  // of rules.served is passed on to; an IP address.
  std::string relay_address = "127.0.0.1";
  std::uint16_t relay_port = 0;
};
[[nodiscard]] std::string to_text(const JobOrder& order);
[[nodiscard]] JobOrder parse_order(std::string_view text);

enum class JobEnd : std::uint8_t {
  exited,
  signalled,
  timed_out,
  silent,           // no heartbeat
  memory_exceeded,  // more than its limit
  disk_exceeded,
  stopped,      // somebody asked for it
  not_started,  // its program cannot be run
  refused       // this machine cannot hold it to its rules
};
struct JobResult {
  JobEnd end = JobEnd::exited;
  int code = 0;         // of exited, and the signal of signalled
  std::string message;  // for people
  base::Timestamp started;
  base::Timestamp stopped;
};
[[nodiscard]] std::string to_text(const JobResult& result);
[[nodiscard]] JobResult parse_result(std::string_view text);

}  // namespace andon::job
