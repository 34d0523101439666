// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/expressions.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"

namespace andon::workflow {
namespace {

using base::JsonReader;

constexpr std::size_t kMostPathBytes = 2048;
constexpr std::size_t kMostParts = 64;
constexpr std::size_t kMostJoined = 256U << 10U;
constexpr std::size_t kMostConditions = 200;
constexpr int kMostDepth = 16;  // of conditions in conditions

[[noreturn]] void refuse(const std::string& message) {
  throw base::Error(base::ErrorCode::invalid_argument, message);
}

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, 200)) + "'";
}

// The one member of an object that is an expression; null: it is none.
const json::value* expression(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  return object != nullptr && object->size() == 1 ? object->if_contains(name) : nullptr;
}

std::string text_of(const json::value& value, std::string_view what) {
  if (!value.is_string()) refuse(std::string(what) + " must be a text");
  return std::string(value.get_string());
}

std::string scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_object() || value.is_array() || value.is_null()) {
    refuse("Std:Join: a value is no text and no number");
  }
  return base::to_text(value);
}

struct JsonGet {
  std::string step;
  std::string file;
  std::vector<PathPart> path;
};

JsonGet read_json_get(const json::value& value) {
  const JsonReader reader(value, "Std:JsonGet");
  if (reader.has("S3Uri")) {
    throw base::Error(base::ErrorCode::unsupported,
                      "Std:JsonGet: S3Uri is not read here; give a PropertyFile of a step");
  }
  reader.allow_only({"PropertyFile", "Path"});
  const json::value* file = reader.find("PropertyFile");
  const json::value* get = file == nullptr ? nullptr : expression(*file, "Get");
  if (get == nullptr)
    reader.fail("PropertyFile", "must be {\"Get\": \"Steps.NAME.PropertyFiles.FILE\"}");
  const Reference reference = parse_reference(text_of(*get, "Get"));
  const auto* first =
      reference.path.size() == 2 ? std::get_if<std::string>(&reference.path[0]) : nullptr;
  const auto* name =
      reference.path.size() == 2 ? std::get_if<std::string>(&reference.path[1]) : nullptr;
  if (reference.root != Reference::Root::step || first == nullptr || *first != "PropertyFiles" ||
      name == nullptr) {
    reader.fail("PropertyFile", "must be {\"Get\": \"Steps.NAME.PropertyFiles.FILE\"}");
  }
  return {.step = reference.name, .file = *name, .path = parse_path(reader.required_text("Path"))};
}

struct Join {
  std::string on;
  const json::array& values;
};

Join read_join(const json::value& value) {
  const JsonReader reader(value, "Std:Join");
  reader.allow_only({"On", "Values"});
  const json::array* values = reader.optional_array("Values");
  if (values == nullptr) reader.fail("Values", "is missing");
  return {.on = reader.optional_string("On").value_or(""), .values = *values};
}

// Two numbers, or two values of which one is a number's text, are compared as numbers.
std::optional<std::pair<double, double>> numbers(const json::value& left,
                                                 const json::value& right) {
  const auto number = [](const json::value& value) -> std::optional<double> {
    if (value.is_number()) return value.to_number<double>();
    if (value.is_string()) return base::parse_number(std::string_view(value.get_string()));
    return std::nullopt;
  };
  if (!left.is_number() && !right.is_number()) return std::nullopt;
  const auto first = number(left);
  const auto second = number(right);
  return first && second ? std::optional(std::pair(*first, *second)) : std::nullopt;
}

bool are_equal(const json::value& left, const json::value& right) {
  if (const auto both = numbers(left, right)) return both->first == both->second;
  return left == right;
}

constexpr std::array<std::string_view, 4> kOrders = {"GreaterThan", "GreaterThanOrEqualTo",
                                                     "LessThan", "LessThanOrEqualTo"};

template <typename Value>
bool compare(std::string_view type, const Value& left, const Value& right) {
  if (type == "GreaterThan") return left > right;
  if (type == "GreaterThanOrEqualTo") return left >= right;
  if (type == "LessThan") return left < right;
  return left <= right;
}

bool is_in_order(std::string_view type, const json::value& left, const json::value& right) {
  if (const auto both = numbers(left, right)) return compare(type, both->first, both->second);
  if (left.is_string() && right.is_string()) {
    return compare(type, std::string_view(left.get_string()), std::string_view(right.get_string()));
  }
  refuse(std::string(type) + " compares two numbers or two texts, not " +
         shown(base::to_text(left)) + " and " + shown(base::to_text(right)));
}

const json::value& member(const JsonReader& reader, std::string_view key) {
  const json::value* value = reader.find(key);
  if (value == nullptr) reader.fail(key, "is missing");
  return *value;
}

