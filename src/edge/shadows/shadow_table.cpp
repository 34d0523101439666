// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/shadow_table.hpp"

namespace andon::edge {
namespace {

base::json::object saved(const std::string& text) {
  return base::parse_json(text, "saved shadow").as_object();
}

}  // namespace

std::optional<fleet::Shadow> read_shadow(store::Transaction& transaction, const ShadowKey& key) {
  const auto row = transaction.query_one(
      "SELECT state, metadata, version, deleted FROM shadows WHERE thing = $1 AND name = $2",
      {key.first, key.second});
  if (!row) return std::nullopt;
  return fleet::Shadow{saved(row->text(0)), saved(row->text(1)), row->integer(2),
                       row->integer(3) != 0};
}

void write_shadow(store::Transaction& transaction, const ShadowKey& key,
                  const fleet::Shadow& shadow) {
  transaction.execute(
      "INSERT INTO shadows (thing, name, state, metadata, version, deleted) "
      "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (thing, name) DO UPDATE SET state = $3, "
      "metadata = $4, version = $5, deleted = $6",
      {key.first, key.second, base::to_text(shadow.state), base::to_text(shadow.metadata),
       shadow.version, std::int64_t{shadow.is_deleted}});
}

std::optional<SyncedShadow> read_synced(store::Transaction& transaction, const ShadowKey& key) {
  const auto row = transaction.query_one(
      "SELECT state, server_version, own_version FROM synced_shadows WHERE thing = $1 AND name = "
      "$2",
      {key.first, key.second});
  if (!row) return std::nullopt;
  return SyncedShadow{saved(row->text(0)), row->integer(1), row->integer(2)};
}

void write_synced(store::Transaction& transaction, const ShadowKey& key,
                  const std::optional<SyncedShadow>& synced) {
  if (!synced) {
    transaction.execute("DELETE FROM synced_shadows WHERE thing = $1 AND name = $2",
                        {key.first, key.second});
    return;
  }
  transaction.execute(
      "INSERT INTO synced_shadows (thing, name, state, server_version, own_version) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (thing, name) DO UPDATE SET state = $3, "
      "server_version = $4, own_version = $5",
      {key.first, key.second, base::to_text(synced->state), synced->server_version,
       synced->own_version});
}

}  // namespace andon::edge
