// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/pubsub_operations.hpp"

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "edge/ipc/access_control.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::edge {
namespace {

// The event for a publishMessage: the same message with its topic as context.
json::object make_event(const base::JsonReader& message, const std::string& topic) {
  const bool is_json = message.has("jsonMessage");
  if (is_json == message.has("binaryMessage")) {
    throw invalid_arguments("publishMessage must hold either jsonMessage or binaryMessage");
  }
  const char* kind = is_json ? "jsonMessage" : "binaryMessage";
  const base::JsonReader content = message.child(kind);
  const json::value* value = content.object().if_contains("message");
  if (value == nullptr) throw invalid_arguments(std::string(kind) + ".message is missing");
  if (!is_json && (!value->is_string() || !base::from_base64(value->get_string()))) {
    throw invalid_arguments("binaryMessage.message must be base64");
  }
  return {{kind, json::object{{"message", *value}, {"context", json::object{{"topic", topic}}}}}};
}

std::string payload_of(const json::object& event) {
  if (const json::value* const bytes = event.if_contains("binaryMessage")) {
    return base::from_base64(bytes->at("message").as_string()).value_or("");
  }
  return base::to_text(event.at("jsonMessage").at("message"));
}

}  // namespace

void PubsubOperations::add_to(IpcOperations& operations) {
  operations["PublishToTopic"] = {StreamAfterAnswer::closes,
                                  [this](const IpcCall& call) { return publish(call); }};
  operations["SubscribeToTopic"] = {StreamAfterAnswer::stays_open,
                                    [this](const IpcCall& call) { return subscribe(call); }};
}

json::object PubsubOperations::publish(const IpcCall& call) {
  const base::JsonReader reader(call.request, "PublishToTopic request");
  const std::string topic = reader.string("topic");
  if (!wire::is_valid_topic(topic)) {
    throw invalid_arguments("'" + topic + "' is not a topic that can be published to");
  }
  policy_.require(call.component, {kPubSubService, "aws.greengrass#PublishToTopic", topic});
  deliver(topic, make_event(reader.child("publishMessage"), topic), call.component);
  return {};
}

void PubsubOperations::publish_json(const std::string& topic, const json::object& message) {
  deliver(topic,
          {{"jsonMessage",
            json::object{{"message", message}, {"context", json::object{{"topic", topic}}}}}},
          "");
}

void PubsubOperations::publish_bytes(const std::string& topic, std::string_view payload,
                                     const std::string& from) {
  deliver(topic,
          {{"binaryMessage", json::object{{"message", base::to_base64(payload)},
                                          {"context", json::object{{"topic", topic}}}}}},
          from);
}

std::uint64_t PubsubOperations::listen(std::string filter, std::string but_from,
                                       Listener listener) {
  const std::uint64_t id = next_id_++;
  listeners_[id] = {std::move(filter), std::move(but_from), std::move(listener)};
  return id;
}

void PubsubOperations::deliver(const std::string& topic, const json::object& event,
                               const std::string& from) {
  for (const auto& [id, one] : std::map(listeners_)) {
    if (one.but_from == from || !wire::topic_matches(one.filter, topic)) continue;
    one.listener(topic, payload_of(event));
  }
  // A copy: a stream that fails to send removes its subscription.
  for (const auto& [id, subscription] : std::map(*subscriptions_)) {
    if (!wire::topic_matches(subscription.filter, topic)) continue;
    if (subscription.from_others_only && subscription.component == from) continue;
    if (const auto stream = subscription.stream.lock()) {
      stream->send_event("SubscriptionResponseMessage", event);
    }
  }
}

json::object PubsubOperations::subscribe(const IpcCall& call) {
  const base::JsonReader reader(call.request, "SubscribeToTopic request");
  const std::string filter = reader.string("topic");
  if (!wire::is_valid_filter(filter)) {
    throw invalid_arguments("'" + filter + "' is not a topic filter that can be subscribed to");
  }
  policy_.require(call.component, {kPubSubService, "aws.greengrass#SubscribeToTopic", filter});
  const std::string mode = reader.optional_string("receiveMode").value_or("");
  const std::uint64_t id = next_id_++;
  subscriptions_->insert(
      {id, {call.component, filter, mode == "RECEIVE_MESSAGES_FROM_OTHERS", call.stream}});
  call.stream->on_close([weak = std::weak_ptr(subscriptions_), id] {
    if (const auto subscriptions = weak.lock()) subscriptions->erase(id);
  });
  return {{"topicName", filter}};
}

}  // namespace andon::edge
