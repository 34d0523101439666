// SPDX-License-Identifier: Apache-2.0
#include "events/rules/types.hpp"

namespace andon::events {

RetryPolicy retry_policy(const json::object& target) {
  RetryPolicy policy;
  const auto* given = target.if_contains("RetryPolicy");
  const auto* members = given == nullptr ? nullptr : given->if_object();
  if (members == nullptr) return policy;
  if (const auto* age = members->if_contains("MaximumEventAgeInSeconds");
      age != nullptr && age->is_number()) {
    policy.most_age = std::chrono::seconds(age->to_number<std::int64_t>());
  }
  if (const auto* attempts = members->if_contains("MaximumRetryAttempts");
      attempts != nullptr && attempts->is_number()) {
    policy.most_attempts = attempts->to_number<std::int64_t>();
  }
  return policy;
}

std::string EventArns::make(std::string_view service, const std::string& resource) const {
  return "arn:aws:" + std::string(service) + ":" + region_ + ":" + account_ + ":" + resource;
}

std::string EventArns::bus(std::string_view name) const {
  return make("events", "event-bus/" + std::string(name));
}

std::string EventArns::rule(std::string_view bus, std::string_view name) const {
  const std::string between = bus == kDefaultBus ? "" : std::string(bus) + "/";
  return make("events", "rule/" + between + std::string(name));
}

std::string EventArns::api_destination(std::string_view name, std::string_view id) const {
  return make("events", "api-destination/" + std::string(name) + "/" + std::string(id));
}

std::string EventArns::schedule(std::string_view group, std::string_view name) const {
  return make("scheduler", "schedule/" + std::string(group) + "/" + std::string(name));
}

std::string EventArns::schedule_group(std::string_view name) const {
  return make("scheduler", "schedule-group/" + std::string(name));
}

std::string EventArns::topic_rule(std::string_view name) const {
  return make("iot", "rule/" + std::string(name));
}

std::string bus_name(std::string_view name_or_arn) {
  constexpr std::string_view kKind = ":event-bus/";
  if (name_or_arn.empty()) return std::string(kDefaultBus);
  const std::size_t at = name_or_arn.find(kKind);
  if (!name_or_arn.starts_with("arn:") || at == std::string_view::npos) {
    return std::string(name_or_arn);
  }
  return std::string(name_or_arn.substr(at + kKind.size()));
}

}  // namespace andon::events
