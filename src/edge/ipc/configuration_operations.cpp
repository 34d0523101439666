// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/configuration_operations.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json/json_reader.hpp"
#include "base/time/time.hpp"
#include "edge/ipc/access_policy.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kAccessControl = "accessControl";

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

// The deepest path that holds all changes that concern a subscription; nothing where none does.
std::optional<std::vector<std::string>> deepest_above(
    const std::vector<std::vector<std::string>>& changed,
    const std::vector<std::string>& subscribed) {
  std::optional<std::vector<std::string>> above;
  for (const std::vector<std::string>& path : changed) {
    if (!is_prefix(path, subscribed) && !is_prefix(subscribed, path)) continue;
    if (!above) {
      above = path;
      continue;
    }
    const auto end = std::ranges::mismatch(*above, path).in1;
    above->erase(end, above->end());
  }
  return above;
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
  operations["UpdateConfiguration"] = {
      .after = StreamAfterAnswer::closes,
      .handle_later = [this](const IpcCall& call, IpcReply reply) { update(call, reply); }};
  operations["SubscribeToConfigurationUpdate"] = {
      StreamAfterAnswer::stays_open, [this](const IpcCall& call) { return subscribe(call); }};
}

json::object ConfigurationOperations::get(const IpcCall& call) const {
  const base::JsonReader reader(call.request, "GetConfiguration request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  const KeyPath path = reader.strings("keyPath");
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

void ConfigurationOperations::update(const IpcCall& call, IpcReply reply) {
  const base::JsonReader reader(call.request, "UpdateConfiguration request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  if (component != call.component && call.component != kLocalOperator) {
    throw IpcError("UnauthorizedError", "a component can only change its own configuration");
  }
  if (store_.find(component) == nullptr && call.component == kLocalOperator) {
    throw resource_not_found("component", component,
                             "component " + component + " is not on this device");
  }
  const KeyPath path = reader.strings("keyPath");
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
  using Outcome = ConfigurationStore::MergeOutcome;
  store_.merge(component, path, unwrap ? value->get_object().begin()->value() : *value, written_at,
               [reply = std::move(reply)](Outcome outcome, std::exception_ptr error) {
                 if (!error && outcome == Outcome::older_than_current) {
                   error = std::make_exception_ptr(
                       IpcError("FailedUpdateConditionCheckError",
                                "the timestamp is older than the configuration's last change"));
                 }
                 reply({}, std::move(error));
               });
}

json::object ConfigurationOperations::subscribe(const IpcCall& call) {
  const base::JsonReader reader(call.request, "SubscribeToConfigurationUpdate request");
  const std::string component = reader.optional_string("componentName").value_or(call.component);
  const std::uint64_t id = next_id_++;
  subscriptions_->insert({id, {component, reader.strings("keyPath"), call.stream}});
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
    const std::optional<KeyPath> path = deepest_above(changed, subscription.key_path);
    if (!path) continue;
    stream->send_event("ConfigurationUpdateEvents",
                       {{"configurationUpdateEvent",
                         json::object{{"componentName", component},
                                      {"keyPath", json::array(path->begin(), path->end())}}}});
  }
}

}  // namespace andon::edge
