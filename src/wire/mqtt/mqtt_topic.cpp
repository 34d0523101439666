// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_topic.hpp"

#include <mosquitto.h>

#include <cstddef>

namespace andon::wire {
namespace {

constexpr std::size_t kMaxTopicBytes = 65535;

bool is_topic_text(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTopicBytes &&
         mosquitto_validate_utf8(text.data(), static_cast<int>(text.size())) == MOSQ_ERR_SUCCESS;
}

// Takes the first level off `rest` and says whether another one follows.
std::string_view take_level(std::string_view& rest, bool& is_last) {
  const std::size_t slash = rest.find('/');
  is_last = slash == std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest = is_last ? std::string_view{} : rest.substr(slash + 1);
  return level;
}

}  // namespace

bool is_valid_topic(std::string_view topic) {
  return is_topic_text(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool is_valid_filter(std::string_view filter) {
  if (!is_topic_text(filter)) return false;
  for (bool is_last = false; !is_last;) {
    const std::string_view level = take_level(filter, is_last);
    if (level == "#" && !is_last) return false;
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (filter.empty() || topic.empty()) return false;
  if (topic.front() == '$' && filter.front() != '$') return false;
  for (bool filter_ends = false, topic_ends = false;;) {
    const std::string_view wanted = take_level(filter, filter_ends);
    if (wanted == "#") return true;
    const std::string_view level = take_level(topic, topic_ends);
    if (wanted != "+" && wanted != level) return false;
    if (topic_ends) return filter_ends || filter == "#";
    if (filter_ends) return false;
  }
}

}  // namespace andon::wire
