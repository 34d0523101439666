// SPDX-License-Identifier: Apache-2.0
// Topics and filters from components and devices: two lines, a filter and a topic.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/mqtt/mqtt_topic.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::size_t end = text.find('\n');
  const std::string filter = text.substr(0, end);
  const std::string topic = end == std::string::npos ? std::string() : text.substr(end + 1);
  const bool matches = andon::wire::topic_matches(filter, topic);
  // A topic is its own filter, and nobody else's.
  if (andon::wire::is_valid_topic(topic)) {
    if (!andon::wire::is_valid_filter(topic)) std::abort();
    if (!andon::wire::topic_matches(topic, topic)) std::abort();
  }
  if (andon::wire::is_valid_topic(filter) && matches != (filter == topic)) std::abort();
  return 0;
}
