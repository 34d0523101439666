// SPDX-License-Identifier: Apache-2.0
// Where components of a device are asked for their newest frame, and answer, over the device's own
// messages (docs/inspect.md, "Live frames").
#pragma once

namespace andon::fleet {

inline constexpr const char* kLiveAskTopic = "andon/inspect/frames/ask";
inline constexpr const char* kLiveFramesTopic = "andon/inspect/frames";

}  // namespace andon::fleet
