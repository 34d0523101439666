// SPDX-License-Identifier: Apache-2.0
// A command to a device as the server keeps it, and what is read of its answers: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "fleet/command/command_answer.hpp"

namespace andon::control {

namespace json = base::json;

enum class CommandStatus : std::uint8_t {
  waiting,    // the device has not said yet that it has it
  running,    // the device is at it
  succeeded,  // the device has done it
  failed,     // the device could not, or was lost in the middle
  canceled,   // somebody wanted no more of it, or nobody read its answers
  timed_out,  // its deadline passed
};
[[nodiscard]] std::string_view to_string(CommandStatus status);  // "TIMED_OUT"
// Throws data_corrupted for another word.
[[nodiscard]] CommandStatus command_status(std::string_view word);
[[nodiscard]] bool is_over(CommandStatus status);

struct CommandOutcome {
  CommandStatus status = CommandStatus::waiting;
  std::string error_code;  // a word of base::ErrorCode; empty where it succeeded
  std::string error;
  json::object result;
};

// Who asks, as the audit log has it.
struct CommandAsker {
  std::string principal;
  std::string name;  // as people know it
  std::string principal_arn;
};

struct CommandRecord {
  std::string id;
  std::string thing;
  std::string kind;  // "logs"
  std::string component;
  std::string what;  // for people: "logs of com.example.App"
  CommandAsker asker;
  base::Timestamp started;
  std::int64_t deadline_ms = 0;
  CommandOutcome outcome;
  std::optional<base::Timestamp> ended;
};

// What has come of a command's answers.
struct CommandPage {
  CommandOutcome outcome;
  std::vector<fleet::CommandAnswer> answers;
  std::uint64_t after = 0;       // where to read on
  bool has_come_to_end = false;  // it is over, and all that it answered has been read with this
};

}  // namespace andon::control
