// SPDX-License-Identifier: Apache-2.0
// Room: secrets. Secrets of the server that components of this device may have, kept on the device.
// Which those are, and how often they are asked for anew: the configuration of
// aws.greengrass.SecretManager as Greengrass has it. Values; pure; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"

namespace andon::edge {

inline constexpr std::string_view kSecretManager = "aws.greengrass.SecretManager";
inline constexpr std::string_view kCurrentStage = "AWSCURRENT";

struct SecretSettings {
  static constexpr std::size_t kMost = 200;  // secrets of a device, each label counted

  // The stages that are wanted of each, AWSCURRENT first; by ARN or name as they are written.
  std::map<std::string, std::vector<std::string>> secrets;
  std::optional<std::chrono::minutes> period;  // nothing: not by time

  friend bool operator==(const SecretSettings&, const SecretSettings&) = default;
};

// Throws invalid_argument naming the member.
[[nodiscard]] SecretSettings read_secret_settings(const base::json::object& configuration);

}  // namespace andon::edge
