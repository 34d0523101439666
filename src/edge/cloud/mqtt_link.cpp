// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/mqtt_link.hpp"

#include <map>
#include <utility>
#include <vector>

#include "base/log/log.hpp"

namespace andon::edge {
namespace {

class ClientLink final : public MqttLink {
 public:
  ClientLink(EventLoop& loop, const wire::MqttOptions& options)
      : loop_(loop), client_(options, [this](bool connected, std::string_view reason) {
          loop_.post([this, alive = alive_, connected, why = std::string(reason)] {
            if (*alive) set_connected(connected, why);
          });
        }) {}

  ~ClientLink() override {
    if (*alive_) *alive_ = false;
  }
  void end() override { *alive_ = false; }

  bool is_connected() const override { return connected_; }

  void reconnect() override { client_.reconnect(); }
  void take(wire::MqttWay way) override { client_.take(std::move(way)); }
  void tune(const wire::MqttTuning& tuning) override { client_.tune(tuning); }
  wire::MqttCounts counts() const override { return client_.counts(); }

  void on_connection(std::function<void(bool)> handler) override {
    handlers_.push_back(std::move(handler));
    if (connected_) handlers_.back()(true);
  }

  using MqttLink::subscribe;
  std::uint64_t subscribe(const std::string& filter, wire::Qos qos,
                          wire::MqttMessageHandler handler, wire::WhileAway away) override {
    // Shared: a message that was posted before unsubscribe() finds it marked as ended.
    auto wanted = std::make_shared<wire::MqttMessageHandler>(std::move(handler));
    const std::uint64_t id = client_.subscribe(
        filter, qos,
        [this, alive = alive_, wanted](const auto& message) {
          loop_.post([alive, wanted, message] {
            if (*alive && *wanted) (*wanted)(message);
          });
        },
        away);
    subscriptions_[id] = std::move(wanted);
    return id;
  }

  void unsubscribe(std::uint64_t id) override {
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end()) return;
    *found->second = nullptr;
    subscriptions_.erase(found);
    client_.unsubscribe(id);
  }

  void publish(const wire::MqttMessage& message, wire::Qos qos,
               std::function<void(wire::PublishOutcome)> on_outcome,
               const wire::MqttPublishProperties& properties) override {
    client_.publish_async(
        message, qos,
        [this, alive = alive_, on_outcome = std::move(on_outcome)](wire::PublishOutcome outcome) {
          loop_.post([alive, on_outcome, outcome] {
            if (*alive && on_outcome) on_outcome(outcome);
          });
        },
        properties);
  }

 private:
  void set_connected(bool connected, const std::string& why) {
    connected_ = connected;
    if (connected) {
      base::log_info("connected to the broker");
    } else {
      base::log_warning("not connected to the broker", {{"why", why}});
    }
    for (const auto& handler : std::vector(handlers_)) handler(connected);
  }

  EventLoop& loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool connected_ = false;
  std::vector<std::function<void(bool)>> handlers_;
  std::map<std::uint64_t, std::shared_ptr<wire::MqttMessageHandler>> subscriptions_;
  wire::MqttClient client_;  // last: its thread ends before what its handlers use
};

}  // namespace

wire::MqttOptions broker_options(const DeviceConfig& device, const Layout& layout) {
  wire::MqttOptions options;
  options.host = device.mqtt.host;
  options.port = device.mqtt.port;
  options.client_id = device.thing_name;
  options.ca_file = ca_file(layout).string();
  options.certificate_file = certificate_file(layout).string();
  options.private_key = private_key_of(device, layout);
  return options;
}

std::unique_ptr<MqttLink> make_mqtt_link(EventLoop& loop, const wire::MqttOptions& options) {
  return std::make_unique<ClientLink>(loop, options);
}

}  // namespace andon::edge
