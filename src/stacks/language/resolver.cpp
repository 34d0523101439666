// SPDX-License-Identifier: Apache-2.0
#include "stacks/language/resolver.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"

namespace andon::stacks {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kDeepest = 96;
constexpr std::string_view kFunction = "Fn::";

[[noreturn]] void refuse(const std::string& place, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, place + ": " + std::string(why));
}

const json::array& arguments(const json::value& argument, std::size_t least, std::size_t most,
                             const std::string& place) {
  const auto* list = argument.if_array();
  if (list == nullptr || list->size() < least || list->size() > most) {
    refuse(place, "takes a list of " + std::to_string(least) +
                      (most == least ? "" : " to " + std::to_string(most)) + " values");
  }
  return *list;
}

// The one function of an object that is a call; nothing for a plain object.
std::optional<std::string> function_of(const json::object& object) {
  if (object.size() != 1) return std::nullopt;
  const std::string_view key = object.begin()->key();
  if (key == "Ref" || key.starts_with(kFunction)) return std::string(key);
  return std::nullopt;
}

}  // namespace

std::string placeholder(const std::string& id, const std::string& attribute) {
  return "${" + id + (attribute.empty() ? "" : "." + attribute) + "}";
}

Resolver::Resolver(const Template& read, json::object values, World world)
    : template_(read), values_(std::move(values)), world_(std::move(world)) {}

std::optional<json::value> Resolver::resolve(const json::value& value,
                                             const std::string& place) const {
  return walk(value, place, 0);
}

json::object Resolver::resolve_object(const json::object& object, const std::string& place) const {
  const Value made = walk(json::value(object), place, 0);
  if (!made) return {};
  if (!made->is_object()) refuse(place, "must be an object");
  return made->get_object();
}

std::string Resolver::resolve_text(const json::value& value, const std::string& place) const {
  return text(value, place, 0);
}

bool Resolver::holds(const std::string& condition) const {
  if (condition.empty()) return true;
  if (const auto known = conditions_.find(condition); known != conditions_.end()) {
    return known->second;
  }
  const std::string place = "Conditions." + condition;
  const auto* value = template_.conditions.if_contains(condition);
  if (value == nullptr) refuse(place, "there is no such condition");
  if (!in_hand_.insert(condition).second) refuse(place, "the condition depends on itself");
  const bool is_true = truth(*value, place, in_hand_.size());
  in_hand_.erase(condition);
  conditions_[condition] = is_true;
  return is_true;
}

Resolver::Value Resolver::walk(const json::value& value, const std::string& place,
                               std::size_t depth) const {
  if (depth > kDeepest) refuse(place, "is nested too deeply");
  if (const auto* list = value.if_array()) {
    json::array made;
    for (std::size_t i = 0; i < list->size(); ++i) {
      Value one = walk((*list)[i], place + "." + std::to_string(i), depth + 1);
      if (one) made.push_back(*std::move(one));
    }
    return made;
  }
  if (const auto* object = value.if_object()) {
    if (const auto function = function_of(*object)) {
      return call(*function, object->begin()->value(), place, depth + 1);
    }
    json::object made;
    for (const auto& [key, inner] : *object) {
      Value one = walk(inner, place + "." + std::string(key), depth + 1);
      if (one) made[key] = *std::move(one);
    }
    return made;
  }
  if (value.is_string()) {
    const std::string found(value.get_string());
    bytes_ += found.size();
    if (bytes_ > kMostResolvedBytes) refuse(place, "the template comes to more than 4 MiB of text");
    return json::value(with_stored(found, place));
  }
  return value;
}

