// SPDX-License-Identifier: Apache-2.0
// What is to be said of a component that runs but does not have, or do, all that is wanted: for the
// person at the device (`andon-edge status`) and the server (`lifecycleStatusCodes`, with the text
// as `lifecycleStateDetails`). docs/agent.md lists the codes. Values; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace andon::edge {

enum class NoteCode : std::uint8_t {
  artifact_changed,
  configuration_not_used,
  streams_not_served,
  logs_not_sent,
  secrets_not_fetched,
  messages_not_carried,
  client_devices_not_served,
  client_devices_not_known,
  addresses_not_told,
  other_key,
  limits_not_kept,
  publish_refused,
};

[[nodiscard]] std::string_view to_string(NoteCode code);  // "ARTIFACT_CHANGED"

struct ComponentNote {
  NoteCode code{};
  std::string text;  // empty: there is nothing to say

  bool operator==(const ComponentNote&) const = default;
};

using TakeNote = std::function<void(ComponentNote)>;

}  // namespace andon::edge
