// SPDX-License-Identifier: Apache-2.0
// What a device answers to a command, on DeviceTopics::command_answers(id): a stream of numbered
// answers, 1 and up, the last of which ends it; and, without a number, signs of life. Each has at
// most kMostAnswerBytes of content; answers come again where the device does not hear that they
// arrived, and are then the same. Values; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/json/json.hpp"

namespace andon::fleet {

namespace json = base::json;

inline constexpr std::size_t kMostAnswerBytes = 32U << 10U;
// How many answers may be under way that nobody has read yet; what a command begins with.
inline constexpr std::uint64_t kCommandWindow = 8;

struct CommandText {  // UTF-8
  std::string text;
  bool is_error_output = false;
  bool operator==(const CommandText&) const = default;
};
struct CommandRow {  // of a table
  json::object row;
  bool operator==(const CommandRow&) const = default;
};
struct CommandData {  // bytes of a file
  std::string bytes;
  bool operator==(const CommandData&) const = default;
};
struct CommandProgress {
  std::uint64_t bytes = 0;
  std::uint64_t of_bytes = 0;  // 0: not known
  std::string text;
  bool operator==(const CommandProgress&) const = default;
};
struct CommandEnd {
  std::string error;    // a word of base::ErrorCode; empty: it was done
  std::string message;  // of the error, for people
  json::object result;  // what there is to say at the end: {"exitCode": 3}
  bool operator==(const CommandEnd&) const = default;
};
using CommandContent =
    std::variant<CommandText, CommandRow, CommandData, CommandProgress, CommandEnd>;

struct CommandAnswer {
  std::uint64_t sequence = 0;
  CommandContent content;

  [[nodiscard]] bool is_end() const { return std::holds_alternative<CommandEnd>(content); }
  // What it counts of the bytes of a command.
  [[nodiscard]] std::size_t bytes() const;
  bool operator==(const CommandAnswer&) const = default;
};

// A sign of life: the command is being carried out, or the device knows of no such command.
enum class CommandSign : std::uint8_t { alive, unknown };

using CommandMessage = std::variant<CommandAnswer, CommandSign>;

// As messages have it, and as clients of the API see it: {"sequence": 1, "text": "..."}; "row",
// "data" (base64), "progress", "end". Text of error output has "stream": "err".
[[nodiscard]] json::object to_json(const CommandAnswer& answer);
[[nodiscard]] std::string to_message(const CommandAnswer& answer);
[[nodiscard]] std::string to_message(CommandSign sign);
// Throws invalid_argument for what is no answer, or beyond the limits. Texts of the end are cut.
[[nodiscard]] CommandMessage parse_command_message(std::string_view payload);

}  // namespace andon::fleet
