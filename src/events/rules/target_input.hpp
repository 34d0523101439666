// SPDX-License-Identifier: Apache-2.0
// What of an event a target gets: all of it, a fixed text (Input), a part (InputPath), or a
// template that is filled in (InputTransformer), as EventBridge does it. Pure; any thread.
#pragma once

#include <string>

#include "events/rules/types.hpp"

namespace andon::events {

// Throws invalid_argument in EventBridge's words.
void check_target_input(const json::object& target);

struct EventForTarget {
  const json::object& event;
  std::string rule_arn;
  std::string rule_name;
  base::Timestamp received;
};
[[nodiscard]] std::string target_input(const json::object& target, const EventForTarget& given);

}  // namespace andon::events
