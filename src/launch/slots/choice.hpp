// SPDX-License-Identifier: Apache-2.0
// Which agent is started next, out of what is written down: the one on trial while it may still
// show itself, else the last that has; and the package's, where that is newer than both. Pure.
#pragma once

#include "launch/slots/slots.hpp"

namespace andon::launch {

// Starts that an agent on trial has, beside those that it asks for itself.
inline constexpr std::int64_t kAttempts = 2;

struct Now {
  FileMark base;             // of the package's agent
  std::int64_t seconds = 0;  // CLOCK_BOOTTIME
  char boot[kBootId + 1] = {};
};

struct Choice {
  Slot slot = Slot::base;
  bool begins = false;            // a trial, with its first start
  std::int64_t seconds_left = 0;  // of a trial; 0: it is none
};

// Notes in `slots` what it decides; they are to be written before the agent is started.
[[nodiscard]] Choice choose(Slots& slots, const Now& now);

}  // namespace andon::launch