Resolver::Value Resolver::call(const std::string& function, const json::value& argument,
                               const std::string& at, std::size_t depth) const {
  const std::string place = at + "." + function;
  if (function == "Ref") {
    if (!argument.is_string()) refuse(place, "takes a name");
    return refer(std::string(argument.get_string()), place);
  }
  if (function == "Fn::GetAtt") {
    if (argument.is_string()) {
      const std::string whole(argument.get_string());
      const std::size_t dot = whole.find('.');
      if (dot == std::string::npos) refuse(place, "takes a resource and an attribute");
      return attribute(whole.substr(0, dot), whole.substr(dot + 1), place);
    }
    const auto& two = arguments(argument, 2, 2, place);
    if (!two[0].is_string()) refuse(place, "takes a resource and an attribute");
    return attribute(std::string(two[0].get_string()), text(two[1], place, depth), place);
  }
  if (function == "Fn::Sub") return json::value(substitute(argument, place, depth));
  if (function == "Fn::Join") {
    const auto& two = arguments(argument, 2, 2, place);
    const std::string between = text(two[0], place, depth);
    std::string joined;
    const json::array parts = list(two[1], place, depth);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) joined += between;
      joined += text(parts[i], place, depth);
    }
    return json::value(joined);
  }
  if (function == "Fn::Split") {
    const auto& two = arguments(argument, 2, 2, place);
    const std::string between = text(two[0], place, depth);
    if (between.empty()) refuse(place, "the delimiter is empty");
    const std::string whole = text(two[1], place, depth);
    json::array parts;
    std::size_t from = 0;
    for (;;) {
      const std::size_t to = whole.find(between, from);
      parts.emplace_back(whole.substr(from, to == std::string::npos ? to : to - from));
      if (to == std::string::npos) break;
      from = to + between.size();
    }
    return parts;
  }
  if (function == "Fn::Select") {
    const auto& two = arguments(argument, 2, 2, place);
    const json::array from = list(two[1], place, depth);
    const auto index = base::parse_integer<std::size_t>(text(two[0], place, depth));
    if (!index || *index >= from.size()) {
      refuse(place, "there is no item " + text(two[0], place, depth) + " in a list of " +
                        std::to_string(from.size()));
    }
    return from[*index];
  }
  if (function == "Fn::If") {
    const auto& three = arguments(argument, 3, 3, place);
    if (!three[0].is_string()) refuse(place, "takes the name of a condition first");
    return walk(holds(std::string(three[0].get_string())) ? three[1] : three[2], place, depth);
  }
  if (function == "Fn::FindInMap") {
    const auto& given = arguments(argument, 3, 4, place);
    const std::string map = text(given[0], place, depth);
    const std::string first = text(given[1], place, depth);
    const std::string second = text(given[2], place, depth);
    const auto* top = template_.mappings.if_contains(map);
    const auto* middle =
        top != nullptr && top->is_object() ? top->get_object().if_contains(first) : nullptr;
    const auto* found = middle != nullptr && middle->is_object()
                            ? middle->get_object().if_contains(second)
                            : nullptr;
    if (found != nullptr) return *found;
    if (given.size() == 4 && given[3].is_object()) {
      if (const auto* standard = given[3].get_object().if_contains("DefaultValue")) {
        return walk(*standard, place, depth);
      }
    }
    refuse(place, "Mappings has no " + map + "." + first + "." + second);
  }
  if (function == "Fn::Base64") return json::value(base::to_base64(text(argument, place, depth)));
  if (function == "Fn::ImportValue") {
    const std::string name = text(argument, place, depth);
    const auto value = world_.imported ? world_.imported(name) : std::nullopt;
    if (!value) refuse(place, "no stack exports " + name);
    return json::value(*value);
  }
  if (function == "Fn::Length") {
    return json::value(static_cast<std::int64_t>(list(argument, place, depth).size()));
  }
  if (function == "Fn::ToJsonString") {
    return json::value(base::to_text(must(argument, place, depth)));
  }
  refuse(at, function + ": this server does not have that function");
}

Resolver::Value Resolver::refer(const std::string& name, const std::string& place) const {
  if (name == "AWS::NoValue") return std::nullopt;
  if (const auto* value = values_.if_contains(name)) return *value;
  if (template_.find_resource(name) == nullptr) {
    refuse(place, "there is no parameter and no resource " + name);
  }
  auto value = world_.reference ? world_.reference(name) : std::nullopt;
  if (!value) refuse(place, "the resource " + name + " is not there");
  return value;
}

json::value Resolver::attribute(const std::string& id, const std::string& name,
                                const std::string& place) const {
  const Resource* resource = template_.find_resource(id);
  if (resource == nullptr) refuse(place, "there is no resource " + id);
  auto value = world_.attribute ? world_.attribute(id, name) : std::nullopt;
  if (!value) refuse(place, resource->type + " has no attribute " + name + " here (" + id + ")");
  return *std::move(value);
}

std::string Resolver::substitute(const json::value& argument, const std::string& place,
                                 std::size_t depth) const {
  std::string pattern;
  json::object own;
  if (argument.is_string()) {
    pattern = std::string(argument.get_string());
  } else {
    const auto& two = arguments(argument, 2, 2, place);
    if (!two[0].is_string() || !two[1].is_object()) refuse(place, "takes a text and an object");
    pattern = std::string(two[0].get_string());
    own = two[1].get_object();
  }
  std::string made;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const std::size_t open = pattern.find("${", at);
    if (open == std::string::npos) break;
    made += pattern.substr(at, open - at);
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) refuse(place, "a ${ is not closed");
    const std::string name = pattern.substr(open + 2, close - open - 2);
    at = close + 1;
    if (name.starts_with('!')) {
      made += "${" + name.substr(1) + "}";
    } else if (const auto* value = own.if_contains(name)) {
      made += text(*value, place + "." + name, depth);
    } else if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      made += text(attribute(name.substr(0, dot), name.substr(dot + 1), place), place, depth);
    } else {
      const Value found = refer(name, place);
      if (!found) refuse(place, name + " has no value");
      made += text(*found, place, depth);
    }
    if (made.size() > kMostResolvedBytes) refuse(place, "comes to more than 4 MiB");
  }
  return with_stored(made + pattern.substr(at), place);
}

