// SPDX-License-Identifier: Apache-2.0
// What a person may look at of what goes over the broker, beside what their policies say: not what
// a device and its server have between themselves (jobs, commands and their answers, provisioning,
// the broker's own), and a shadow or results only by the right to read them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::api {

struct TopicSight {
  bool is_closed = false;  // to everybody
  // Where it is about a shadow: whose, and its name (empty: the classic one). It needs
  // iot:GetThingShadow, too.
  std::string thing = {};
  std::string shadow = {};
  // Whose results it has; it needs andon:ListResults of that thing, too.
  std::string results_of = {};
};
[[nodiscard]] TopicSight sight_of(std::string_view topic);

// Whether a valid filter may be subscribed to at all. What a filter with wildcards lets through is
// asked of each message.
[[nodiscard]] bool is_open_filter(std::string_view filter);

// What a page asks on its socket: {"subscribe": FILTER}, {"unsubscribe": FILTER},
// {"watch": {"thing": T, "component": C}}, {"unwatch": true}.
struct PageAsk {
  enum class Kind { subscribe, unsubscribe, watch, unwatch };
  Kind kind = Kind::subscribe;
  std::string filter = {};     // of the first two: valid, 256 bytes at most, not shared
  std::string thing = {};      // of watch: a name that a thing can have
  std::string component = {};  // of watch: empty: whichever has a picture
};
// Throws invalid_argument.
[[nodiscard]] PageAsk read_page_ask(std::string_view text);

}  // namespace andon::api
