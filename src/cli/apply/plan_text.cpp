// SPDX-License-Identifier: Apache-2.0
#include "cli/apply/plan_text.hpp"

#include <fmt/format.h>

#include <array>
#include <map>

#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::size_t kMostShown = 80;

std::string_view sign_of(std::string_view action) {
  if (action == "create") return "+";
  if (action == "change") return "~";
  if (action == "replace") return "!";
  if (action == "delete") return "-";
  return " ";
}

std::string shown(const json::value* value) {
  if (value == nullptr) return "(none)";
  const json::value member{
      {"value", value->is_string() ? *value : json::value(base::to_text(*value))}};
  std::string text = text_of(member, "value");
  if (text.size() > kMostShown) {
    text.resize(kMostShown);
    text.append("...");
  }
  return value->is_string() ? fmt::format("\"{}\"", text) : text;
}

const json::array& list_of(const json::value& object, std::string_view name) {
  static const json::array kNone;
  const auto* value = object.is_object() ? object.get_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

}  // namespace

std::string plan_text(const std::string& stack, const json::value& plan) {
  std::string text = fmt::format("stack {}\n", stack);
  std::map<std::string, int> counts;
  for (const json::value& step : list_of(plan, "steps")) {
    const std::string action = text_of(step, "action");
    ++counts[action];
    const std::string reason = text_of(step, "reason");
    text += fmt::format("  {} {:<8}{}  {}{}\n", sign_of(action), action, text_of(step, "logicalId"),
                        text_of(step, "type"), reason.empty() ? "" : "  (" + reason + ")");
    if (action != "change" && action != "replace") continue;
    for (const json::value& one : list_of(step, "differences")) {
      const json::object& difference = one.get_object();
      text += fmt::format("      {}: {} -> {}\n", text_of(one, "place"),
                          shown(difference.if_contains("before")),
                          shown(difference.if_contains("after")));
    }
  }
  for (const json::value& one : list_of(plan, "leftOut")) {
    const std::string property = text_of(one, "Property");
    text += fmt::format("  . left out {}{}  {}  ({})\n", text_of(one, "LogicalResourceId"),
                        property.empty() ? "" : "." + property, text_of(one, "ResourceType"),
                        text_of(one, "Reason"));
  }
  std::string sum;
  for (const std::string_view action : {"create", "change", "replace", "delete", "keep", "same"}) {
    const int count = counts[std::string(action)];
    if (count > 0) sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", count, action);
  }
  return text + "  " + (sum.empty() ? "nothing" : sum) + "\n";
}

}  // namespace andon::cli
