// SPDX-License-Identifier: Apache-2.0
#include "api/constraints/constraints.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "api/table/operation.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::size_t kMostShown = 1024;

ServiceError wrong_type(const MemberRule& rule) {
  constexpr std::string_view kNames[] = {"a string",  "a whole number", "a boolean",
                                         "an object", "a list",         "a number"};
  return {400, "SerializationException",
          "the member '" + std::string(rule.name) + "' must be " +
              std::string(kNames[static_cast<std::size_t>(rule.kind)])};
}

// What the value counts as; throws for another type.
std::int64_t measure(const MemberRule& rule, const json::value& value) {
  switch (rule.kind) {
    case MemberKind::text: {
      const auto* text = value.if_string();
      if (text == nullptr) break;
      // Characters, not bytes.
      return std::ranges::count_if(*text, [](char c) { return (c & 0xC0) != 0x80; });
    }
    case MemberKind::number: {
      boost::system::error_code inexact;
      const auto whole = value.to_number<std::int64_t>(inexact);
      if (!inexact) return whole;
      break;
    }
    case MemberKind::fraction: {
      constexpr double kMost = 9e18;
      // Rounded away from what is allowed: 100.5 is more than 100.
      if (!value.is_number()) break;
      const auto number = std::clamp(value.to_number<double>(), -kMost, kMost);
      return static_cast<std::int64_t>(number < 0 ? std::floor(number) : std::ceil(number));
    }
    case MemberKind::flag:
      if (value.is_bool()) return 0;
      break;
    case MemberKind::object:
      if (value.is_object()) return 0;
      break;
    case MemberKind::list:
      if (value.is_array()) return static_cast<std::int64_t>(value.get_array().size());
      break;
  }
  throw wrong_type(rule);
}

std::string shown(const MemberRule& rule, const json::value& value) {
  if (rule.is_secret) return "Value";
  std::string text = value.is_string() ? std::string(value.get_string()) : base::to_text(value);
  if (text.size() > kMostShown) {
    text.resize(kMostShown);
    text.append("...");
  }
  return "Value '" + text + "'";
}

}  // namespace

void check_members(const json::object& input, const std::vector<MemberRule>& rules,
                   std::string_view code) {
  std::vector<std::string> problems;
  const auto complain = [&](const MemberRule& rule, const std::string& value,
                            const std::string& constraint) {
    problems.push_back(value + " at '" + std::string(rule.name) +
                       "' failed to satisfy constraint: Member must " + constraint);
  };
  for (const MemberRule& rule : rules) {
    const auto* value = input.if_contains(rule.name);
    if (value == nullptr || value->is_null()) {
      if (rule.is_required) complain(rule, "Value null", "not be null");
      continue;
    }
    const std::int64_t size = measure(rule, *value);
    const bool is_number = rule.kind == MemberKind::number || rule.kind == MemberKind::fraction;
    const std::string_view what = is_number ? "value" : "length";
    if (!rule.words.empty()) {
      const std::string_view word = value->get_string();
      if (std::ranges::find(rule.words, word) == rule.words.end()) {
        std::string set;
        for (const std::string_view one : rule.words) {
          if (!set.empty()) set += ", ";
          set += one;
        }
        complain(rule, shown(rule, *value), "satisfy enum value set: [" + set + "]");
      }
      continue;
    }
    if (rule.kind == MemberKind::flag || rule.kind == MemberKind::object) continue;
    if (size < rule.least) {
      complain(
          rule, shown(rule, *value),
          "have " + std::string(what) + " greater than or equal to " + std::to_string(rule.least));
    } else if (size > rule.most) {
      complain(rule, shown(rule, *value),
               "have " + std::string(what) + " less than or equal to " + std::to_string(rule.most));
    }
  }
  if (problems.empty()) return;
  std::string text = std::to_string(problems.size()) + " validation error" +
                     (problems.size() == 1 ? "" : "s") + " detected: ";
  for (std::size_t i = 0; i < problems.size(); ++i) text += (i == 0 ? "" : "; ") + problems[i];
  throw ServiceError(400, std::string(code), text);
}

namespace rules {

MemberRule needed(MemberRule rule) {
  rule.is_required = true;
  return rule;
}
MemberRule text(std::string_view name, std::int64_t least, std::int64_t most) {
  return {.name = name, .kind = MemberKind::text, .least = least, .most = most};
}
MemberRule secret(std::string_view name, std::int64_t most, std::int64_t least) {
  return {.name = name, .kind = MemberKind::text, .least = least, .most = most, .is_secret = true};
}
MemberRule number(std::string_view name, std::int64_t least, std::int64_t most) {
  return {.name = name, .kind = MemberKind::number, .least = least, .most = most};
}
MemberRule fraction(std::string_view name, std::int64_t least, std::int64_t most) {
  return {.name = name, .kind = MemberKind::fraction, .least = least, .most = most};
}
MemberRule word(std::string_view name, std::vector<std::string_view> words) {
  return {.name = name, .kind = MemberKind::text, .words = std::move(words)};
}
MemberRule flag_rule(std::string_view name) {
  return {.name = name, .kind = MemberKind::flag};
}
MemberRule object_rule(std::string_view name) {
  return {.name = name, .kind = MemberKind::object};
}
MemberRule list_rule(std::string_view name, std::int64_t least, std::int64_t most) {
  return {.name = name, .kind = MemberKind::list, .least = least, .most = most};
}

}  // namespace rules

std::optional<std::string> maybe_text(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return std::string(value->as_string());
}

}  // namespace andon::api
