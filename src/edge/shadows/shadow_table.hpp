// SPDX-License-Identifier: Apache-2.0
// Rows of shadows in config.db, and of what server and device had in common when they were last
// the same. Within the caller's transaction, on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "fleet/shadows/shadow.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

// A thing, and the name of its shadow; empty: the classic one.
using ShadowKey = std::pair<std::string, std::string>;

[[nodiscard]] std::optional<fleet::Shadow> read_shadow(store::Transaction& transaction,
                                                       const ShadowKey& key);
void write_shadow(store::Transaction& transaction, const ShadowKey& key,
                  const fleet::Shadow& shadow);

struct SyncedShadow {
  base::json::object state;
  std::int64_t server_version = 0;
  std::int64_t own_version = 0;
};
[[nodiscard]] std::optional<SyncedShadow> read_synced(store::Transaction& transaction,
                                                      const ShadowKey& key);
// Nothing: neither has it any more.
void write_synced(store::Transaction& transaction, const ShadowKey& key,
                  const std::optional<SyncedShadow>& synced);

}  // namespace andon::edge
