// SPDX-License-Identifier: Apache-2.0
#include "fleet/command/command_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "fleet/messages/limits.hpp"
#include "fleet/names/topic.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr auto kKinds = std::to_array<std::pair<std::string_view, CommandKind>>({
    {"restart", CommandKind::restart},
    {"stop", CommandKind::stop},
    {"logs", CommandKind::logs},
    {"components", CommandKind::components},
    {"doctor", CommandKind::doctor},
    {"support-bundle", CommandKind::support_bundle},
    {"frame", CommandKind::frame},
    {"fit", CommandKind::fit},
    {"shell", CommandKind::shell},
    {"copy-from", CommandKind::copy_from},
    {"copy-to", CommandKind::copy_to},
});
constexpr std::size_t kMostComponent = 128;
constexpr std::size_t kMostAskedBy = 256;
constexpr std::int64_t kMostSequence = 1LL << 40U;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

void check_component(const CommandRequest& request) {
  using enum CommandKind;
  const bool needs = request.kind == restart || request.kind == stop;
  const bool takes = needs || request.kind == logs || request.kind == frame;
  const std::string& name = request.component;
  if (needs && name.empty()) refuse("component: which one is missing");
  if (!takes && !name.empty()) {
    refuse("component: " + std::string(to_string(request.kind)) + " takes none");
  }
  if (name.size() > kMostComponent || name == "." || name == ".." || has_nul(name) ||
      name.find('/') != std::string::npos || !base::is_utf8(name)) {
    refuse("component: is not a component's name");
  }
}

void check_path(const CommandRequest& request) {
  const bool takes = request.kind == CommandKind::copy_from || request.kind == CommandKind::copy_to;
  if (!takes && (!request.path.empty() || !request.content.empty())) {
    refuse("path, content: " + std::string(to_string(request.kind)) + " takes none");
  }
  if (!takes) return;
  if (!request.path.starts_with('/') || request.path.ends_with('/') ||
      request.path.size() > kMostCommandPath || has_nul(request.path) ||
      !base::is_utf8(request.path)) {
    refuse("path: must be that of a file on the device, from / on, of at most " +
           std::to_string(kMostCommandPath) + " bytes");
  }
  if (request.content.size() > kMostCopiedTo) {
    refuse("content: has " + std::to_string(request.content.size()) + " bytes; at most " +
           std::to_string(kMostCopiedTo) + " can be copied to a device");
  }
}

void check_recipe(const CommandRequest& request) {
  const bool is_fit = request.kind == CommandKind::fit;
  if (is_fit == request.recipe.empty()) {
    refuse(is_fit ? "recipe: is missing" : "recipe: only fit takes one");
  }
  if (request.recipe.size() > kMostCommandRecipe || has_nul(request.recipe) ||
      !base::is_utf8(request.recipe)) {
    refuse("recipe: must be text of at most " + std::to_string(kMostCommandRecipe) + " bytes");
  }
}

JsonReader reader_of(const json::value& value, std::string_view what) {
  return {value, std::string(what)};
}

std::string id_of(const JsonReader& reader) {
  std::string id = reader.string("id");
  if (!is_command_id(id)) reader.fail("id", "must be a command's id");
  return id;
}

