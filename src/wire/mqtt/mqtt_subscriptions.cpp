// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_subscriptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::wire {

void MqttSubscriptions::check(const std::string& filter) {
  if (is_valid_filter(filter) && !filter.starts_with("$share/")) return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    fmt::format("'{}' is not a topic filter that can be subscribed to", filter));
}

std::uint64_t MqttSubscriptions::add(std::string filter, Qos qos, MqttMessageHandler handler,
                                     WhileAway away) {
  const std::uint64_t id = next_id_++;
  wanted_.emplace(id, Wanted{std::move(filter), qos,
                             std::make_shared<const MqttMessageHandler>(std::move(handler)), away});
  return id;
}

bool MqttSubscriptions::is_acknowledged(std::uint64_t id) const {
  const auto wanted = wanted_.find(id);
  if (wanted == wanted_.end()) return false;
  const auto filter = in_place_.find(wanted->second.filter);
  return filter != in_place_.end() && filter->second.is_acknowledged &&
         filter->second.qos >= wanted->second.qos;
}

MqttSubscriptions::Changes MqttSubscriptions::changes() {
  std::map<std::string, Qos> wanted;
  for (const auto& [id, it] : wanted_) {
    Qos& qos = wanted.try_emplace(it.filter, it.qos).first->second;
    qos = std::max(qos, it.qos);
  }
  Changes changes;
  for (const auto& [filter, in_place] : in_place_) {
    const auto found = wanted.find(filter);
    if (found == wanted.end()) {
      changes.unsubscribe.push_back(filter);
    } else if (in_place.packet_id && in_place.qos >= found->second) {
      wanted.erase(found);
    }
  }
  for (const std::string& filter : changes.unsubscribe) in_place_.erase(filter);
  for (const auto& [filter, qos] : wanted) {
    changes.subscribe.push_back({filter, qos, identifier_of(filter)});
  }
  return changes;
}

// A filter that is subscribed to anew with a higher QoS keeps its identifier, for messages are
// under way with it.
std::uint32_t MqttSubscriptions::identifier_of(const std::string& filter) {
  const auto found = in_place_.find(filter);
  return found != in_place_.end() ? found->second.identifier : next_identifier_++;
}

void MqttSubscriptions::sent(const Change& change, int packet_id) {
  InPlace& in_place = in_place_[change.filter];
  in_place = {change.qos, packet_id, change.identifier, false, in_place.is_present};
}

void MqttSubscriptions::connection_is_up(bool is_resumed) {
  is_resumed_ = is_resumed;
  if (!is_resumed) in_place_.clear();
}

void MqttSubscriptions::connection_is_gone() {
  for (auto& [filter, in_place] : in_place_) {
    in_place.packet_id.reset();
    in_place.is_acknowledged = false;
    in_place.is_present = false;
  }
}

std::optional<std::string> MqttSubscriptions::acknowledge(int packet_id, bool is_granted) {
  for (auto& [filter, in_place] : in_place_) {
    if (in_place.packet_id != packet_id) continue;
    in_place.is_acknowledged = is_granted;
    in_place.is_present = in_place.is_present || is_granted;
    if (!is_granted) return filter;
  }
  return std::nullopt;
}

std::vector<std::pair<std::uint64_t, MqttSubscriptions::Handler>> MqttSubscriptions::handlers(
    std::string_view topic, std::span<const std::uint32_t> identifiers) const {
  std::vector<std::pair<std::uint64_t, Handler>> handlers;
  for (const auto& [id, wanted] : wanted_) {
    if (!topic_matches(wanted.filter, topic)) continue;
    const auto filter = in_place_.find(wanted.filter);
    const bool is_from_before =
        is_resumed_ && (filter == in_place_.end() || !filter->second.is_present);
    if (is_from_before && wanted.away == WhileAway::lost) continue;
    // With overlapping filters the broker sends one copy for each, and says which.
    const bool is_for_it =
        identifiers.empty() || filter == in_place_.end() ||
        std::ranges::find(identifiers, filter->second.identifier) != identifiers.end();
    if (is_for_it) handlers.emplace_back(id, wanted.handler);
  }
  return handlers;
}

}  // namespace andon::wire
