// SPDX-License-Identifier: Apache-2.0
#include "control/shared/sql_text.hpp"

#include <limits>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

json::object to_object(const StringMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

[[noreturn]] void corrupted() {
  throw Error(ErrorCode::data_corrupted,
              "a stored record is not in its form; restore the database from a backup");
}

json::value parse(const std::string& text) {
  try {
    return base::parse_json(text, "stored record");
  } catch (const Error&) {
    corrupted();
  }
}

StringMap to_map(const json::value& value) {
  if (!value.is_object()) corrupted();
  StringMap map;
  for (const auto& member : value.get_object()) {
    if (!member.value().is_string()) corrupted();
    map.emplace(std::string(member.key()), std::string(member.value().get_string()));
  }
  return map;
}

}  // namespace

std::string to_stored(const StringMap& map) {
  return base::to_text(to_object(map));
}

std::string to_stored(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& item : list) array.emplace_back(item);
  return base::to_text(array);
}

std::string to_stored(const std::vector<StringMap>& list) {
  json::array array;
  for (const StringMap& item : list) array.emplace_back(to_object(item));
  return base::to_text(array);
}

StringMap stored_map(const std::string& text) {
  return to_map(parse(text));
}

std::vector<std::string> stored_list(const std::string& text) {
  const json::value value = parse(text);
  if (!value.is_array()) corrupted();
  std::vector<std::string> list;
  for (const json::value& item : value.get_array()) {
    if (!item.is_string()) corrupted();
    list.emplace_back(item.get_string());
  }
  return list;
}

std::vector<StringMap> stored_maps(const std::string& text) {
  const json::value value = parse(text);
  if (!value.is_array()) corrupted();
  std::vector<StringMap> list;
  for (const json::value& item : value.get_array()) list.push_back(to_map(item));
  return list;
}

json::object stored_object(const std::string& text) {
  json::value value = parse(text);
  if (!value.is_object()) corrupted();
  return std::move(value.get_object());
}

std::string time_key(std::int64_t millis, std::string_view id) {
  return std::to_string(millis) + ":" + std::string(id);
}

std::pair<std::int64_t, std::string> read_time_key(std::string_view key) {
  if (key.empty()) return {std::numeric_limits<std::int64_t>::max(), ""};
  std::string_view id = key;
  const auto millis = base::parse_int64(base::take_part(id, ':'));
  if (!millis || key.find(':') == std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument,
                "nextToken is not one that this operation gave; start the list anew without it");
  }
  return {*millis, std::string(id)};
}

}  // namespace andon::control