std::string Resolver::with_stored(const std::string& found, const std::string& place) const {
  constexpr std::string_view kOpen = "{{resolve:";
  std::size_t open = found.find(kOpen);
  if (open == std::string::npos) return found;
  std::string made;
  std::size_t at = 0;
  while (open != std::string::npos) {
    const std::size_t close = found.find("}}", open);
    if (close == std::string::npos) refuse(place, "a {{resolve: is not closed");
    const std::string what = found.substr(open + kOpen.size(), close - open - kOpen.size());
    if (!what.starts_with("ssm:")) {
      refuse(place, "{{resolve:" + what.substr(0, what.find(':')) +
                        ":...}} would put a secret into the stack's record: let what uses it read "
                        "it (secretsmanager:GetSecretValue)");
    }
    const auto value = world_.stored ? world_.stored(what.substr(4)) : std::nullopt;
    if (!value) refuse(place, "there is no parameter " + what.substr(4) + " in the store");
    made += found.substr(at, open - at) + *value;
    at = close + 2;
    open = found.find(kOpen, at);
  }
  return made + found.substr(at);
}

json::value Resolver::must(const json::value& value, const std::string& place,
                           std::size_t depth) const {
  Value made = walk(value, place, depth + 1);
  if (!made) refuse(place, "AWS::NoValue cannot stand here");
  return *std::move(made);
}

std::string Resolver::text(const json::value& value, const std::string& place,
                           std::size_t depth) const {
  const json::value made = must(value, place, depth);
  if (made.is_string()) return std::string(made.get_string());
  if (made.is_number() || made.is_bool()) return base::to_text(made);
  refuse(place, "comes to a list or an object where a text must stand");
}

json::array Resolver::list(const json::value& value, const std::string& place,
                           std::size_t depth) const {
  json::value made = must(value, place, depth);
  if (!made.is_array()) refuse(place, "must come to a list");
  return std::move(made.get_array());
}

bool Resolver::truth(const json::value& value, const std::string& place, std::size_t depth) const {
  if (depth > kDeepest) refuse(place, "is nested too deeply");
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 1) {
    refuse(place, "must be Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition");
  }
  const std::string function(object->begin()->key());
  const json::value& argument = object->begin()->value();
  if (function == "Condition") {
    if (!argument.is_string()) refuse(place, "Condition takes a name");
    return holds(std::string(argument.get_string()));
  }
  if (function == "Fn::Equals") {
    const auto& two = arguments(argument, 2, 2, place);
    const json::value left = must(two[0], place, depth);
    const json::value right = must(two[1], place, depth);
    if (left.is_structured() || right.is_structured()) return left == right;
    return text(left, place, depth) == text(right, place, depth);
  }
  const auto is_true = [&](const json::value& one) { return truth(one, place, depth + 1); };
  constexpr std::size_t kMost = 10;
  if (function == "Fn::And")
    return std::ranges::all_of(arguments(argument, 2, kMost, place), is_true);
  if (function == "Fn::Or")
    return std::ranges::any_of(arguments(argument, 2, kMost, place), is_true);
  if (function == "Fn::Not") return !is_true(arguments(argument, 1, 1, place)[0]);
  refuse(place, function + " is no condition");
}

std::vector<std::string> dependencies(const Template& read, const Resource& resource,
                                      const json::object& values, const World& world) {
  std::vector<std::string> found = resource.depends_on;
  const auto add = [&found](const std::string& id) {
    if (std::ranges::find(found, id) == found.end()) found.push_back(id);
  };
  World watching = world;
  watching.reference = [&add](const std::string& id) -> std::optional<json::value> {
    add(id);
    return json::value(placeholder(id));
  };
  watching.attribute = [&add](const std::string& id,
                              const std::string& name) -> std::optional<json::value> {
    add(id);
    return json::value(placeholder(id, name));
  };
  const Resolver resolver(read, values, watching);
  (void)resolver.resolve_object(resource.properties, "Resources." + resource.id + ".Properties");
  return found;
}

}  // namespace andon::stacks
