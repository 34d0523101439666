// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/problems.hpp"

#include <algorithm>

namespace andon::asl {
namespace {

std::string list_text(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return "[" + text + "]";
}

}  // namespace

void Problems::report(std::string_view code, std::string message, std::string location,
                      Severity severity) {
  if (severity == Severity::warning && options_.least == Severity::error) return;
  if (result_.diagnostics.size() >= options_.max_results) {
    result_.truncated = true;
    result_.ok = result_.ok && severity != Severity::error;
    return;
  }
  if (severity == Severity::error) result_.ok = false;
  result_.diagnostics.push_back(
      {severity, std::string(code), std::move(message), std::move(location)});
}

void Problems::schema(std::string message, std::string location) {
  report("SCHEMA_VALIDATION_FAILED", std::move(message), std::move(location));
}

void Problems::check_known(const json::object& object, const Names& known, const std::string& at) {
  for (const auto& member : object) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
      schema("Field '" + std::string(member.key()) + "' is not supported", at);
    }
  }
}

bool Problems::require_fields(const json::object& object, const Names& wanted,
                              const std::string& at) {
  Names missing;
  for (const std::string_view name : wanted) {
    if (!object.contains(name)) missing.push_back(name);
  }
  if (missing.empty()) return true;
  schema("These fields are required: " + list_text(missing), at.empty() ? "/" : at);
  return false;
}

const json::value* Problems::typed(const json::object& object, std::string_view key, Type type,
                                   const std::string& at) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return nullptr;
  struct Row {
    bool fits;
    std::string_view name;
  };
  const auto row = [&]() -> Row {
    switch (type) {
      case Type::text:
        return {value->is_string(), "STRING"};
      case Type::object:
        return {value->is_object(), "OBJECT"};
      case Type::list:
        return {value->is_array(), "ARRAY"};
      case Type::boolean:
        return {value->is_bool(), "BOOLEAN"};
      case Type::integer:
        return {value->is_int64(), "INTEGER"};
      case Type::number:
        return {value->is_number(), "NUMBER"};
    }
    return {false, ""};
  }();
  if (row.fits) return value;
  schema("Expected value of type [" + std::string(row.name) + "]", at + "/" + std::string(key));
  return nullptr;
}

std::string Problems::text(const json::object& object, std::string_view key,
                           const std::string& at) {
  const auto* value = typed(object, key, Type::text, at);
  return value != nullptr ? std::string(value->get_string()) : "";
}

std::string Problems::one_of(const json::object& object, std::string_view key, const Names& allowed,
                             const std::string& at) {
  const auto* value = typed(object, key, Type::text, at);
  if (value == nullptr) return "";
  const std::string_view text = value->get_string();
  if (std::ranges::find(allowed, text) != allowed.end()) return std::string(text);
  schema(
      "The field '" + std::string(key) + "' should have one of these values: " + list_text(allowed),
      at + "/" + std::string(key));
  return "";
}

void Problems::check_range(std::int64_t value, std::int64_t least, std::int64_t most,
                           const std::string& at) {
  if (value < least || value > most) {
    schema("Value must be between " + std::to_string(least) + " and " + std::to_string(most), at);
  }
}

}  // namespace andon::asl
