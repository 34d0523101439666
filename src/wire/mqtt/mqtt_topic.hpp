// SPDX-License-Identifier: Apache-2.0
// MQTT topic names and filters (MQTT 5, section 4.7). Pure; any thread.
#pragma once

#include <string_view>

namespace andon::wire {

// A name to publish to: 1 to 65535 bytes of UTF-8 without wildcards and control characters.
[[nodiscard]] bool is_valid_topic(std::string_view topic);
// A filter to subscribe to: as a name, and '+' only as a whole level, '#' only as the last.
[[nodiscard]] bool is_valid_filter(std::string_view filter);

// Does `topic` fall under the valid `filter`? "a/#" takes "a" too; wildcards do not match a
// leading '$'.
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view topic);

}  // namespace andon::wire
