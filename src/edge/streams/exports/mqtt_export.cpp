// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/mqtt_export.hpp"

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "edge/streams/exports/http_export.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::milliseconds kLookAgain{100};
constexpr std::uint16_t kPlainPort = 1883;
constexpr std::uint16_t kTlsPort = 8883;

std::string topic_of(const std::string& topic, const std::string& stream, std::int64_t sequence,
                     const std::string& thing) {
  std::string filled = topic;
  replace_place(filled, "{seq}", std::to_string(sequence));
  return with_places(std::move(filled), stream, thing);
}

StreamError wrong(const std::string& uri, const std::string& why) {
  return {StreamStatus::invalid_request, "uri " + uri + " " + why};
}

void read_option(MqttAddress& address, const std::string& uri, std::string_view option) {
  if (option == "qos=1" || option == "qos=0") {
    address.qos = option.back() == '1' ? wire::Qos::at_least_once : wire::Qos::at_most_once;
  } else if (option == "retain=1" || option == "retain=0") {
    address.retain = option.back() == '1';
  } else if (!option.empty()) {
    throw wrong(uri, "has an option that is not known; qos=0, qos=1, retain=0 and retain=1 are");
  }
}

}  // namespace

MqttAddress read_mqtt_address(const std::string& uri) {
  MqttAddress address;
  address.is_tls = uri.starts_with("mqtts://");
  address.port = address.is_tls ? kTlsPort : kPlainPort;
  std::string_view rest = uri;
  rest.remove_prefix(rest.find("://") + 3);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) throw wrong(uri, "names no topic: mqtt://host/topic");
  std::string_view host = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  if (host.find('@') != std::string_view::npos) {
    throw wrong(uri, "must not hold credentials");
  }
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    const auto port = base::parse_integer<std::uint16_t>(host.substr(colon + 1), 1);
    if (!port) throw wrong(uri, "has no usable port");
    address.port = *port;
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  const std::size_t question = rest.find('?');
  const auto topic = base::percent_decode(rest.substr(0, question));
  address.topic = topic.value_or("");
  if (!wire::is_valid_topic(topic_of(address.topic, "s", 0, "t"))) {
    throw wrong(uri, "names no usable topic");
  }
  if (question == std::string_view::npos) return address;
  for (std::string_view options = rest.substr(question + 1);;) {
    const std::size_t end = options.find('&');
    read_option(address, uri, options.substr(0, end));
    if (end == std::string_view::npos) return address;
    options.remove_prefix(end + 1);
  }
}

MqttExport::MqttExport(const HttpExportSettings& settings, const ExportWorld& world)
    : address_(read_mqtt_address(settings.uri)), is_batched_(settings.is_batched), world_(world) {}

ExportOutcome MqttExport::send(const ExportBatch& batch, const std::atomic<bool>& cancelled) {
  if (is_batched_) {
    ExportOutcome outcome =
        publish(batch.stream, batch.messages.front().sequence, batch_json(batch), cancelled);
    if (outcome.kind == ExportOutcome::Kind::sent) outcome.done = batch.messages.size();
    return outcome;
  }
  std::size_t done = 0;
  for (const StreamMessage& message : batch.messages) {
    ExportOutcome outcome = publish(batch.stream, message.sequence, message.payload, cancelled);
    if (outcome.kind != ExportOutcome::Kind::sent) {
      outcome.done = done;
      return outcome;
    }
    ++done;
  }
  return {.done = done};
}

ExportOutcome MqttExport::publish(const std::string& stream, std::int64_t sequence,
                                  std::string payload, const std::atomic<bool>& cancelled) {
  const wire::MqttMessage message{topic_of(address_.topic, stream, sequence, world_.thing_name),
                                  std::move(payload)};
  try {
    world_.await_budget(message.topic.size() + message.payload.size(), cancelled);
    if (cancelled) return {ExportOutcome::Kind::retry, 0, "stopped", 0};
    const wire::PublishOutcome outcome =
        address_.host.empty() ? world_.publish(message, address_.qos, address_.retain, cancelled)
                              : publish_there(message, cancelled);
    if (outcome == wire::PublishOutcome::delivered ||
        outcome == wire::PublishOutcome::no_subscribers) {
      return {};
    }
    return {ExportOutcome::Kind::retry, 0,
            "publishing to " + message.topic + ": " + std::string(to_string(outcome)), 0};
  } catch (const base::Error& error) {
    return {ExportOutcome::Kind::retry, 0, error.message(), 0};
  }
}

wire::PublishOutcome MqttExport::publish_there(const wire::MqttMessage& message,
                                               const std::atomic<bool>& cancelled) {
  if (!client_) {
    wire::MqttOptions options;
    if (address_.is_tls) options = world_.broker;
    options.host = address_.host;
    options.port = address_.port;
    options.client_id = world_.thing_name + "-streams-" + base::random_text(8, "0123456789abcdef");
    client_ = std::make_unique<wire::MqttClient>(std::move(options));
  }
  const auto deadline = std::chrono::steady_clock::now() + kTimeout;
  while (!client_->wait_connected(kLookAgain)) {
    if (cancelled || std::chrono::steady_clock::now() > deadline) {
      return wire::PublishOutcome::not_connected;
    }
  }
  wire::MqttPublishProperties properties;
  properties.retain = address_.retain;
  return client_->publish(message, address_.qos, kTimeout, properties);
}

}  // namespace andon::edge
