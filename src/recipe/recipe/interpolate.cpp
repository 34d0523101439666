// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/interpolate.hpp"

#include <algorithm>
#include <optional>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "recipe/recipe/variables.hpp"

namespace andon::recipe {
namespace {

constexpr std::size_t kMaxTextBytes = 1U << 20U;  // of one text after substitution

struct Variable {
  std::string_view component;  // empty: the component itself
  std::string_view name_space;
  std::string_view key;
  std::size_t length = 0;  // of the whole "{...}"
};

bool is_name_character(char c) {
  return base::is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
}

std::string_view take_name(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_name_character);
  const auto name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(name.size());
  return name;
}

bool is_namespace(std::string_view name) {
  return name == "configuration" || name == "artifacts" || name == "work" || name == "kernel" ||
         name == "iot";
}

// The variable at the start of `text`, which begins with '{'. Nothing where it is not of the form
// {namespace:key} or {component:namespace:key}, or of a namespace that nobody knows.
std::optional<Variable> variable_at(std::string_view text) {
  std::string_view rest = text.substr(1);
  const auto first = take_name(rest);
  if (first.empty() || !rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  const auto end = rest.find_first_of(":}");
  if (end == std::string_view::npos) return std::nullopt;
  const auto second = rest.substr(0, end);
  const bool closes = rest[end] == '}';
  rest.remove_prefix(end + 1);
  if (closes) {
    if (!is_namespace(first)) return std::nullopt;
    return Variable{{}, first, second, text.size() - rest.size()};
  }
  const auto close = rest.find_first_of(":}");
  if (close == std::string_view::npos || rest[close] == ':' || !is_namespace(second)) {
    return std::nullopt;
  }
  const auto key = rest.substr(0, close);
  rest.remove_prefix(close + 1);
  return Variable{first, second, key, text.size() - rest.size()};
}

std::string value_text(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  return base::to_text(value);
}

class Substitution {
 public:
  Substitution(const InterpolationContext& context, std::string_view where)
      : context_(context), where_(where) {}

  [[nodiscard]] std::string value_of(const Variable& variable, std::string_view spelling) const {
    const ComponentValues& values = values_of(variable, spelling);
    if (variable.name_space == "configuration") {
      const json::value document(values.configuration);
      if (!variable.key.empty() && variable.key.front() != '/') {
        fail(spelling, "needs a JSON pointer, which starts with '/'");
      }
      const auto* value = base::find_pointer(document, variable.key);
      if (value == nullptr) fail(spelling, "names a configuration value that does not exist");
      return value_text(*value);
    }
    if (variable.name_space == "artifacts" && variable.key == "path") {
      return values.artifacts_path;
    }
    if (variable.name_space == "artifacts" && variable.key == "decompressedPath") {
      return values.decompressed_artifacts_path;
    }
    if (variable.name_space == "work" && variable.key == "path") return values.work_path;
    if (variable.name_space == "kernel" && variable.key == "rootPath") return context_.root_path;
    if (variable.name_space == "iot" && variable.key == "thingName") return context_.thing_name;
    fail(spelling,
         "is not known (known are configuration:/<pointer>, artifacts:path, "
         "artifacts:decompressedPath, work:path, kernel:rootPath, iot:thingName)");
  }

  [[noreturn]] void fail(std::string_view spelling, std::string_view why) const {
    throw base::Error(
        base::ErrorCode::invalid_argument,
        std::string(where_) + ": the variable " + std::string(spelling) + " " + std::string(why));
  }

 private:
  [[nodiscard]] const ComponentValues& values_of(const Variable& variable,
                                                 std::string_view spelling) const {
    if (variable.component.empty()) return context_.self;
    const auto found = context_.dependencies.find(std::string(variable.component));
    if (found == context_.dependencies.end()) {
      fail(spelling, "names a component that the recipe does not list in ComponentDependencies");
    }
    return found->second;
  }

  const InterpolationContext& context_;
  std::string_view where_;
};

}  // namespace

bool names_other_components(std::string_view text) {
  for (auto brace = text.find('{'); brace != std::string_view::npos; brace = text.find('{')) {
    text.remove_prefix(brace);
    const auto variable = variable_at(text);
    if (variable && !variable->component.empty()) return true;
    text.remove_prefix(1);
  }
  return false;
}

std::string interpolate(std::string_view text, const InterpolationContext& context,
                        std::string_view where) {
  const Substitution substitution(context, where);
  std::string result;
  while (!text.empty()) {
    const auto brace = std::min(text.find('{'), text.size());
    result += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.empty()) break;
    if (const auto variable = variable_at(text)) {
      const auto spelling = text.substr(0, variable->length);
      const std::string value = substitution.value_of(*variable, spelling);
      // To the system a NUL ends a script or a variable: what follows would be lost without a word.
      if (value.find('\0') != std::string::npos) {
        substitution.fail(spelling, "has a value with a NUL character, which no script can hold");
      }
      result += value;
      if (result.size() > kMaxTextBytes) substitution.fail(spelling, "makes the text too long");
      text.remove_prefix(variable->length);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

Lifecycle interpolate(const Lifecycle& lifecycle, const InterpolationContext& context,
                      std::string_view where) {
  Lifecycle result = lifecycle;
  const auto setenv = [&](std::map<std::string, std::string>& variables, const std::string& place) {
    for (auto& [name, value] : variables) {
      value = interpolate(value, context, place + ", Setenv " + name);
    }
  };
  setenv(result.setenv, std::string(where));
  for (auto& [which, step] : result.steps) {
    const auto place = std::string(where) + ", step " + std::string(to_string(which));
    step.script = interpolate(step.script, context, place);
    step.skip_if = interpolate(step.skip_if, context, place + ", Skipif");
    step.timeout = interpolate(step.timeout, context, place + ", Timeout");
    setenv(step.setenv, place);
  }
  return result;
}

json::value interpolate_json(const json::value& value, const InterpolationContext& context,
                             std::string_view where) {
  if (const auto* text = value.if_string()) {
    return json::value(interpolate(std::string_view(*text), context, where));
  }
  if (const auto* array = value.if_array()) {
    json::array result;
    for (const auto& element : *array) result.push_back(interpolate_json(element, context, where));
    return result;
  }
  if (const auto* object = value.if_object()) {
    json::object result;
    for (const auto& member : *object) {
      result[member.key()] = interpolate_json(member.value(), context, where);
    }
    return result;
  }
  return value;
}

}  // namespace andon::recipe
