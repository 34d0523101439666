// SPDX-License-Identifier: Apache-2.0
// What is made of a delivery that ended badly, for whom its target names: DeadLetterConfig of
// EventBridge, the error action of a topic rule. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "events/delivery/delivery.hpp"

namespace andon::events {

// Nothing where it names nobody. `exhausted` is the limit that has ended it; empty: it was refused.
[[nodiscard]] std::optional<Delivery> dead_letter_of(const Delivery& delivery,
                                                     const Outcome& outcome,
                                                     const std::string& exhausted,
                                                     base::Timestamp now);

}  // namespace andon::events
