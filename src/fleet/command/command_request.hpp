// SPDX-License-Identifier: Apache-2.0
// Room: command. What the server asks of a device while somebody waits, and what the device answers
// (command_answer.hpp). The request of a command, on DeviceTopics::command("ask"), and the server's
// words while it is carried out: how much the device may send ("grant"), and that it is to stop
// ("cancel"). Values; pure; any thread.
//
// A request may come more than once; it is one by its id. Deadlines are spans, as device and server
// need not agree on what time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::fleet {

namespace json = base::json;

enum class CommandKind : std::uint8_t {
  restart,         // a component
  stop,            // a component, until it is restarted or deployed
  logs,            // what a component wrote, and goes on to write
  components,      // what runs, a row each
  doctor,          // what is wrong with the device, a row a check
  support_bundle,  // a tar archive
  frame,           // the newest picture of a component
  fit,             // whether a component would fit the device, a row a check
  shell,           // a command line; only where the device's own configuration allows it
  copy_from,       // a file of the device; as shell
  copy_to,         // a file to the device; as shell
};
[[nodiscard]] std::string_view to_string(CommandKind kind);  // "support-bundle"
// Throws invalid_argument that names all kinds.
[[nodiscard]] CommandKind command_kind(std::string_view word);
// Does it do whatever its asker wants, and so need a right of its own?
[[nodiscard]] bool is_free_hand(CommandKind kind);

inline constexpr std::size_t kMostCommandLine = 4096;
inline constexpr std::size_t kMostCommandPath = 1024;
inline constexpr std::size_t kMostCommandRecipe = 128U << 10U;
inline constexpr std::size_t kMostCopiedTo = 512U << 10U;  // bytes of a file to the device
inline constexpr std::int64_t kMostCommandLines = 100'000;
inline constexpr std::chrono::seconds kLongestCommand{8 * 3600};
// Of all that one command answers.
inline constexpr std::uint64_t kMostCommandBytes = 32U << 20U;

struct CommandRequest {
  std::string id;
  CommandKind kind = CommandKind::components;
  std::string component;     // of restart, stop, logs, frame; of the last two it may be empty
  std::int64_t lines = 100;  // of logs: from the end
  bool follow = false;       // of logs; of frame: each that is new, until it is cancelled
  std::string recipe;        // of fit: JSON or YAML
  std::string command_line;  // of shell
  std::string path;          // of copies, on the device; absolute
  std::string content;       // of copy_to
  std::chrono::milliseconds deadline{30'000};
  std::string asked_by;  // as people know who asks; for the device's log

  bool operator==(const CommandRequest&) const = default;
};
// All but the id: which members the kind needs and takes, within their limits. Throws
// invalid_argument naming the member.
void check_command(const CommandRequest& request);
// A few words for people: "logs of com.example.App", "shell: uname -a".
[[nodiscard]] std::string describe(const CommandRequest& request);

[[nodiscard]] std::string to_message(const CommandRequest& request);
// Throws invalid_argument as check_command() does.
[[nodiscard]] CommandRequest parse_command_request(std::string_view payload);

// The server has all answers up to `received`, and room for those up to `until`. It is said again
// and again, so that a device whose server is gone stops by itself.
struct CommandGrant {
  std::string id;
  std::uint64_t received = 0;
  std::uint64_t until = 0;

  bool operator==(const CommandGrant&) const = default;
};
[[nodiscard]] std::string to_message(const CommandGrant& grant);
[[nodiscard]] CommandGrant parse_command_grant(std::string_view payload);

// The id of the command that is to stop.
[[nodiscard]] std::string make_command_cancel(std::string_view id);
[[nodiscard]] std::string parse_command_cancel(std::string_view payload);

// By its word ("deadline_exceeded"); internal for one that is not known.
[[nodiscard]] base::ErrorCode error_code_of(std::string_view word);

}  // namespace andon::fleet