const json::array& list(const JsonReader& reader, std::string_view key) {
  const json::array* values = reader.optional_array(key);
  if (values == nullptr) reader.fail(key, "is missing");
  return *values;
}

bool one_holds(const json::value& condition, const ExpressionScope& scope, int depth) {
  const JsonReader reader(condition, "Conditions");
  const std::string type = reader.required_text("Type");
  if (type == "Not") return !one_holds(member(reader, "Expression"), scope, depth + 1);
  if (type == "Or") {
    const json::array& any = list(reader, "Conditions");
    return std::ranges::any_of(
        any, [&](const json::value& one) { return one_holds(one, scope, depth + 1); });
  }
  if (type == "In") {
    const json::value query = evaluate(member(reader, "QueryValue"), scope);
    const json::array& values = list(reader, "Values");
    return std::ranges::any_of(
        values, [&](const json::value& one) { return are_equal(query, evaluate(one, scope)); });
  }
  const json::value left = evaluate(member(reader, "LeftValue"), scope);
  const json::value right = evaluate(member(reader, "RightValue"), scope);
  return type == "Equals" ? are_equal(left, right) : is_in_order(type, left, right);
}

void check_condition(const json::value& condition,
                     const std::function<void(const Reference&)>& seen, std::size_t& count,
                     int depth) {
  const JsonReader reader(condition, "Conditions");
  if (++count > kMostConditions || depth > kMostDepth) {
    refuse("Conditions: there are more than 200, or they are more than 16 deep");
  }
  const std::string type = reader.required_text("Type");
  if (type == "Not") {
    check_condition(member(reader, "Expression"), seen, count, depth + 1);
  } else if (type == "Or") {
    for (const json::value& one : list(reader, "Conditions")) {
      check_condition(one, seen, count, depth + 1);
    }
  } else if (type == "In") {
    visit_references(member(reader, "QueryValue"), seen);
    for (const json::value& one : list(reader, "Values")) visit_references(one, seen);
  } else if (type == "Equals" || std::ranges::find(kOrders, type) != kOrders.end()) {
    visit_references(member(reader, "LeftValue"), seen);
    visit_references(member(reader, "RightValue"), seen);
  } else {
    reader.fail("Type", "is " + shown(type) +
                            " and must be one of Equals, GreaterThan, GreaterThanOrEqualTo, "
                            "LessThan, LessThanOrEqualTo, In, Not, Or");
  }
}

