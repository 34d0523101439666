// SPDX-License-Identifier: Apache-2.0
#include "api/console/topic_sight.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/split.hpp"
#include "fleet/names/topic.hpp"
#include "rights/topic_rights.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

// What devices do: connected, subscribed, their jobs' ends.
constexpr std::string_view kLifecycle = "$aws/events/";
constexpr std::string_view kBrokersOwn = "andon/broker/";
constexpr base::JsonLimits kAskLimits{.max_bytes = 4096, .max_depth = 4};

// "shadow/get", "shadow/name/N/update/accepted" behind "$aws/things/T/".
TopicSight sight_of_thing(std::string_view rest) {
  TopicSight sight{.thing = std::string(base::take_part(rest, '/'))};
  if (sight.thing.empty() || base::take_part(rest, '/') != "shadow") return {.is_closed = true};
  constexpr std::string_view kNamed = "name/";
  if (rest.starts_with(kNamed)) {
    rest.remove_prefix(kNamed.size());
    sight.shadow = base::take_part(rest, '/');
    if (sight.shadow.empty() || sight.shadow == fleet::kDeploymentShadow) {
      return {.is_closed = true};
    }
  }
  return sight;
}

}  // namespace

TopicSight sight_of(std::string_view topic) {
  if (topic.starts_with(kLifecycle)) return {};
  if (topic.starts_with(fleet::kThingTopics)) {
    return sight_of_thing(topic.substr(fleet::kThingTopics.size()));
  }
  if (const auto thing = fleet::thing_of_results(topic)) return {.results_of = *thing};
  const bool is_closed =
      topic.starts_with('$') || topic.starts_with(kBrokersOwn) || fleet::is_command_topic(topic);
  return {.is_closed = is_closed};
}

bool is_open_filter(std::string_view filter) {
  if (filter.starts_with(kLifecycle) || filter.starts_with(fleet::kThingTopics)) return true;
  // A first level with a wildcard lets nothing through that begins with '$'.
  return !filter.starts_with('$');
}

MqttAsk read_mqtt_ask(std::string_view text) {
  const json::value value = base::parse_json(text, "the message", kAskLimits);
  const json::object* const object = value.if_object();
  if (object == nullptr || object->size() != 1) {
    throw Error(ErrorCode::invalid_argument,
                R"(a message is {"subscribe": FILTER} or {"unsubscribe": FILTER})");
  }
  const auto& [name, filter] = *object->begin();
  if ((name != "subscribe" && name != "unsubscribe") || !filter.is_string()) {
    throw Error(ErrorCode::invalid_argument,
                R"(a message is {"subscribe": FILTER} or {"unsubscribe": FILTER})");
  }
  MqttAsk ask{.kind = name == "subscribe" ? MqttAsk::Kind::subscribe : MqttAsk::Kind::unsubscribe,
              .filter = std::string(filter.get_string())};
  if (ask.filter.size() > rights::kMostTopicBytes || !wire::is_valid_filter(ask.filter) ||
      ask.filter.starts_with("$share/")) {
    throw Error(ErrorCode::invalid_argument,
                "a filter has at most 256 bytes, '+' as a whole level and '#' as the last one, and "
                "is not shared");
  }
  return ask;
}

}  // namespace andon::api
