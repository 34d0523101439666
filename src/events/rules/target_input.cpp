// SPDX-License-Identifier: Apache-2.0
#include "events/rules/target_input.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "base/error/error.hpp"
#include "query/jsonpath/json_path.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kReserved = "aws.";
constexpr std::array<std::string_view, 5> kPredefined = {
    "aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time",
    "aws.events.event", "aws.events.event.json"};

const json::value* member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text_of(const json::value& value, const std::string& what) {
  if (!value.is_string()) throw Error(ErrorCode::invalid_argument, what + " must be a text");
  return std::string(value.get_string());
}

query::JsonPath path_of(const std::string& text, const std::string& what) {
  try {
    auto path = query::JsonPath::parse(text);
    if (path.root() == query::PathRoot::input) return path;
  } catch (const Error&) {
    // It is said below.
  }
  throw Error(ErrorCode::invalid_argument, "Invalid " + what + ": it is no JSON path");
}

// What a path leads to; nothing where there is nothing.
std::optional<json::value> look(const std::string& path, const json::object& event) {
  try {
    const auto found = query::JsonPath::parse(path).evaluate(query::make_data(json::value(event)));
    if (!found || !*found) return std::nullopt;
    return **found;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// {"a":"b"} as {a:b}: what stands in a text has no quotes.
std::string without_quotes(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  std::string text;
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) text += (text.empty() ? "" : ",") + without_quotes(one);
    return "[" + text + "]";
  }
  if (const auto* object = value.if_object()) {
    for (const auto& [key, inner] : *object) {
      text += (text.empty() ? "" : ",") + std::string(key) + ":" + without_quotes(inner);
    }
    return "{" + text + "}";
  }
  return base::to_text(value);
}

std::string escaped(const std::string& text) {
  const std::string quoted = base::to_text(json::value(text));
  return quoted.substr(1, quoted.size() - 2);
}

struct Placeholder {
  std::size_t begin;
  std::size_t end;  // behind the '>'
  std::string name;
  bool in_quotes;
};

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

std::vector<Placeholder> placeholders(std::string_view text) {
  std::vector<Placeholder> all;
  bool in_quotes = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      in_quotes = !in_quotes;
    } else if (text[at] == '<') {
      const std::size_t end = text.find('>', at);
      if (end == std::string_view::npos) break;
      const std::string_view name = text.substr(at + 1, end - at - 1);
      if (!is_name(name)) continue;
      all.push_back({at, end + 1, std::string(name), in_quotes});
      at = end;
    }
  }
  return all;
}

std::optional<json::value> value_of(const std::string& name, const json::object* paths,
                                    const EventForTarget& given) {
  if (name == "aws.events.rule-arn") return json::string(given.rule_arn);
  if (name == "aws.events.rule-name") return json::string(given.rule_name);
  if (name == "aws.events.event.ingestion-time") {
    return json::string(base::to_iso8601(given.received));
  }
  if (name == "aws.events.event.json") return given.event;
  if (name == "aws.events.event") {
    json::object event = given.event;
    event.erase("detail");
    return event;
  }
  const auto* path = paths == nullptr ? nullptr : member(*paths, name);
  return path == nullptr || !path->is_string() ? std::nullopt
                                               : look(std::string(path->get_string()), given.event);
}

std::string filled(std::string_view text, const json::object* paths, const EventForTarget& given) {
  std::string made;
  std::size_t done = 0;
  for (const Placeholder& one : placeholders(text)) {
    made += text.substr(done, one.begin - done);
    const auto value = value_of(one.name, paths, given);
    if (one.in_quotes) {
      if (value) made += escaped(without_quotes(*value));
    } else {
      made += value ? base::to_text(*value) : "\"\"";
    }
    done = one.end;
  }
  return made.append(text.substr(done));
}

}  // namespace

void check_target_input(const json::object& target) {
  const std::string id = text_of(target.at("Id"), "Id");
  const auto* input = member(target, "Input");
  const auto* path = member(target, "InputPath");
  const auto* transformer = member(target, "InputTransformer");
  if (std::ranges::count_if(std::array{input, path, transformer},
                            [](const auto* one) { return one != nullptr; }) > 1) {
    throw Error(ErrorCode::invalid_argument,
                "Only one of Input, InputPath, or InputTransformer must be provided for target " +
                    id + ".");
  }
  if (input != nullptr) {
    try {
      (void)base::parse_json(text_of(*input, "Input"), "Input");
    } catch (const Error&) {
      throw Error(ErrorCode::invalid_argument, "JSON syntax error in input for target " + id + ".");
    }
  }
  if (path != nullptr) {
    (void)path_of(text_of(*path, "InputPath"), "InputPath for target " + id);
  }
  if (transformer == nullptr) return;
  const auto* members = transformer->if_object();
  if (members == nullptr || member(*members, "InputTemplate") == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "InputTransformer of target " + id + " must have an InputTemplate");
  }
  const auto* map = member(*members, "InputPathsMap");
  const auto* paths = map == nullptr ? nullptr : map->if_object();
  if (map != nullptr && (paths == nullptr || paths->size() > 100)) {
    throw Error(ErrorCode::invalid_argument,
                "InputPathsMap of target " + id + " must be an object of at most 100 paths");
  }
  for (const auto& [name, one] : paths == nullptr ? json::object() : *paths) {
    if (std::string_view(name).starts_with(kReserved)) {
      throw Error(ErrorCode::invalid_argument,
                  "InputPathsMap of target " + id +
                      " has a name that begins with AWS: " + std::string(name));
    }
    (void)path_of(text_of(one, "InputPathsMap." + std::string(name)),
                  "InputPathsMap for target " + id);
  }
  for (const Placeholder& one :
       placeholders(text_of(*member(*members, "InputTemplate"), "InputTemplate"))) {
    const bool is_known = std::ranges::find(kPredefined, one.name) != kPredefined.end() ||
                          (paths != nullptr && paths->contains(one.name));
    if (!is_known) {
      throw Error(
          ErrorCode::invalid_argument,
          "InputTemplate for target " + id + " contains invalid placeholder " + one.name + ".");
    }
  }
}

std::string target_input(const json::object& target, const EventForTarget& given) {
  if (const auto* input = member(target, "Input")) return std::string(input->as_string());
  if (const auto* path = member(target, "InputPath")) {
    const auto found = look(std::string(path->as_string()), given.event);
    return found ? base::to_text(*found) : "{}";
  }
  if (const auto* transformer = member(target, "InputTransformer")) {
    const json::object& members = transformer->as_object();
    const auto* map = member(members, "InputPathsMap");
    return filled(members.at("InputTemplate").as_string(),
                  map == nullptr ? nullptr : map->if_object(), given);
  }
  return base::to_text(given.event);
}

}  // namespace andon::events
