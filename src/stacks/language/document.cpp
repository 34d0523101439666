// SPDX-License-Identifier: Apache-2.0
// The text of a template as JSON.
#include <algorithm>
#include <array>
#include <string>

#include "recipe/reader/json_or_yaml.hpp"
#include "stacks/language/template.hpp"

namespace andon::stacks {
namespace {

constexpr recipe::DocumentLimits kLimits{
    .max_bytes = kMostTemplateBytes, .max_depth = 64, .max_values = 200'000};

constexpr auto kFunctions = std::to_array<std::string_view>(
    {"GetAtt", "Sub", "Join", "Select", "Split", "If", "Equals", "And", "Or", "Not", "FindInMap",
     "Base64", "ImportValue", "GetAZs", "Cidr", "Transform", "Length", "ToJsonString", "Contains"});

// "!GetAtt A.B" -> {"Fn::GetAtt": ["A", "B"]}.
std::optional<json::value> short_form(std::string_view tag, json::value value) {
  if (!tag.starts_with('!')) return std::nullopt;
  const std::string_view name = tag.substr(1);
  json::object made;
  if (name == "Ref" || name == "Condition") {
    made[name] = std::move(value);
    return made;
  }
  if (std::ranges::find(kFunctions, name) == kFunctions.end()) return std::nullopt;
  if (name == "GetAtt" && value.is_string()) {
    const std::string text(value.get_string());
    const std::size_t dot = text.find('.');
    if (dot != std::string::npos) value = json::array{text.substr(0, dot), text.substr(dot + 1)};
  }
  made["Fn::" + std::string(name)] = std::move(value);
  return made;
}

}  // namespace

json::value parse_document(std::string_view text, std::string_view what) {
  return recipe::parse_json_or_yaml(text, what, kLimits, short_form);
}

}  // namespace andon::stacks
