// SPDX-License-Identifier: Apache-2.0
// aws.greengrass.clientdevices.mqtt.Bridge: carries messages between the broker of client devices,
// the server and local publish and subscribe, as mqttTopicMapping says. To the server they go
// through the spool (QoS 1, kept while the link is down). What it has carried once it does not
// carry again, whatever the mapping says: messages in MQTT bear its mark, a user property with the
// name of the device. Owned by the agent; main thread only. What waits for the broker of client
// devices to be back is lost with the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log/log_throttle.hpp"
#include "edge/clients/client_settings.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/ipc/mqtt_operations.hpp"
#include "edge/ipc/pubsub_operations.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/run/component_note.hpp"

namespace andon::edge {

class MqttBridge {
 public:
  static constexpr std::size_t kMostWaiting = 1000;
  static constexpr std::size_t kMostWaitingBytes = 1U << 20U;
  // What is not carried is told of so often: the latest, and how many there were.
  static constexpr std::chrono::minutes kBetweenWords{1};
  static constexpr std::string_view kMark = "andon-bridge";

  struct Parts {
    EventLoop& loop;
    MqttLink& cloud;
    PublishSpool& spool;
    RefusedTopics& refused;
    const MqttOperations& mqtt;
    PubsubOperations& pubsub;
    std::string thing;  // of this device
    // The component's configuration; null where it is not in the set.
    std::function<const json::object*()> configuration;
    TakeNote note;
  };
  explicit MqttBridge(Parts parts) : parts_(std::move(parts)) {}
  MqttBridge(const MqttBridge&) = delete;
  MqttBridge& operator=(const MqttBridge&) = delete;
  ~MqttBridge();

  // The set or a configuration may have changed.
  void refresh();
  // The connection to the broker of client devices; null where there is none.
  void set_local(MqttLink* local);

 private:
  struct Waiting {
    std::string topic;
    std::string payload;
  };
  void subscribe_all();
  void unsubscribe_all();
  void take(const BridgeRoute& route, const wire::MqttMessage& message);
  void carry(const BridgeRoute& route, const std::string& topic, std::string payload);
  void to_cloud(const std::string& topic, std::string payload);
  void to_local(Waiting message);
  void keep(Waiting message);
  void send_waiting();
  void drop(const std::string& topic, const std::string& why);
  [[nodiscard]] wire::MqttPublishProperties mark() const;

  Parts parts_;
  std::vector<BridgeRoute> routes_;
  MqttLink* local_ = nullptr;
  std::vector<std::uint64_t> local_ids_;
  std::vector<std::uint64_t> cloud_ids_;
  std::vector<std::uint64_t> pubsub_ids_;
  std::deque<Waiting> waiting_;  // for the broker of client devices
  std::size_t waiting_bytes_ = 0;
  std::string problem_;
  base::LogThrottle dropped_{kBetweenWords};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
