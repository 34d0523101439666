// SPDX-License-Identifier: Apache-2.0
#include "api/members.hpp"

#include <algorithm>
#include <charconv>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

[[noreturn]] void refuse(std::string_view key, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, std::string(key) + ": " + problem);
}

const json::value* find(const json::object& input, std::string_view key) {
  const json::value* value = input.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

std::string text_or_empty(const json::object& input, std::string_view key) {
  const json::value* value = find(input, key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(key, "must be text");
  return std::string(value->get_string());
}

std::string required_text(const json::object& input, std::string_view key) {
  std::string text = text_or_empty(input, key);
  if (text.empty()) refuse(key, "is missing");
  return text;
}

std::string word_or_empty(const json::object& input, std::string_view key,
                          const std::vector<std::string_view>& words) {
  std::string text = text_or_empty(input, key);
  if (!text.empty() && std::find(words.begin(), words.end(), text) == words.end()) {
    std::string list;
    for (const std::string_view word : words) {
      list.append(list.empty() ? "" : ", ").append(word);
    }
    refuse(key, "must be one of " + list);
  }
  return text;
}

std::optional<std::int64_t> optional_number(const json::object& input, std::string_view key) {
  const json::value* value = find(input, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_string()) {
    const std::string_view text = value->get_string();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
  }
  refuse(key, "must be an integer");
}

bool flag(const json::object& input, std::string_view key) {
  const json::value* value = find(input, key);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string() && value->get_string() == "true") return true;
  if (value->is_string() && value->get_string() == "false") return false;
  refuse(key, "must be true or false");
}

std::map<std::string, std::string> text_map(const json::object& input, std::string_view key) {
  const json::value* value = find(input, key);
  std::map<std::string, std::string> map;
  if (value == nullptr) return map;
  if (!value->is_object()) refuse(key, "must be an object");
  for (const auto& member : value->get_object()) {
    if (!member.value().is_string()) {
      refuse(std::string(key) + "." + std::string(member.key()), "must be text");
    }
    map.emplace(std::string(member.key()), std::string(member.value().get_string()));
  }
  return map;
}

control::PageRequest read_page(const json::object& input, const PageLimits& limits) {
  control::PageRequest page;
  const std::int64_t maximum = static_cast<std::int64_t>(limits.maximum);
  const std::int64_t wanted =
      optional_number(input, "maxResults").value_or(static_cast<std::int64_t>(limits.standard));
  if (wanted < 1 || wanted > maximum) {
    refuse("maxResults", "must be between 1 and " + std::to_string(maximum));
  }
  page.limit = static_cast<std::size_t>(wanted);
  const std::string token = text_or_empty(input, "nextToken");
  if (!token.empty()) {
    const auto after = base::from_base64url(token);
    if (!after || after->empty()) {
      refuse("nextToken", "is not one that this operation gave; start the list anew without it");
    }
    page.after = *after;
  }
  return page;
}

void put_next(json::object& output, const std::optional<std::string>& next) {
  if (next) output["nextToken"] = base::to_base64url(*next);
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
