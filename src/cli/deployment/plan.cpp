// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment/plan.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/error/error.hpp"
#include "options/usage_error.hpp"
#include "recipe/deployment/configuration.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using options::UsageError;

json::value value_of(std::string_view text) {
  try {
    return base::parse_json(text, "value");
  } catch (const base::Error&) {
    return json::value(json::string(text));
  }
}

json::object object_at(json::object& parent, std::string_view key) {
  const json::value* const found = parent.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : json::object();
}

// `merge` as an object, whichever of its two forms it has.
json::object merge_of(const json::object& update) {
  const json::value* const merge = update.if_contains("merge");
  if (merge == nullptr || merge->is_null()) return {};
  if (merge->is_object()) return merge->get_object();
  json::value parsed =
      merge->is_string() ? base::parse_json(merge->get_string(), "merge") : json::value();
  if (!parsed.is_object()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "configurationUpdate.merge must be a JSON object, or one as text");
  }
  return std::move(parsed.get_object());
}

// {"a": {"b": value}} of "a.b".
json::object nested(std::string_view key, json::value value) {
  const std::size_t dot = key.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? key : key.substr(dot + 1);
  json::object object{{last, std::move(value)}};
  return dot == std::string_view::npos ? object
                                       : nested(key.substr(0, dot), json::value(std::move(object)));
}

}  // namespace

void DeploymentPlan::put(const std::string& component, const std::string& version) {
  json::object entry = object_at(components_, component);
  entry["componentVersion"] = version;
  components_[component] = std::move(entry);
}

void DeploymentPlan::remove(const std::string& component) {
  if (components_.erase(component) == 0) {
    throw base::Error(base::ErrorCode::not_found,
                      component + " is not deployed to this target, so it cannot be removed");
  }
}

void DeploymentPlan::set(std::string_view assignment) {
  const std::size_t colon = assignment.find(':');
  const std::size_t equals = assignment.find('=', colon == std::string_view::npos ? 0 : colon);
  if (colon == std::string_view::npos || equals == std::string_view::npos || colon == 0 ||
      equals == colon + 1) {
    throw UsageError(fmt::format("'{}': COMPONENT:KEY=VALUE is expected", assignment));
  }
  set(std::string(assignment.substr(0, colon)), assignment.substr(colon + 1, equals - colon - 1),
      value_of(assignment.substr(equals + 1)));
}

void DeploymentPlan::set(const std::string& component, std::string_view key, json::value value) {
  if (!has(component)) {
    throw UsageError(component + " is not part of this deployment: add it with --component");
  }
  json::object entry = object_at(components_, component);
  json::object update = object_at(entry, "configurationUpdate");
  json::object merge = merge_of(update);
  recipe::merge_configuration(merge, nested(key, std::move(value)));
  update["merge"] = base::to_text(merge);
  entry["configurationUpdate"] = std::move(update);
  components_[component] = std::move(entry);
}

void DeploymentPlan::put_all(const json::object& components) {
  for (const auto& [name, given] : components) {
    if (!given.is_object()) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        fmt::format("components.{} must be an object with componentVersion",
                                    std::string_view(name)));
    }
    json::object entry = given.get_object();
    json::object update = object_at(entry, "configurationUpdate");
    if (update.contains("merge")) {
      update["merge"] = base::to_text(merge_of(update));
      entry["configurationUpdate"] = std::move(update);
    }
    components_[name] = std::move(entry);
  }
}

}  // namespace andon::cli
