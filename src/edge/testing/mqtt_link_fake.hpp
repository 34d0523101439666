// SPDX-License-Identifier: Apache-2.0
// A broker connection for tests: the test decides when it is up, what arrives and what becomes of
// each publish.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "edge/cloud/mqtt_link.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::edge {

class FakeMqttLink final : public MqttLink {
 public:
  struct Published {
    wire::MqttMessage message;
    std::function<void(wire::PublishOutcome)> on_outcome;
    wire::MqttPublishProperties properties;
  };

  bool is_connected() const override { return connected_; }
  void reconnect() override { ++reconnects; }
  void take(wire::MqttWay wanted) override { way = std::move(wanted); }
  void tune(const wire::MqttTuning& wanted) override { tuning = wanted; }
  wire::MqttCounts counts() const override { return {}; }
  void on_connection(std::function<void(bool)> handler) override {
    handlers_.push_back(std::move(handler));
  }
  using MqttLink::subscribe;
  std::uint64_t subscribe(const std::string& filter, wire::Qos, wire::MqttMessageHandler handler,
                          wire::WhileAway away) override {
    subscriptions_[++last_id_] = {filter, std::move(handler)};
    if (away == wire::WhileAway::kept) kept_filters.push_back(filter);
    return last_id_;
  }
  void unsubscribe(std::uint64_t id) override { subscriptions_.erase(id); }
  void end() override { forget_listeners(); }
  void publish(const wire::MqttMessage& message, wire::Qos,
               std::function<void(wire::PublishOutcome)> on_outcome,
               const wire::MqttPublishProperties& properties) override {
    published.push_back({message, std::move(on_outcome), properties});
  }

  // As the end of a process does: whoever listened is gone.
  void forget_listeners() {
    handlers_.clear();
    subscriptions_.clear();
    published.clear();
  }

  void connect(bool up) {
    connected_ = up;
    for (const auto& handler : std::vector(handlers_)) handler(up);
  }
  void arrive(const std::string& topic, const std::string& payload,
              const wire::MqttPublishProperties& properties = {}) {
    for (const auto& [id, subscription] : std::map(subscriptions_)) {
      if (!wire::topic_matches(subscription.first, topic)) continue;
      wire::MqttMessage message{topic, payload};
      message.properties = properties;
      subscription.second(message);
    }
  }
  [[nodiscard]] std::vector<std::string> filters() const {
    std::vector<std::string> all;
    for (const auto& [id, subscription] : subscriptions_) all.push_back(subscription.first);
    return all;
  }
  // Ends the oldest publish in hand.
  void settle(wire::PublishOutcome outcome) {
    const Published first = published.front();
    published.erase(published.begin());
    if (first.on_outcome) first.on_outcome(outcome);
  }

  std::vector<Published> published;
  int reconnects = 0;
  wire::MqttWay way;
  wire::MqttTuning tuning;
  std::vector<std::string> kept_filters;  // that were subscribed for when the connection is back

 private:
  bool connected_ = false;
  std::uint64_t last_id_ = 0;
  std::vector<std::function<void(bool)>> handlers_;
  std::map<std::uint64_t, std::pair<std::string, wire::MqttMessageHandler>> subscriptions_;
};

}  // namespace andon::edge
