// SPDX-License-Identifier: Apache-2.0
#include "api/table/members.hpp"

#include <algorithm>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

// Tells a token that a list gave from any other text. It keeps no secret: whoever makes up a token
// gets no more than a page that starts elsewhere.
constexpr std::size_t kMarkBytes = 8;
std::string mark_of(std::string_view key) {
  return trust::sha256_hex("page token " + std::string(key)).substr(0, kMarkBytes);
}

// As rest-json has it: what came in the query is text.
base::JsonReader reader_of(const json::object& input) {
  return {input, "", {.texts = base::JsonReading::Texts::as_values, .separator = ": "}};
}

}  // namespace

std::string text_or_empty(const json::object& input, std::string_view key) {
  return reader_of(input).optional_string(key).value_or("");
}

std::string bounded_text(const json::object& input, std::string_view key, std::size_t most) {
  std::string text = text_or_empty(input, key);
  if (text.size() > most) {
    reader_of(input).fail(key, "has more than " + std::to_string(most) + " bytes");
  }
  return text;
}

std::optional<std::int64_t> optional_time_ms(const json::object& input, std::string_view key) {
  const std::string text = text_or_empty(input, key);
  if (text.empty()) return std::nullopt;
  const auto time = base::parse_iso8601(text);
  if (!time) reader_of(input).fail(key, "must be a time such as 2026-11-22T10:00:00Z");
  return base::to_epoch_millis(*time);
}

std::string required_text(const json::object& input, std::string_view key) {
  std::string text = text_or_empty(input, key);
  if (text.empty()) reader_of(input).fail(key, "is missing");
  return text;
}

std::string word_or_empty(const json::object& input, std::string_view key,
                          const std::vector<std::string_view>& words) {
  std::string text = text_or_empty(input, key);
  if (!text.empty() && std::find(words.begin(), words.end(), text) == words.end()) {
    reader_of(input).fail(key, "must be one of " + base::join(words, ", "));
  }
  return text;
}

std::optional<std::int64_t> optional_number(const json::object& input, std::string_view key) {
  return reader_of(input).optional_integer(key);
}

bool flag(const json::object& input, std::string_view key) {
  return reader_of(input).optional_bool(key).value_or(false);
}

std::map<std::string, std::string> text_map(const json::object& input, std::string_view key) {
  return reader_of(input).string_map(key);
}

std::vector<std::string> text_list(const json::object& input, std::string_view key) {
  const json::value* value = input.if_contains(key);
  if (value != nullptr && value->is_string() && value->as_string().empty()) return {};
  return base::JsonReader(input, "", {.separator = ": "}).strings(key);
}

std::map<std::string, std::string> read_tag_list(const json::object& input) {
  const json::value* value = input.if_contains("Tags");
  if (value != nullptr && value->is_string() && value->as_string().empty()) return {};
  const base::JsonReader reader(input, "", {.separator = ": "});
  std::map<std::string, std::string> tags;
  for (const base::JsonReader& tag : reader.children("Tags")) {
    tags[tag.required_text("Key")] = tag.string("Value");
  }
  return tags;
}

json::array tag_list(const std::map<std::string, std::string>& tags) {
  json::array list;
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

std::string to_page_token(const std::string& key) {
  return base::to_base64url(mark_of(key) + key);
}

std::optional<std::string> from_page_token(std::string_view token) {
  const auto marked = base::from_base64url(token);
  if (!marked || marked->size() <= kMarkBytes) return std::nullopt;
  std::string key = marked->substr(kMarkBytes);
  if (marked->compare(0, kMarkBytes, mark_of(key)) != 0) return std::nullopt;
  return key;
}

control::PageRequest read_page(const json::object& input, const PageLimits& limits) {
  const base::JsonReader reader = reader_of(input);
  control::PageRequest page;
  page.limit = static_cast<std::size_t>(
      reader.optional_integer("maxResults", 1, static_cast<std::int64_t>(limits.maximum))
          .value_or(static_cast<std::int64_t>(limits.standard)));
  const std::string token = text_or_empty(input, "nextToken");
  if (!token.empty()) {
    const auto after = from_page_token(token);
    if (!after) {
      reader.fail("nextToken",
                  "is not one that this operation gave; start the list anew without it");
    }
    page.after = *after;
  }
  return page;
}

void put_next(json::object& output, const std::optional<std::string>& next) {
  if (next) output["nextToken"] = to_page_token(*next);
}

void put_unless_empty(json::object& output, std::string_view key, std::string_view text) {
  if (!text.empty()) output[key] = text;
}

json::object to_object(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

json::array to_array(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& item : list) array.emplace_back(item);
  return array;
}

}  // namespace andon::api
