// SPDX-License-Identifier: Apache-2.0
#include "edge/mqtt_operations.hpp"

#include <optional>

#include "base/encoding.hpp"
#include "edge/access_control.hpp"
#include "wire/mqtt_topic.hpp"

namespace andon::edge {
namespace {

// "0" or "1" by the service model; some clients send numbers.
wire::Qos read_qos(const json::object& request) {
  const json::value* qos = request.if_contains("qos");
  if (qos == nullptr || qos->is_null()) return wire::Qos::at_most_once;
  if (qos->is_string() && qos->get_string() == "0") return wire::Qos::at_most_once;
  if (qos->is_string() && qos->get_string() == "1") return wire::Qos::at_least_once;
  if (qos->is_int64() && (qos->get_int64() == 0 || qos->get_int64() == 1)) {
    return qos->get_int64() == 1 ? wire::Qos::at_least_once : wire::Qos::at_most_once;
  }
  throw invalid_arguments("qos must be \"0\" or \"1\"");
}

std::string read_blob(const base::JsonReader& reader, std::string_view key) {
  const auto text = reader.optional_string(key);
  if (!text) return {};
  const auto bytes = base::from_base64(*text);
  if (!bytes) throw invalid_arguments(std::string(key) + " must be base64");
  return *bytes;
}

wire::MqttPublishProperties read_properties(const base::JsonReader& reader) {
  wire::MqttPublishProperties properties;
  properties.retain = reader.optional_bool("retain").value_or(false);
  if (const auto expiry = reader.optional_integer("messageExpiryIntervalSeconds")) {
    if (*expiry < 0 || *expiry > 0xFFFFFFFFLL) {
      throw invalid_arguments("messageExpiryIntervalSeconds must be between 0 and 4294967295");
    }
    properties.message_expiry_seconds = static_cast<std::uint32_t>(*expiry);
  }
  properties.content_type = reader.optional_string("contentType").value_or("");
  properties.response_topic = reader.optional_string("responseTopic").value_or("");
  properties.correlation_data = read_blob(reader, "correlationData");
  return properties;
}

}  // namespace

void MqttOperations::add_to(IpcOperations& operations) {
  operations["PublishToIoTCore"] = {StreamAfterAnswer::closes,
                                    [this](const IpcCall& call) { return publish(call); }};
  operations["SubscribeToIoTCore"] = {StreamAfterAnswer::stays_open,
                                      [this](const IpcCall& call) { return subscribe(call); }};
}

json::object MqttOperations::publish(const IpcCall& call) {
  const base::JsonReader reader(call.request, "PublishToIoTCore request");
  const std::string topic = reader.string("topicName");
  if (!wire::is_valid_topic(topic)) {
    throw invalid_arguments("'" + topic + "' is not a topic that can be published to");
  }
  policy_.require(call.component, {kMqttProxyService, "aws.greengrass#PublishToIoTCore", topic});
  const wire::MqttMessage message{topic, read_blob(reader, "payload")};
  const wire::MqttPublishProperties properties = read_properties(reader);
  if (read_qos(call.request) == wire::Qos::at_least_once) {
    spool_.add(message, properties);
    return {};
  }
  if (!link_.is_connected()) {
    throw IpcError("ServiceError", "the device is offline; a message with qos 1 would be kept");
  }
  link_.publish(message, wire::Qos::at_most_once, {}, properties);
  return {};
}

json::object MqttOperations::subscribe(const IpcCall& call) {
  const base::JsonReader reader(call.request, "SubscribeToIoTCore request");
  const std::string filter = reader.string("topicName");
  if (!wire::is_valid_filter(filter)) {
    throw invalid_arguments("'" + filter + "' is not a topic filter that can be subscribed to");
  }
  policy_.require(call.component, {kMqttProxyService, "aws.greengrass#SubscribeToIoTCore", filter});
  const std::uint64_t id = link_.subscribe(
      filter, read_qos(call.request),
      [stream = std::weak_ptr(call.stream)](const wire::MqttMessage& message) {
        if (const auto open = stream.lock()) {
          open->send_event(
              "IoTCoreMessage",
              {{"message", json::object{{"topicName", message.topic},
                                        {"payload", base::to_base64(message.payload)}}}});
        }
      });
  call.stream->on_close([this, id, alive = alive_] {
    if (*alive) link_.unsubscribe(id);
  });
  return {};
}

}  // namespace andon::edge
