// SPDX-License-Identifier: Apache-2.0
#include "launch/slots/choice.hpp"

#include <cstdio>
#include <cstring>

namespace andon::launch {

Choice choose(Slots& slots, const Now& now) {
  if (slots.base != now.base) {
    // Who installs a package means it to run.
    const bool is_first = slots.base == FileMark{};
    slots.base = now.base;
    if (!is_first) {
      if (slots.trial.slot != Slot::base) give_up(slots, "the agent's package was installed anew");
      slots.active = Slot::base;
      slots.active_digest[0] = '\0';
    }
  }
  Trial& trial = slots.trial;
  if (trial.slot == Slot::base) return {slots.active, false, 0};
  const bool begins = trial.until == 0;
  if (begins || std::strcmp(trial.boot, now.boot) != 0) {
    std::memcpy(trial.boot, now.boot, sizeof trial.boot);
    trial.until = now.seconds + trial.seconds;
  }
  char why[kReason];
  if (now.seconds >= trial.until) {
    std::snprintf(why, sizeof why, "it had no connection to its server after %lld s",
                  static_cast<long long>(trial.seconds));
    give_up(slots, why);
  } else if (trial.attempts >= kAttempts) {
    std::snprintf(why, sizeof why, "it ended %lld times before it was connected to its server",
                  static_cast<long long>(trial.attempts));
    give_up(slots, why);
  } else {
    ++trial.attempts;
    return {trial.slot, begins, trial.until - now.seconds};
  }
  return {slots.active, false, 0};
}

}  // namespace andon::launch
