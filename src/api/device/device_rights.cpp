// SPDX-License-Identifier: Apache-2.0
#include "api/device/device_rights.hpp"

#include "control/iotpolicy/compiled_policies.hpp"
#include "rights/topic_rights.hpp"

namespace andon::api {
namespace {

using policy::Verdict;
using rights::Ruling;
using rights::TopicRights;

constexpr std::string_view kThing = "thing/";
constexpr std::string_view kTopic = "topic/";
constexpr std::size_t kMostShown = 600;

bool is_of_shadows(std::string_view action) {
  return action == "iot:GetThingShadow" || action == "iot:UpdateThingShadow" ||
         action == "iot:DeleteThingShadow" || action == "iot:ListNamedShadowsForThing";
}

// "line-4" of "thing/line-4" and "thing/line-4/lamp".
std::string_view thing_in(std::string_view resource) {
  if (!resource.starts_with(kThing)) return {};
  resource.remove_prefix(kThing.size());
  return resource.substr(0, resource.find('/'));
}

Ruling decide(const TopicRights& rights, const std::string& thing, std::string_view action,
              std::string_view resource) {
  if (is_of_shadows(action)) {
    Ruling ruling = rights.ask(action, resource);
    ruling.is_allowed = thing_in(resource) == thing && ruling.verdict != Verdict::denied_explicitly;
    return ruling;
  }
  if (action == "iot:ListRetainedMessages") return rights.ask(action, resource);
  if (!resource.starts_with(kTopic)) return {};
  const std::string_view topic = resource.substr(kTopic.size());
  if (action == "iot:Publish") return rights.publish(topic);
  if (action == "iot:RetainPublish") return rights.retain(topic);
  if (action == "iot:GetRetainedMessage") return rights.read_retained(topic);
  return {};
}

}  // namespace

std::optional<std::string> DeviceRights::refusal(const Caller& device, std::string_view action,
                                                 const std::string& resource) const {
  const auto why = objection(device, action, resource);
  if (!why) return std::nullopt;
  return "User: " + device.principal + " is not authorized to perform: " + std::string(action) +
         " on resource: " + resource.substr(0, kMostShown) + " " + *why;
}

std::optional<std::string> DeviceRights::objection(const Caller& device, std::string_view action,
                                                   const std::string& resource) const {
  const auto holder = control_.rights.at_broker(device.certificate);
  if (!holder || !holder->may || holder->thing.empty() ||
      device.principal != std::string(kThing) + holder->thing) {
    return "because its certificate may not be used any more";
  }
  const std::string realm = control_.arns.target("");
  const TopicRights rights({.kind = rights::PrincipalKind::thing,
                            .name = holder->thing,
                            .policies = holder->policies,
                            .facts = holder->facts},
                           compile_policies(control_.iot_policies, holder->policies), realm,
                           {.client_id = holder->thing, .source_ip = device.source_ip});
  Ruling ruling = rights.connect();
  if (ruling.is_allowed) {
    const std::string_view whole = resource;
    ruling = decide(rights, holder->thing, action,
                    whole.starts_with(realm) ? whole.substr(realm.size()) : whole);
  }
  if (ruling.is_allowed) return std::nullopt;
  if (ruling.verdict == Verdict::denied_explicitly) {
    return "with an explicit deny in the IoT policy " +
           (ruling.policy ? ruling.policy->name : std::string("of its certificate"));
  }
  if (is_of_shadows(action)) return "because it is not the device's own";
  return holder->policies.empty()
             ? "because its certificate has no IoT policy, and without one it has its own topics"
             : "because no IoT policy of its certificate allows the " + std::string(action) +
                   " action";
}

}  // namespace andon::api
