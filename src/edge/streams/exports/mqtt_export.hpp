// SPDX-License-Identifier: Apache-2.0
// Messages as MQTT publications: mqtt[s]://host[:port]/topic?qos=1&retain=0. Without a host
// (mqtt:///topic) over the device's own connection to its server. The topic may hold {stream},
// {seq} and {thing}. One publication for each message with its payload as it is, or one for a batch
// (batch_json()), whose {seq} is its first message's. With QoS 1, the default, a message is done
// when the broker has acknowledged it.
#pragma once

#include <memory>
#include <string>

#include "edge/streams/exports/export_target.hpp"

namespace andon::edge {

struct MqttAddress {
  bool is_tls = false;
  std::string host;  // empty: the device's own connection
  std::uint16_t port = 0;
  std::string topic;  // its places not replaced yet
  wire::Qos qos = wire::Qos::at_least_once;
  bool retain = false;
};
// Throws StreamError(invalid_request) that says what is wrong.
[[nodiscard]] MqttAddress read_mqtt_address(const std::string& uri);

class MqttExport final : public ExportTarget {
 public:
  MqttExport(const HttpExportSettings& settings, const ExportWorld& world);

  ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>& cancelled) override;

 private:
  ExportOutcome publish(const std::string& stream, std::int64_t sequence, std::string payload,
                        const std::atomic<bool>& cancelled);
  wire::PublishOutcome publish_there(const wire::MqttMessage& message,
                                     const std::atomic<bool>& cancelled);

  MqttAddress address_;
  bool is_batched_;
  const ExportWorld& world_;
  std::unique_ptr<wire::MqttClient> client_;  // once it is needed
};

}  // namespace andon::edge
