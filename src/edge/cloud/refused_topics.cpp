// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/refused_topics.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

// Few components have more topics; with more, some refusal has nobody whose it is.
constexpr std::size_t kMostPublishers = 1000;
constexpr std::size_t kMostNamed = 5;

}  // namespace

RefusedTopics::RefusedTopics(MqttLink& link, const std::string& thing, Handlers handlers)
    : link_(link),
      changed_topic_(fleet::DeviceTopics(thing).policy_changed()),
      handlers_(std::move(handlers)) {
  subscription_ =
      link_.subscribe(fleet::DeviceTopics(thing).policy_news(), wire::Qos::at_least_once,
                      [this](const wire::MqttMessage& message) { take(message); });
  link_.on_connection([this, alive = alive_](bool connected) {
    if (*alive && !connected) forget();
  });
}

RefusedTopics::~RefusedTopics() {
  *alive_ = false;
  link_.unsubscribe(subscription_);
}

void RefusedTopics::take(const wire::MqttMessage& message) {
  if (message.topic == changed_topic_) return forget();
  try {
    const base::json::value value = base::parse_json(message.payload, "refusal");
    refused(base::JsonReader(value, "refusal").string("topic"));
  } catch (const base::Error& error) {
    base::log_warning("what the broker says of a refusal cannot be read",
                      {{"why", error.message()}});
  }
}

void RefusedTopics::refused(const std::string& topic) {
  ++count_;
  handlers_.on_refused(topic);
  if (has(topic)) return;
  const auto publisher = publishers_.find(topic);
  const std::string component = publisher == publishers_.end() ? "" : publisher->second;
  base::log_warning("the broker does not let this device publish to a topic",
                    {{"topic", topic}, {"component", component}});
  if (refused_.size() >= kMostTopics) refused_.pop_front();
  refused_.push_back({topic, component});
  handlers_.on_changed(component);
}

void RefusedTopics::forget() {
  std::set<std::string> components;
  for (const Refused& one : std::exchange(refused_, {})) components.insert(one.component);
  for (const std::string& component : components) handlers_.on_changed(component);
}

void RefusedTopics::published_by(const std::string& component, const std::string& topic) {
  if (publishers_.size() >= kMostPublishers && !publishers_.contains(topic)) publishers_.clear();
  publishers_[topic] = component;
}

bool RefusedTopics::has(const std::string& topic) const {
  return std::ranges::any_of(refused_, [&](const Refused& one) { return one.topic == topic; });
}

std::string RefusedTopics::note_of(const std::string& component) const {
  std::string note;
  std::size_t named = 0;
  for (const Refused& one : refused_) {
    if (one.component != component) continue;
    if (++named > kMostNamed) return note + " ...";
    note += (note.empty() ? "the device's IoT policies do not allow iot:Publish to " : ", ") +
            one.topic;
  }
  return note;
}

}  // namespace andon::edge
