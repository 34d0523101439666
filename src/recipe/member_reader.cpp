// SPDX-License-Identifier: Apache-2.0
#include "recipe/member_reader.hpp"

#include <algorithm>

namespace andon::recipe {
namespace {

std::string escaped(std::string_view key) {
  return base::join_pointer({std::string(key)});
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

MemberReader::MemberReader(const json::value& value, std::string place, Problems& problems)
    : place_(std::move(place)), problems_(&problems) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    problems.push_back({place_, "must be an object"});
    return;
  }
  for (const auto& member : *object) {
    if (!members_.emplace(to_lower(member.key()), &member.value()).second) {
      problem(member.key(), "is there twice (upper and lower case do not matter)");
    }
  }
}

const json::value* MemberReader::find(std::string_view key) const {
  const auto member = members_.find(to_lower(key));
  return member == members_.end() || member->second->is_null() ? nullptr : member->second;
}

std::optional<std::string> MemberReader::text(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(*text);
  problem(key, value->is_number() || value->is_bool() ? "must be a text: put it in quotes"
                                                      : "must be a text");
  return std::nullopt;
}

std::optional<std::int64_t> MemberReader::integer(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  problem(key, "must be a whole number");
  return std::nullopt;
}

std::optional<double> MemberReader::number(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->to_number<double>();
  problem(key, "must be a number");
  return std::nullopt;
}

const json::object* MemberReader::object(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) problem(key, "must be an object");
  return value->if_object();
}

const json::array* MemberReader::array(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) problem(key, "must be a list");
  return value->if_array();
}

std::map<std::string, std::string> MemberReader::texts(std::string_view key,
                                                       std::string_view null_text) const {
  std::map<std::string, std::string> texts;
  const auto* members = object(key);
  if (members == nullptr) return texts;
  for (const auto& member : *members) {
    const auto& value = member.value();
    if (value.is_structured()) {
      problems_->push_back({place(key) + escaped(member.key()), "must be a text"});
    } else if (const auto* text = value.if_string()) {
      texts.emplace(member.key(), *text);
    } else {
      texts.emplace(member.key(), value.is_null() ? std::string(null_text) : base::to_text(value));
    }
  }
  return texts;
}

std::string MemberReader::required_text(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) {
    problem(key, "is missing");
    return {};
  }
  auto given = text(key);
  if (given && given->empty()) problem(key, "is empty");
  return given.value_or("");
}

std::string MemberReader::place(std::string_view key) const {
  return place_ + escaped(key);
}

void MemberReader::problem(std::string_view key, std::string message) const {
  problems_->push_back({place(key), std::move(message)});
}

}  // namespace andon::recipe
