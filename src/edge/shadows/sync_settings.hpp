// SPDX-License-Identifier: Apache-2.0
// Which shadows are kept the same as the server's, and how: the configuration of
// aws.greengrass.ShadowManager as Greengrass has it. Values; pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "edge/shadows/sync_plan.hpp"

namespace andon::edge {

struct SyncSettings {
  static constexpr std::size_t kMost = 200;  // shadows of a device

  std::set<ShadowKey> shadows;
  SyncDirection direction = SyncDirection::both;
  std::optional<std::chrono::seconds> period;  // nothing: as soon as something has changed

  friend bool operator==(const SyncSettings&, const SyncSettings&) = default;
};

// Throws invalid_argument naming the member.
[[nodiscard]] SyncSettings read_sync_settings(const base::json::object& configuration,
                                              const std::string& core_thing);

}  // namespace andon::edge
