// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/mqtt_operations.hpp"

#include <optional>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "edge/ipc/access_control.hpp"
#include "fleet/names/topic.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

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

// As many bytes as AWS IoT Core takes of a message's properties.
constexpr std::size_t kMostPropertyBytes = 8U << 10U;

std::vector<std::pair<std::string, std::string>> read_user_properties(
    const base::JsonReader& request) {
  std::vector<std::pair<std::string, std::string>> all;
  const json::array* const given = request.optional_array("userProperties");
  if (given == nullptr) return all;
  std::size_t bytes = 0;
  for (const json::value& one : *given) {
    const base::JsonReader reader(one, "userProperties");
    const auto key = reader.optional_string("key");
    if (!key) throw invalid_arguments("userProperties must be objects with a \"key\"");
    all.emplace_back(*key, reader.optional_string("value").value_or(""));
    bytes += all.back().first.size() + all.back().second.size();
    if (bytes > kMostPropertyBytes) {
      throw invalid_arguments("userProperties must have at most " +
                              std::to_string(kMostPropertyBytes) + " bytes");
    }
  }
  return all;
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
  if (const auto format = reader.optional_string("payloadFormat")) {
    if (*format != "0" && *format != "1") {
      throw invalid_arguments("payloadFormat must be \"0\" (bytes) or \"1\" (UTF-8)");
    }
    properties.is_utf8_text = *format == "1";
  }
  properties.user_properties = read_user_properties(reader);
  return properties;
}

// MQTTMessage of the service model.
json::object event_of(const wire::MqttMessage& message) {
  const wire::MqttPublishProperties& properties = message.properties;
  json::object event{{"topicName", message.topic}, {"payload", base::to_base64(message.payload)}};
  if (message.is_retained) event["retain"] = true;
  if (properties.message_expiry_seconds) {
    event["messageExpiryIntervalSeconds"] = *properties.message_expiry_seconds;
  }
  if (!properties.content_type.empty()) event["contentType"] = properties.content_type;
  if (!properties.response_topic.empty()) event["responseTopic"] = properties.response_topic;
  if (!properties.correlation_data.empty()) {
    event["correlationData"] = base::to_base64(properties.correlation_data);
  }
  if (properties.is_utf8_text) event["payloadFormat"] = *properties.is_utf8_text ? "1" : "0";
  json::array user;
  for (const auto& [key, value] : properties.user_properties) {
    user.push_back(json::object{{"key", key}, {"value", value}});
  }
  if (!user.empty()) event["userProperties"] = std::move(user);
  return event;
}

// Of newer versions of Greengrass.
void check_subscription_mode(const base::JsonReader& request) {
  const std::string mode =
      request.optional_string("subscriptionMode").value_or("SUBSCRIBE_AND_RECEIVE");
  if (mode == "SUBSCRIBE_AND_RECEIVE") return;
  throw invalid_arguments("subscriptionMode must be \"SUBSCRIBE_AND_RECEIVE\" here: '" + mode +
                          "' is not supported, as this agent hears of what it subscribes to alone");
}

}  // namespace

void MqttOperations::add_to(IpcOperations& operations) {
  operations["PublishToIoTCore"] = {
      .after = StreamAfterAnswer::closes,
      .handle_later = [this](const IpcCall& call, IpcReply reply) { publish(call, reply); }};
  operations["SubscribeToIoTCore"] = {StreamAfterAnswer::stays_open,
                                      [this](const IpcCall& call) { return subscribe(call); }};
  operations["SubscribeToIoTCoreConnectionStatus"] = {
      .after = StreamAfterAnswer::stays_open,
      .handle_later = [this](const IpcCall& call, const IpcReply& reply) {
        watch_connection(call, reply);
      }};
}

json::object MqttOperations::connection_event() const {
  return {{"connectionStatusEvent",
           json::object{{"status", link_.is_connected() ? "CONNECTED" : "DISCONNECTED"}}}};
}

// How it is now comes first, after the answer.
void MqttOperations::watch_connection(const IpcCall& call, const IpcReply& reply) {
  const std::uint64_t id = next_watcher_++;
  watchers_->insert({id, call.stream});
  call.stream->on_close([watchers = watchers_, id] { watchers->erase(id); });
  reply({}, nullptr);
  call.stream->send_event("IoTCoreConnectionStatusEvent", connection_event());
}

void MqttOperations::tell_connection() {
  // A copy: a stream that fails to send removes its subscription.
  for (const auto& [id, watcher] : Watchers(*watchers_)) {
    if (const auto stream = watcher.lock()) {
      stream->send_event("IoTCoreConnectionStatusEvent", connection_event());
    }
  }
}

void MqttOperations::require_publish(const std::string& component, const std::string& topic) const {
  policy_.require(component, {kMqttProxyService, "aws.greengrass#PublishToIoTCore", topic});
  require_open(topic);
}

void MqttOperations::require_open(const std::string& topic) const {
  if (fleet::is_servers_topic(topic)) {
    // Else a component that may publish anywhere could tell this agent what the server has not
    // said.
    throw IpcError("UnauthorizedError", "'" + topic + "' is the server's to publish to");
  }
  if (fleet::is_command_topic(topic)) {
    throw IpcError("UnauthorizedError", "'" + topic + "' is for the agent and the server alone");
  }
  if (refused_.has(topic)) {
    throw IpcError("UnauthorizedError",
                   "the broker does not let this device publish to '" + topic +
                       "': its IoT policies must allow iot:Publish there (AttachPolicy)");
  }
}

void MqttOperations::publish(const IpcCall& call, IpcReply reply) {
  const base::JsonReader reader(call.request, "PublishToIoTCore request");
  const std::string topic = reader.string("topicName");
  if (!wire::is_valid_topic(topic)) {
    throw invalid_arguments("'" + topic + "' is not a topic that can be published to");
  }
  require_publish(call.component, topic);
  const wire::MqttMessage message{topic, read_blob(reader, "payload")};
  const wire::MqttPublishProperties properties = read_properties(reader);
  refused_.published_by(call.component, topic);
  if (read_qos(call.request) == wire::Qos::at_least_once) {
    return spool_.add(message, properties, [reply = std::move(reply)](std::exception_ptr error) {
      reply({}, std::move(error));
    });
  }
  if (!link_.is_connected()) {
    throw IpcError("ServiceError", "the device is offline; a message with qos 1 would be kept");
  }
  link_.publish(message, wire::Qos::at_most_once, {}, properties);
  reply({}, nullptr);
}

json::object MqttOperations::subscribe(const IpcCall& call) {
  const base::JsonReader reader(call.request, "SubscribeToIoTCore request");
  const std::string filter = reader.string("topicName");
  if (!wire::is_valid_filter(filter)) {
    throw invalid_arguments("'" + filter + "' is not a topic filter that can be subscribed to");
  }
  check_subscription_mode(reader);
  policy_.require(call.component, {kMqttProxyService, "aws.greengrass#SubscribeToIoTCore", filter});
  const wire::Qos qos = read_qos(call.request);
  const std::uint64_t id = link_.subscribe(
      filter, qos,
      [stream = std::weak_ptr(call.stream)](const wire::MqttMessage& message) {
        // What people ask of this device, and get, is no component's to know.
        if (fleet::is_command_topic(message.topic)) return;
        if (const auto open = stream.lock()) {
          open->send_event("IoTCoreMessage", {{"message", event_of(message)}});
        }
      },
      wire::WhileAway::kept);
  call.stream->on_close([this, id, alive = alive_] {
    if (*alive) link_.unsubscribe(id);
  });
  return {};
}

}  // namespace andon::edge
