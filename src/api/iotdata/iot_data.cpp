// SPDX-License-Identifier: Apache-2.0
#include "api/iotdata/iot_data.hpp"

#include <algorithm>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "fleet/names/topic.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostTopicBytes = 256;
constexpr std::size_t kMostPayload = 128U << 10U;
constexpr std::size_t kMostProperties = 8U << 10U;
constexpr std::int64_t kLongestExpiry = 604'800;  // seven days, as AWS has it
constexpr std::size_t kShadowPage = 25;
constexpr std::size_t kMostShadowPage = 100;
constexpr PageLimits kRetainedPage{.standard = 200, .maximum = 200};

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, why);
}

std::string thing_of(const OperationContext& context) {
  return required_text(context.input, "thingName");
}
// As it stands in the query.
std::string shadow_of(const OperationContext& context) {
  return text_or_empty(context.input, "name");
}

json::value with_payload(const json::object& document) {
  return json::object{{"payload", base::to_text(document)}};
}

json::value get_shadow(const IotDataParts& parts, const OperationContext& context) {
  return with_payload(parts.control.shadows.get(thing_of(context), shadow_of(context)));
}

json::value update_shadow(const IotDataParts& parts, const OperationContext& context) {
  return with_payload(parts.control.shadows.update(thing_of(context), shadow_of(context),
                                                   required_text(context.input, "payload")));
}

json::value delete_shadow(const IotDataParts& parts, const OperationContext& context) {
  return with_payload(parts.control.shadows.remove(thing_of(context), shadow_of(context)));
}

json::value list_shadows(const IotDataParts& parts, const OperationContext& context) {
  control::PageRequest page{.limit = kShadowPage, .after = {}};
  if (const auto size = optional_number(context.input, "pageSize")) {
    if (*size < 1 || *size > static_cast<std::int64_t>(kMostShadowPage)) {
      refuse("pageSize: must be from 1 to 100");
    }
    page.limit = static_cast<std::size_t>(*size);
  }
  if (const std::string token = text_or_empty(context.input, "nextToken"); !token.empty()) {
    const auto after = from_page_token(token);
    if (!after) refuse("nextToken: is none that this operation has given");
    page.after = *after;
  }
  const auto found = parts.control.shadows.names(thing_of(context), page);
  json::object output{{"results", to_array(found.items)},
                      {"timestamp", base::to_epoch_seconds(parts.clock.now())}};
  put_next(output, found.next);
  return output;
}

wire::MqttPublishProperties read_properties(const json::object& input) {
  wire::MqttPublishProperties properties;
  properties.retain = flag(input, "retain");
  if (const auto expiry = optional_number(input, "messageExpiry")) {
    if (*expiry < 1 || *expiry > kLongestExpiry) {
      refuse("messageExpiry: must be from 1 to 604800 seconds");
    }
    properties.message_expiry_seconds = static_cast<std::uint32_t>(*expiry);
  }
  properties.content_type = text_or_empty(input, "contentType");
  properties.response_topic = text_or_empty(input, "responseTopic");
  if (!properties.response_topic.empty() && !wire::is_valid_topic(properties.response_topic)) {
    refuse("responseTopic: is no topic");
  }
  if (const std::string text = text_or_empty(input, "correlationData"); !text.empty()) {
    const auto data = base::from_base64(text);
    if (!data) refuse("correlationData: must be base64");
    properties.correlation_data = *data;
  }
  const std::string form =
      word_or_empty(input, "payloadFormatIndicator", {"UNSPECIFIED_BYTES", "UTF8_DATA"});
  if (!form.empty()) properties.is_utf8_text = form == "UTF8_DATA";
  if (const std::string text = text_or_empty(input, "userProperties"); !text.empty()) {
    const auto decoded = base::from_base64(text);
    if (!decoded) refuse("userProperties: must be the base64 of a JSON array");
    properties.user_properties = read_user_properties(
        base::parse_json(*decoded, "userProperties", {.max_bytes = 64U << 10U, .max_depth = 4}));
  }
  std::size_t bytes = properties.content_type.size() + properties.response_topic.size() +
                      properties.correlation_data.size();
  for (const auto& [name, value] : properties.user_properties) bytes += name.size() + value.size();
  if (bytes > kMostProperties) refuse("the message's properties have more than 8192 bytes");
  return properties;
}

