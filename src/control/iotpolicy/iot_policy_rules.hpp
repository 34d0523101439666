// SPDX-License-Identifier: Apache-2.0
// What may be an IoT policy, and what one can be attached to. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/shared/arn.hpp"

namespace andon::control {

// Throws invalid_argument for what is not 1 to 128 of [A-Za-z0-9_+=,.@-].
void check_iot_policy_name(const std::string& name);

// Throws invalid_argument with the place: a document of IAM's language whose actions are those of
// `iot` or `greengrass`, whose keys the broker knows, and which has at most 2,048 bytes beside
// white space, as AWS IoT has it.
void check_iot_policy_document(const std::string& document);

// A key that a policy may ask for: iot:ClientId, aws:SourceIp, iot:Connection.Thing..., and
// iot:Certificate.... `key` in any case.
[[nodiscard]] bool is_iot_policy_key(std::string_view key);

// What a policy is attached to.
struct PolicyTarget {
  enum class Kind : std::uint8_t { certificate, thing_group, consumer };
  Kind kind = Kind::certificate;
  std::string name;

  [[nodiscard]] std::string key() const;  // "cert/<id>", "thinggroup/<name>", "consumer/<name>"
};
// Throws invalid_argument for what is no ARN of such.
[[nodiscard]] PolicyTarget read_policy_target(std::string_view arn);

}  // namespace andon::control
