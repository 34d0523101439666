// SPDX-License-Identifier: Apache-2.0
// What is to be done so that the device's shadow and the server's are the same again. Where both
// have changed the same member the server's counts, as Greengrass has it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "edge/shadows/shadow_table.hpp"

namespace andon::edge {

enum class SyncDirection : std::uint8_t { both, to_server, to_device };

// The server's, where it has one.
struct ServerShadow {
  base::json::object state;
  std::int64_t version = 0;
};

struct SyncPlan {
  enum class Act : std::uint8_t { nothing, update, remove };
  Act on_device = Act::nothing;
  base::json::object device_patch;  // {"desired": ..., "reported": ...}, of an update
  Act on_server = Act::nothing;
  base::json::object server_patch;
  std::optional<base::json::object> state;  // of both then; nothing: neither has it
};

// `synced` is what both had when they were last the same; `own` the device's, which may be deleted.
[[nodiscard]] SyncPlan plan_sync(const std::optional<SyncedShadow>& synced,
                                 const std::optional<fleet::Shadow>& own,
                                 const std::optional<ServerShadow>& server,
                                 SyncDirection direction);

// All of `own` and `server` that is not in `before`, member by member.
[[nodiscard]] base::json::object merge_states(const base::json::object& before,
                                              const base::json::object& own,
                                              const base::json::object& server);

}  // namespace andon::edge
