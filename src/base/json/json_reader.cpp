// SPDX-License-Identifier: Apache-2.0
#include "base/json/json_reader.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::base {
namespace {

const json::object& no_members() {
  static const json::object none;
  return none;
}

bool is_before(const std::pair<std::string, const json::key_value_pair*>& member,
               std::string_view key) {
  return member.first < key;
}

// The text of a value that may stand for another type; empty for other values.
std::string_view text_of(const json::value& value) {
  const auto* text = value.if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace

JsonReader::JsonReader(const json::value& value, std::string where, const JsonReading& reading)
    : object_(value.if_object()), where_(std::move(where)), reading_(reading) {
  if (object_ == nullptr) {
    object_ = &no_members();
    add_problem(where_, "must be an object");
  }
  fold_keys();
}

JsonReader::JsonReader(const json::object& object, std::string where, const JsonReading& reading)
    : object_(&object), where_(std::move(where)), reading_(reading) {
  fold_keys();
}

void JsonReader::fold_keys() {
  if (reading_.keys == JsonReading::Keys::exact) return;
  for (const auto& member : *object_) folded_.emplace_back(to_lower(member.key()), &member);
  std::stable_sort(folded_.begin(), folded_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto again =
      std::unique(folded_.begin(), folded_.end(), [&](const auto& first, const auto& next) {
        if (first.first != next.first) return false;
        problem(next.second->key(), "is there twice (upper and lower case do not matter)");
        return true;
      });
  folded_.erase(again, folded_.end());
}

const json::value* JsonReader::find(std::string_view key) const {
  const json::value* member = nullptr;
  if (reading_.keys == JsonReading::Keys::exact) {
    member = object_->if_contains(key);
  } else {
    const std::string folded = to_lower(key);
    const auto found = std::lower_bound(folded_.begin(), folded_.end(), folded, is_before);
    if (found != folded_.end() && found->first == folded) member = &found->second->value();
  }
  if (member == nullptr || member->is_null()) return nullptr;
  const auto* text = member->if_string();
  return reading_.empty_is_absent && text != nullptr && text->empty() ? nullptr : member;
}

std::optional<std::string> JsonReader::optional_string(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* text = member->if_string()) return std::string(*text);
  const bool lacks_quotes = member->is_number() || member->is_bool();
  problem(key, lacks_quotes ? "must be a text: put it in quotes" : "must be a text");
  return std::nullopt;
}

std::optional<std::int64_t> JsonReader::optional_integer(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = member->to_number<std::int64_t>(error);
  if (!error) return number;
  if (reading_.texts == JsonReading::Texts::as_values) {
    if (const auto read = parse_int64(text_of(*member))) return read;
  }
  problem(key, "must be a whole number");
  return std::nullopt;
}

std::optional<std::int64_t> JsonReader::optional_integer(std::string_view key, std::int64_t least,
                                                         std::int64_t most) const {
  const auto number = optional_integer(key);
  if (!number || (*number >= least && *number <= most)) return number;
  problem(key, "must be between " + std::to_string(least) + " and " + std::to_string(most));
  return std::nullopt;
}

std::optional<double> JsonReader::optional_number(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (member->is_number()) return member->to_number<double>();
  if (reading_.texts == JsonReading::Texts::as_values && member->is_string()) {
    const std::string_view text = text_of(*member);
    if (const auto number = parse_number(text)) return number;
    problem(key, "is '" + std::string(text.substr(0, 100)) + "', not a number");
    return std::nullopt;
  }
  problem(key, "must be a number");
  return std::nullopt;
}

std::optional<bool> JsonReader::optional_bool(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* flag = member->if_bool()) return *flag;
  if (reading_.texts != JsonReading::Texts::exact) {
    if (is_named(text_of(*member), "true")) return true;
    if (is_named(text_of(*member), "false")) return false;
  }
  problem(key, "must be true or false");
  return std::nullopt;
}

const json::object* JsonReader::optional_object(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return nullptr;
  if (!member->is_object()) problem(key, "must be an object");
  return member->if_object();
}

const json::array* JsonReader::optional_array(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return nullptr;
  if (!member->is_array()) problem(key, "must be a list");
  return member->if_array();
}

std::string JsonReader::string(std::string_view key) const {
  if (!has(key)) problem(key, "is missing");
  return optional_string(key).value_or("");
}

std::string JsonReader::required_text(std::string_view key) const {
  if (!has(key)) {
    problem(key, "is missing");
    return {};
  }
  const auto text = optional_string(key);
  if (text && text->empty()) problem(key, "is empty");
  return text.value_or("");
}

std::int64_t JsonReader::integer(std::string_view key) const {
  if (!has(key)) problem(key, "is missing");
  return optional_integer(key).value_or(0);
}

JsonReader JsonReader::child(std::string_view key) const {
  if (!has(key)) problem(key, "is missing");
  return child_or_empty(key);
}

JsonReader JsonReader::child_or_empty(std::string_view key) const {
  const json::object* below = optional_object(key);
  return {below == nullptr ? no_members() : *below, place(key), reading_};
}

std::vector<JsonReader> JsonReader::children(std::string_view key) const {
  std::vector<JsonReader> readers;
  const json::array* list = optional_array(key);
  if (list == nullptr) return readers;
  readers.reserve(list->size());
  for (const json::value& item : *list) {
    readers.emplace_back(item, place(key, readers.size()), reading_);
  }
  return readers;
}

std::vector<std::string> JsonReader::strings(std::string_view key, std::size_t most) const {
  std::vector<std::string> texts;
  const json::array* list = optional_array(key);
  if (list == nullptr) return texts;
  for (std::size_t i = 0; i < std::min(most, list->size()); ++i) {
    if (const auto* text = (*list)[i].if_string()) {
      texts.emplace_back(*text);
    } else {
      add_problem(place(key, i), "must be a text");
    }
  }
  return texts;
}

std::map<std::string, std::string> JsonReader::string_map(std::string_view key) const {
  std::map<std::string, std::string> texts;
  const JsonReader below = child_or_empty(key);
  for (const auto& member : below.object()) {
    if (const auto* text = member.value().if_string()) {
      texts.emplace(member.key(), *text);
    } else {
      below.problem(member.key(), "must be a text");
    }
  }
  return texts;
}

std::map<std::string, std::string> JsonReader::scalar_map(std::string_view key,
                                                          std::string_view null_text) const {
  std::map<std::string, std::string> texts;
  const json::object* members = optional_object(key);
  if (members == nullptr) return texts;
  const JsonReader below(*members, place(key), {.places = reading_.places});
  for (const auto& member : *members) {
    const json::value& value = member.value();
    if (value.is_structured()) {
      add_problem(below.place(member.key()), "must be a text");
    } else if (const auto* text = value.if_string()) {
      texts.emplace(member.key(), *text);
    } else {
      texts.emplace(member.key(), value.is_null() ? std::string(null_text) : to_text(value));
    }
  }
  return texts;
}

void JsonReader::allow_only(std::initializer_list<std::string_view> known) const {
  for (const auto& member : *object_) {
    const bool is_known = std::any_of(known.begin(), known.end(), [&](std::string_view name) {
      return reading_.keys == JsonReading::Keys::exact ? name == member.key()
                                                       : equal_ignoring_case(name, member.key());
    });
    if (is_known) continue;
    std::string names;
    for (const std::string_view name : known) names.append(names.empty() ? "" : ", ").append(name);
    problem(member.key(), "is not known; known are " + names);
  }
}

bool JsonReader::is_named(std::string_view given, std::string_view name) const {
  return reading_.keys == JsonReading::Keys::exact ? given == name
                                                   : equal_ignoring_case(given, name);
}

std::string JsonReader::place(std::string_view key) const {
  if (reading_.places == JsonReading::Places::as_pointer) {
    return where_ + join_pointer({std::string(key)});
  }
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

std::string JsonReader::place(std::string_view key, std::size_t index) const {
  const std::string number = std::to_string(index);
  return place(key) +
         (reading_.places == JsonReading::Places::as_pointer ? "/" + number : "[" + number + "]");
}

void JsonReader::problem(std::string_view key, std::string message) const {
  add_problem(place(key), std::move(message));
}

void JsonReader::fail(std::string_view key, std::string_view message) const {
  throw Error(ErrorCode::invalid_argument, place(key).append(reading_.separator).append(message));
}

void JsonReader::add_problem(std::string place, std::string message) const {
  if (reading_.problems != nullptr) {
    reading_.problems->push_back({std::move(place), std::move(message)});
    return;
  }
  throw Error(ErrorCode::invalid_argument, place.append(reading_.separator).append(message));
}

}  // namespace andon::base