std::uint64_t sequence_of(const JsonReader& reader, std::string_view key) {
  const auto number = reader.optional_integer(key, 0, kMostSequence);
  if (!number) reader.fail(key, "is missing");
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

std::string_view to_string(CommandKind kind) {
  const auto* const found = std::ranges::find(kKinds, kind, &decltype(kKinds)::value_type::second);
  return found->first;
}

CommandKind command_kind(std::string_view word) {
  std::string words;
  for (const auto& [name, kind] : kKinds) {
    if (name == word) return kind;
    words.append(words.empty() ? "" : ", ").append(name);
  }
  refuse("kind: must be one of " + words);
}

bool is_free_hand(CommandKind kind) {
  return kind == CommandKind::shell || kind == CommandKind::copy_from ||
         kind == CommandKind::copy_to;
}

void check_command(const CommandRequest& request) {
  check_component(request);
  check_path(request);
  check_recipe(request);
  const bool is_shell = request.kind == CommandKind::shell;
  if (is_shell == request.command_line.empty()) {
    refuse(is_shell ? "commandLine: is missing" : "commandLine: only shell takes one");
  }
  if (request.command_line.size() > kMostCommandLine || has_nul(request.command_line) ||
      !base::is_utf8(request.command_line)) {
    refuse("commandLine: must be text of at most " + std::to_string(kMostCommandLine) + " bytes");
  }
  if (request.lines < 0 || request.lines > kMostCommandLines) {
    refuse("lines: must be between 0 and " + std::to_string(kMostCommandLines));
  }
  const bool can_follow = request.kind == CommandKind::logs || request.kind == CommandKind::frame;
  if (request.follow && !can_follow) refuse("follow: only logs and frame can");
  if (request.deadline <= std::chrono::milliseconds(0) || request.deadline > kLongestCommand) {
    refuse("deadline: must be more than 0 and at most " + std::to_string(kLongestCommand.count()) +
           " seconds");
  }
}

std::string describe(const CommandRequest& request) {
  constexpr std::size_t kMostShown = 200;
  std::string text(to_string(request.kind));
  if (!request.component.empty()) text += " of " + request.component;
  if (!request.command_line.empty()) text += ": " + cut_text(request.command_line, kMostShown);
  if (!request.path.empty()) text += ": " + cut_text(request.path, kMostShown);
  return text;
}

std::string to_message(const CommandRequest& request) {
  json::object object{{"id", request.id},
                      {"kind", to_string(request.kind)},
                      {"deadlineMs", request.deadline.count()},
                      {"askedBy", cut_text(request.asked_by, kMostAskedBy)}};
  if (!request.component.empty()) object["component"] = request.component;
  if (request.kind == CommandKind::logs) {
    object["lines"] = request.lines;
    object["follow"] = request.follow;
  }
  if (request.kind == CommandKind::frame && request.follow) object["follow"] = true;
  if (!request.command_line.empty()) object["commandLine"] = request.command_line;
  if (!request.recipe.empty()) object["recipe"] = request.recipe;
  if (!request.path.empty()) object["path"] = request.path;
  if (request.kind == CommandKind::copy_to) object["content"] = base::to_base64(request.content);
  return base::to_text(object);
}

CommandRequest parse_command_request(std::string_view payload) {
  const json::value value = base::parse_json(payload, "command", kFromServer);
  const JsonReader reader = reader_of(value, "command");
  CommandRequest request;
  request.id = id_of(reader);
  request.kind = command_kind(reader.string("kind"));
  request.component = reader.optional_string("component").value_or("");
  if (const auto lines = reader.optional_integer("lines")) request.lines = *lines;
  request.follow = reader.optional_bool("follow").value_or(false);
  request.command_line = reader.optional_string("commandLine").value_or("");
  request.recipe = reader.optional_string("recipe").value_or("");
  request.path = reader.optional_string("path").value_or("");
  const auto content = base::from_base64(reader.optional_string("content").value_or(""));
  if (!content) reader.fail("content", "must be base64");
  request.content = *content;
  const std::int64_t longest = std::chrono::milliseconds(kLongestCommand).count();
  const auto deadline = reader.optional_integer("deadlineMs", 1, longest);
  if (!deadline) reader.fail("deadlineMs", "is missing");
  request.deadline = std::chrono::milliseconds(*deadline);
  request.asked_by = cut_text(reader.optional_string("askedBy").value_or(""), kMostAskedBy);
  check_command(request);
  return request;
}

std::string to_message(const CommandGrant& grant) {
  return base::to_text(
      json::object{{"id", grant.id}, {"received", grant.received}, {"until", grant.until}});
}

CommandGrant parse_command_grant(std::string_view payload) {
  const json::value value = base::parse_json(payload, "command grant", kFromServer);
  const JsonReader reader = reader_of(value, "command grant");
  return {id_of(reader), sequence_of(reader, "received"), sequence_of(reader, "until")};
}

std::string make_command_cancel(std::string_view id) {
  return base::to_text(json::object{{"id", id}});
}

std::string parse_command_cancel(std::string_view payload) {
  const json::value value = base::parse_json(payload, "command cancel", kFromServer);
  return id_of(reader_of(value, "command cancel"));
}

base::ErrorCode error_code_of(std::string_view word) {
  using enum ErrorCode;
  for (const ErrorCode code :
       {invalid_argument, unauthenticated, permission_denied, not_found, already_exists, conflict,
        failed_precondition, resource_exhausted, data_corrupted, deadline_exceeded, unavailable,
        cancelled, unsupported}) {
    if (base::to_string(code) == word) return code;
  }
  return internal;
}

}  // namespace andon::fleet
