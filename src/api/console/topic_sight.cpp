// SPDX-License-Identifier: Apache-2.0
#include "api/console/topic_sight.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/split.hpp"
#include "fleet/names/arn.hpp"
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

[[noreturn]] void refuse_ask() {
  throw Error(ErrorCode::invalid_argument,
              R"(a message is {"subscribe": FILTER}, {"unsubscribe": FILTER}, )"
              R"({"watch": {"thing": NAME, "component": NAME}} or {"unwatch": true})");
}

std::string read_filter(const json::value& said) {
  if (!said.is_string()) refuse_ask();
  std::string filter(said.get_string());
  if (filter.size() > rights::kMostTopicBytes || !wire::is_valid_filter(filter) ||
      filter.starts_with("$share/")) {
    throw Error(ErrorCode::invalid_argument,
                "a filter has at most 256 bytes, '+' as a whole level and '#' as the last one, and "
                "is not shared");
  }
  return filter;
}

PageAsk read_watch(const json::value& said) {
  constexpr std::size_t kMostComponent = 128;
  const base::JsonReader reader(said, "watch");
  reader.allow_only({"thing", "component"});
  PageAsk ask{.kind = PageAsk::Kind::watch,
              .thing = reader.string("thing"),
              .component = reader.optional_string("component").value_or("")};
  if (!fleet::is_thing_name(ask.thing)) {
    throw Error(ErrorCode::invalid_argument, "watch.thing: must be the name of a thing");
  }
  if (ask.component.size() > kMostComponent) {
    throw Error(ErrorCode::invalid_argument, "watch.component: has at most 128 characters");
  }
  return ask;
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

PageAsk read_page_ask(std::string_view text) {
  using Kind = PageAsk::Kind;
  constexpr std::array kKinds{std::pair("subscribe", Kind::subscribe),
                              std::pair("unsubscribe", Kind::unsubscribe),
                              std::pair("watch", Kind::watch), std::pair("unwatch", Kind::unwatch)};
  const json::value value = base::parse_json(text, "the message", kAskLimits);
  const json::object* const object = value.if_object();
  const auto kind =
      object == nullptr || object->size() != 1
          ? kKinds.end()
          : std::ranges::find(kKinds, std::string_view(object->begin()->key()),
                              [](const auto& one) { return std::string_view(one.first); });
  if (kind == kKinds.end()) refuse_ask();
  const json::value& said = object->begin()->value();
  switch (kind->second) {
    case Kind::watch:
      return read_watch(said);
    case Kind::unwatch:
      return {.kind = Kind::unwatch};
    default:
      return {.kind = kind->second, .filter = read_filter(said)};
  }
}

}  // namespace andon::api
