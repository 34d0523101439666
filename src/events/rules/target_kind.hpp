// SPDX-License-Identifier: Apache-2.0
// What can be a target, by its ARN. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace andon::events {

enum class TargetKind : std::uint8_t {
  state_machine,    // arn:aws:states:...:stateMachine:NAME
  build_project,    // arn:aws:codebuild:...:project/NAME
  function,         // arn:aws:lambda:...:function:NAME
  log_group,        // arn:aws:logs:...:log-group:NAME
  topic,            // arn:aws:iot:...:topic/NAME
  api_destination,  // arn:aws:events:...:api-destination/NAME/ID
  bus,              // arn:aws:events:...:event-bus/NAME
  mail,             // arn:aws:andon:...:mail/ADDRESS
  operation,        // arn:aws:scheduler:::aws-sdk:SERVICE:action
};

struct TargetRef {
  TargetKind kind;
  std::string resource;  // what follows the kind: a name, NAME/ID, SERVICE:action
};
// Nothing for what is none.
[[nodiscard]] std::optional<TargetRef> target_ref(std::string_view arn);
// Does a rule's target of this kind need a role?
[[nodiscard]] bool needs_role(TargetKind kind);
// What takes what could not be delivered: a log group or a topic.
[[nodiscard]] bool may_be_dead_letter(TargetKind kind);

}  // namespace andon::events