void publish(const IotDataParts& parts, const OperationContext& context, const Answer& answer) {
  const json::object& input = context.input;
  wire::MqttMessage message;
  message.topic = required_text(input, "topic");
  check_users_topic(message.topic);
  message.payload = text_or_empty(input, "payload");
  if (message.payload.size() > kMostPayload) {
    throw ServiceError(413, "RequestEntityTooLargeException",
                       "the payload has more than 131072 bytes");
  }
  const std::int64_t qos = optional_number(input, "qos").value_or(0);
  if (qos != 0 && qos != 1) refuse("qos: must be 0 or 1");
  const wire::MqttPublishProperties properties = read_properties(input);
  if (properties.retain) {
    const std::string arn = "arn:aws:iot:" + parts.control.arns.region() + ":" +
                            parts.control.arns.account() + ":topic/" + message.topic;
    constexpr std::string_view kRetain = "iot:RetainPublish";
    const auto denied = is_device(context.caller) && parts.devices
                            ? parts.devices(context.caller, kRetain, arn)
                            : refusal(parts.authorizer, context.caller, kRetain, arn);
    if (denied) throw access_denied(Protocol::rest_json, *denied);
  }
  parts.publish(
      message, qos == 0 ? wire::Qos::at_most_once : wire::Qos::at_least_once, properties,
      [answer](bool has_arrived) {
        if (has_arrived) return answer.succeed(json::object{});
        answer.fail(std::make_exception_ptr(Error(
            ErrorCode::unavailable, "the broker has not taken the message; publish it again")));
      });
}

json::value get_retained(const IotDataParts& parts, const OperationContext& context) {
  const std::string topic = required_text(context.input, "topic");
  check_users_topic(topic);
  const auto found = parts.retained(topic);
  if (found.empty()) throw Error(ErrorCode::not_found, "no message is retained on " + topic);
  return json::object{{"topic", topic},
                      {"payload", base::to_base64(found.front().payload)},
                      {"qos", static_cast<int>(found.front().qos)}};
}

json::value list_retained(const IotDataParts& parts, const OperationContext& context) {
  const control::PageRequest page = read_page(context.input, kRetainedPage);
  std::vector<wire::MqttMessage> all = parts.retained("#");
  std::erase_if(all, [&page](const wire::MqttMessage& one) {
    return one.topic <= page.after || !fleet::is_users_topic(one.topic);
  });
  std::ranges::sort(all, {}, &wire::MqttMessage::topic);
  json::array topics;
  for (const wire::MqttMessage& one : all) {
    if (topics.size() == page.limit) break;
    topics.push_back(json::object{{"topic", one.topic},
                                  {"payloadSize", one.payload.size()},
                                  {"qos", static_cast<int>(one.qos)}});
  }
  json::object output;
  if (all.size() > topics.size()) put_next(output, all[topics.size() - 1].topic);
  output["retainedTopics"] = std::move(topics);
  return output;
}

}  // namespace

void check_users_topic(const std::string& topic) {
  if (topic.size() > kMostTopicBytes || !wire::is_valid_topic(topic)) {
    refuse("topic: must be a topic of at most 256 bytes, without + and #");
  }
  if (!fleet::is_users_topic(topic)) {
    refuse("topic: " + topic + " is for devices and their server; others may not publish there");
  }
}

std::vector<std::pair<std::string, std::string>> read_user_properties(
    const base::json::value& properties) {
  if (properties.is_string()) {  // as boto3 sends a text that is JSON already
    const json::value inner = base::parse_json(properties.get_string(), "userProperties",
                                               {.max_bytes = 64U << 10U, .max_depth = 4});
    if (inner.is_array()) return read_user_properties(inner);
  }
  const json::array* const list = properties.if_array();
  if (list == nullptr) refuse("userProperties: must be an array of objects");
  std::vector<std::pair<std::string, std::string>> read;
  for (const json::value& one : *list) {
    const json::object* const object = one.if_object();
    if (object == nullptr) refuse("userProperties: must be an array of objects");
    for (const auto& [name, value] : *object) {
      if (!value.is_string()) refuse("userProperties: each value must be a text");
      read.emplace_back(name, value.get_string());
    }
  }
  return read;
}

std::vector<Operation> iot_data_operations(const IotDataParts& parts) {
  constexpr std::string_view kShadow = "/things/{thingName}/shadow";
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       auto function) {
    return rest_row("iotdata", name, method, path, parts, function);
  };
  Operation get = row("GetThingShadow", "GET", kShadow, get_shadow);
  get.blob = {.output = "payload"};
  Operation update = row("UpdateThingShadow", "POST", kShadow, update_shadow);
  update.blob = {.input = "payload", .output = "payload"};
  Operation remove = row("DeleteThingShadow", "DELETE", kShadow, delete_shadow);
  remove.blob = {.output = "payload"};
  Operation publishing{"iotdata", "Publish", Protocol::rest_json, "POST", "/topics/{topic+}",
                       200,       {}};
  publishing.later = [parts](const OperationContext& context, const Answer& answer) {
    publish(parts, context, answer);
  };
  publishing.headers = {{"x-amz-mqtt5-user-properties", "userProperties"},
                        {"x-amz-mqtt5-payload-format-indicator", "payloadFormatIndicator"},
                        {"x-amz-mqtt5-correlation-data", "correlationData"}};
  publishing.blob = {.input = "payload"};
  return {std::move(get),
          std::move(update),
          std::move(remove),
          row("ListNamedShadowsForThing", "GET",
              "/api/things/shadow/ListNamedShadowsForThing/{thingName}", list_shadows),
          std::move(publishing),
          row("GetRetainedMessage", "GET", "/retainedMessage/{topic+}", get_retained),
          row("ListRetainedMessages", "GET", "/retainedMessage", list_retained)};
}

}  // namespace andon::api
