// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment/configuration.hpp"

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

void fill_missing(json::object& into, const json::object& defaults) {
  for (const auto& member : defaults) {
    auto* present = into.if_contains(member.key());
    if (present == nullptr) {
      into[member.key()] = member.value();
    } else if (present->is_object() && member.value().is_object()) {
      fill_missing(present->get_object(), member.value().get_object());
    }
  }
}

void reset(json::object& configuration, const json::object& defaults, const std::string& pointer) {
  const auto tokens = base::split_pointer(pointer);
  if (tokens.empty()) {
    configuration = defaults;
    return;
  }
  json::object* object = &configuration;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    auto* child = object->if_contains(tokens[i]);
    if (child != nullptr && child->is_array()) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "cannot reset \"" + pointer +
                            "\": it names an element of a list; reset or merge the whole list");
    }
    if (child == nullptr || !child->is_object()) return;
    object = &child->get_object();
  }
  const json::value default_document(defaults);
  const auto* default_value = base::find_pointer(default_document, pointer);
  if (default_value != nullptr) {
    (*object)[tokens.back()] = *default_value;
  } else {
    object->erase(tokens.back());
  }
}

}  // namespace

std::size_t depth_of(const json::value& value, std::size_t limit) {
  std::size_t inner = 0;
  if (limit == 0) return value.is_structured() ? 1 : 0;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) inner = std::max(inner, depth_of(member.value(), limit - 1));
  } else if (const auto* list = value.if_array()) {
    for (const auto& item : *list) inner = std::max(inner, depth_of(item, limit - 1));
  } else {
    return 0;
  }
  return inner + 1;
}

void merge_configuration(json::object& into, const json::object& patch) {
  for (const auto& member : patch) {
    auto* present = into.if_contains(member.key());
    if (present != nullptr && present->is_object() && member.value().is_object()) {
      merge_configuration(present->get_object(), member.value().get_object());
    } else {
      into[member.key()] = member.value();
    }
  }
}

json::object update_configuration(const json::object& current, const json::object& defaults,
                                  const ConfigurationUpdate& update) {
  json::object configuration = current;
  for (const auto& pointer : update.reset) reset(configuration, defaults, pointer);
  fill_missing(configuration, defaults);
  if (update.merge) merge_configuration(configuration, *update.merge);
  return configuration;
}

}  // namespace andon::recipe
