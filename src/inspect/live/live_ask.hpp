// SPDX-License-Identifier: Apache-2.0
// Room: live. The newest frame with what was found in it, for who looks on: drawn, scaled and sent
// only while somebody asks (docs/inspect.md, "Live frames").
//
// This file: what is asked and answered over the device's local messages. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "fleet/names/live_topics.hpp"

namespace andon::inspect {

using fleet::kLiveAskTopic;
using fleet::kLiveFramesTopic;

struct LiveAsk {
  std::string id;
  std::string component;  // empty: whichever
  int max_side = 640;
  int per_second = 0;  // 0: one frame
  std::size_t max_bytes = 65'536;
};

// Throws invalid_argument naming the member.
[[nodiscard]] LiveAsk read_live_ask(const base::json::object& message);

// The message of an event of SubscribeToTopic, which may have come as JSON or as bytes of JSON.
// Throws invalid_argument.
[[nodiscard]] base::json::object live_message_of(const base::json::object& event);

}  // namespace andon::inspect