// Of a list the element that is called so: {"OutputName": "train", ...}.
const json::value* named_element(const json::array& values, const std::string& name) {
  for (const json::value& one : values) {
    const json::object* object = one.if_object();
    if (object == nullptr) continue;
    for (const std::string_view key :
         {"OutputName", "InputName", "ChannelName", "MetricName", "Name"}) {
      const json::value* found = object->if_contains(key);
      if (found != nullptr && found->is_string() && found->get_string() == name) return &one;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<PathPart> parse_path(std::string_view text) {
  if (text.empty() || text.size() > kMostPathBytes) refuse("a path is empty or too long");
  const std::string_view whole = text;
  const auto bad = [whole](const std::string& why) {
    refuse("the path " + shown(whole) + " " + why);
  };
  std::vector<PathPart> parts;
  bool needs_name = true;
  while (!text.empty()) {
    if (parts.size() == kMostParts) bad("has more than 64 parts");
    if (text.front() == '[') {
      if (needs_name && !parts.empty()) bad("has a '.' without a name behind it");
      const bool is_quoted = text.size() > 1 && (text[1] == '\'' || text[1] == '"');
      if (is_quoted) {
        const std::size_t end = text.find(text[1], 2);
        if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != ']') {
          bad("has a bracket that does not end");
        }
        parts.emplace_back(std::string(text.substr(2, end - 2)));
        text.remove_prefix(end + 2);
      } else {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) bad("has a bracket that does not end");
        const auto index = base::parse_integer<std::uint32_t>(text.substr(1, end - 1));
        if (!index) bad("has a bracket with neither a number nor a text in quotes");
        parts.emplace_back(std::size_t{*index});
        text.remove_prefix(end + 1);
      }
      needs_name = false;
    } else if (needs_name) {
      const std::size_t end = std::min(text.find_first_of(".["), text.size());
      if (end == 0) bad("has a '.' without a name behind it");
      parts.emplace_back(std::string(text.substr(0, end)));
      text.remove_prefix(end);
      needs_name = false;
    } else {
      if (text.front() != '.') bad("has no '.' between two names");
      text.remove_prefix(1);
      if (text.empty()) bad("ends in '.'");
      needs_name = true;
    }
  }
  return parts;
}

const json::value* find_path(const json::value& value, const std::vector<PathPart>& path,
                             std::size_t from) {
  const json::value* at = &value;
  for (std::size_t i = from; i < path.size() && at != nullptr; ++i) {
    if (const auto* index = std::get_if<std::size_t>(&path[i])) {
      const json::array* values = at->if_array();
      at = values != nullptr && *index < values->size() ? &(*values)[*index] : nullptr;
      continue;
    }
    const auto& name = std::get<std::string>(path[i]);
    if (const json::object* object = at->if_object()) {
      at = object->if_contains(name);
    } else if (const json::array* values = at->if_array()) {
      at = named_element(*values, name);
    } else {
      at = nullptr;
    }
  }
  return at;
}

Reference parse_reference(std::string_view text) {
  std::vector<PathPart> parts = parse_path(text);
  const auto name_at = [&parts](std::size_t index) -> const std::string* {
    return index < parts.size() ? std::get_if<std::string>(&parts[index]) : nullptr;
  };
  const std::string* root = name_at(0);
  const std::string* name = name_at(1);
  Reference reference;
  if (root != nullptr && name != nullptr) {
    reference.name = *name;
    if (*root == "Parameters" && parts.size() == 2) return reference;
    if (*root == "Execution" && parts.size() == 2) {
      reference.root = Reference::Root::execution;
      return reference;
    }
    if (*root == "Steps" && parts.size() > 2) {
      reference.root = Reference::Root::step;
      reference.path.assign(parts.begin() + 2, parts.end());
      return reference;
    }
  }
  refuse("Get: " + shown(text) +
         " is no reference: Parameters.NAME, Execution.PROPERTY or Steps.NAME.PROPERTY");
}

json::value evaluate(const json::value& value, const ExpressionScope& scope) {
  if (const json::value* get = expression(value, "Get")) {
    const std::string text = text_of(*get, "Get");
    const Reference reference = parse_reference(text);
    if (reference.root == Reference::Root::parameter) return scope.parameter(reference.name);
    if (reference.root == Reference::Root::execution) return scope.execution(reference.name);
    const json::value properties = scope.properties(reference.name);
    const json::value* found = find_path(properties, reference.path);
    if (found == nullptr) refuse("Get: the step has no " + shown(text));
    return *found;
  }
  if (const json::value* join = expression(value, "Std:Join")) {
    const Join parts = read_join(*join);
    std::string text;
    for (std::size_t i = 0; i < parts.values.size(); ++i) {
      if (i > 0) text += parts.on;
      text += scalar_text(evaluate(parts.values[i], scope));
      if (text.size() > kMostJoined) refuse("Std:Join: the text is longer than 262144 bytes");
    }
    return json::value(text);
  }
  if (const json::value* get = expression(value, "Std:JsonGet")) {
    const JsonGet asked = read_json_get(*get);
    const json::value content = scope.file(asked.step, asked.file);
    const json::value* found = find_path(content, asked.path);
    if (found == nullptr) {
      refuse("Std:JsonGet: the property file '" + asked.file + "' of step '" + asked.step +
             "' has nothing at its path");
    }
    return *found;
  }
  if (const json::object* object = value.if_object()) {
    json::object made;
    for (const auto& one : *object) made[one.key()] = evaluate(one.value(), scope);
    return made;
  }
  if (const json::array* values = value.if_array()) {
    json::array made;
    for (const json::value& one : *values) made.push_back(evaluate(one, scope));
    return made;
  }
  return value;
}

bool holds(const json::array& conditions, const ExpressionScope& scope) {
  return std::ranges::all_of(conditions,
                             [&](const json::value& one) { return one_holds(one, scope, 0); });
}

void visit_references(const json::value& value, const std::function<void(const Reference&)>& seen) {
  if (const json::value* get = expression(value, "Get")) {
    seen(parse_reference(text_of(*get, "Get")));
  } else if (const json::value* join = expression(value, "Std:Join")) {
    for (const json::value& one : read_join(*join).values) visit_references(one, seen);
  } else if (const json::value* json_get = expression(value, "Std:JsonGet")) {
    const JsonGet asked = read_json_get(*json_get);
    seen({.root = Reference::Root::step,
          .name = asked.step,
          .path = {std::string("PropertyFiles"), asked.file}});
  } else if (const json::object* object = value.if_object()) {
    for (const auto& one : *object) visit_references(one.value(), seen);
  } else if (const json::array* values = value.if_array()) {
    for (const json::value& one : *values) visit_references(one, seen);
  }
}

void check_conditions(const json::array& conditions,
                      const std::function<void(const Reference&)>& seen) {
  std::size_t count = 0;
  for (const json::value& one : conditions) check_condition(one, seen, count, 0);
}

}  // namespace andon::workflow
