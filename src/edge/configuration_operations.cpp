// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration_operations.hpp"

#include <algorithm>
#include <cmath>

#include "base/time.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kAccessControl = "accessControl";

std::vector<std::string> read_key_path(const base::JsonReader& reader) {
  std::vector<std::string> path;
  const json::array* keys = reader.optional_array("keyPath");
  if (keys == nullptr) return path;
  for (const json::value& key : *keys) {
    if (!key.is_string()) throw invalid_arguments("keyPath must be a list of texts");
    path.emplace_back(key.get_string());
  }
  return path;
}

std::string to_text(const std::vector<std::string>& path) {
  return base::join_pointer(path);
}

// Null where the path leads nowhere.
const json::value* find_at(const json::object& all, const std::vector<std::string>& path) {
  const json::object* at = &all;
  const json::value* value = nullptr;
  for (const std::string& key : path) {
    value = at == nullptr ? nullptr : at->if_contains(key);
    if (value == nullptr) return nullptr;
    at = value->if_object();
  }
  return value;
}

bool is_prefix(const std::vector<std::string>& prefix, const std::vector<std::string>& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

}  // namespace

ConfigurationOperations::ConfigurationOperations(ConfigurationStore& store) : store_(store) {
  store_.on_change([this](const std::string& component, const std::vector<KeyPath>& changed) {
    tell(component, changed);
  });
}

void ConfigurationOperations::add_to(IpcOperations& operations) {
  operations["GetConfiguration"] = {StreamAfterAnswer::closes,
                                    [this](const IpcCall& call) { return get(call); }};
  operations["UpdateConfiguration"] = {StreamAfterAnswer::closes,
                                       [this](const IpcCall& call) { return update(call); }};
  operations["SubscribeToConfigurationUpdate"] = {
      StreamAfterAnswer::stays_open, [this](const IpcCall& call) { return subscribe(call); }};
}

json::object ConfigurationOperations::get(const IpcCall& call) const {
  const base::JsonReader reader(call.request, "GetConfiguration request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  const KeyPath path = read_key_path(reader);
  const json::object* all = store_.resolved(component);
  if (all == nullptr) {
    throw resource_not_found("component", component,
                             "component " + component + " is not on this device");
  }
  if (path.empty()) return {{"componentName", component}, {"value", *all}};
  const json::value* value = find_at(*all, path);
  if (value == nullptr) {
    throw resource_not_found(
        "configuration", to_text(path),
        "component " + component + " has no configuration at " + to_text(path));
  }
  if (value->is_object()) return {{"componentName", component}, {"value", *value}};
  // The service model wants an object: as Greengrass does, the value under its own key.
  return {{"componentName", component}, {"value", json::object{{path.back(), *value}}}};
}

json::object ConfigurationOperations::update(const IpcCall& call) {
  const base::JsonReader reader(call.request, "UpdateConfiguration request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  if (component != call.component) {
    throw IpcError("UnauthorizedError", "a component can only change its own configuration");
  }
  const KeyPath path = read_key_path(reader);
  const json::value* value = call.request.if_contains("valueToMerge");
  if (value == nullptr) throw invalid_arguments("valueToMerge is missing");
  const bool touches_policy =
      path.empty() ? value->is_object() && value->get_object().contains(kAccessControl)
                   : path.front() == kAccessControl;
  if (touches_policy) {
    throw invalid_arguments("accessControl can only be changed by a deployment");
  }
  base::Timestamp written_at = base::SystemClock().now();
  if (const auto seconds = reader.optional_number("timestamp")) {
    if (!(*seconds >= 0 && *seconds < 1e11)) {
      throw invalid_arguments("timestamp must be seconds since 1970");
    }
    written_at = base::from_epoch_millis(static_cast<std::int64_t>(std::llround(*seconds * 1e3)));
  }
  // A client may name the last key again: {"threshold": 0.5} at /threshold.
  const bool names_itself = !path.empty() && value->is_object() &&
                            value->get_object().size() == 1 &&
                            value->get_object().begin()->key() == path.back();
  const json::value* current = store_.find_at(component, path);
  const bool unwrap = names_itself && current != nullptr && !current->is_object();
  if (store_.merge(component, path, unwrap ? value->get_object().begin()->value() : *value,
                   written_at) == ConfigurationStore::MergeOutcome::older_than_current) {
    throw IpcError("FailedUpdateConditionCheckError",
                   "the timestamp is older than the configuration's last change");
  }
  return {};
}

json::object ConfigurationOperations::subscribe(const IpcCall& call) {
  const base::JsonReader reader(call.request, "SubscribeToConfigurationUpdate request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  const std::uint64_t id = next_id_++;
  subscriptions_->insert({id, {component, read_key_path(reader), call.stream}});
  call.stream->on_close([weak = std::weak_ptr(subscriptions_), id] {
    if (const auto subscriptions = weak.lock()) subscriptions->erase(id);
  });
  return {};
}

void ConfigurationOperations::tell(const std::string& component,
                                   const std::vector<KeyPath>& changed) {
  // A copy: a stream that fails to send removes its subscription.
  for (const auto& [id, subscription] : std::map(*subscriptions_)) {
    if (subscription.component != component) continue;
    const std::shared_ptr<IpcStream> stream = subscription.stream.lock();
    if (!stream) continue;
    for (const KeyPath& path : changed) {
      if (!is_prefix(path, subscription.key_path) && !is_prefix(subscription.key_path, path)) {
        continue;
      }
      stream->send_event("ConfigurationUpdateEvents",
                         {{"configurationUpdateEvent",
                           json::object{{"componentName", component},
                                        {"keyPath", json::array(path.begin(), path.end())}}}});
    }
  }
}

}  // namespace andon::edge
