// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_aliases.hpp"

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostName = 63;

constexpr std::string_view kTables = R"sql(
CREATE TABLE model_aliases (
  group_name TEXT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  moved_ms BIGINT NOT NULL,
  PRIMARY KEY (group_name, alias)
);
CREATE INDEX model_aliases_version ON model_aliases (group_name, version);
CREATE TABLE model_alias_moves (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_name TEXT NOT NULL,
  alias TEXT NOT NULL,
  from_version BIGINT NOT NULL,   -- 0: it was not there
  to_version BIGINT NOT NULL,     -- 0: it was removed
  mover TEXT NOT NULL,
  note TEXT NOT NULL,
  time_ms BIGINT NOT NULL
);
CREATE INDEX model_alias_moves_group ON model_alias_moves (group_name, id);
CREATE TRIGGER model_alias_moves_stay BEFORE UPDATE ON model_alias_moves
  BEGIN SELECT RAISE(ABORT, 'moves are only ever added'); END;
CREATE TRIGGER model_alias_moves_remain BEFORE DELETE ON model_alias_moves
  BEGIN SELECT RAISE(ABORT, 'moves are only ever added'); END;
)sql";

void check_alias_name(const std::string& name) {
  const bool is_good = !name.empty() && name.size() <= kMostName && base::is_letter(name.front()) &&
                       base::is_name_of(name, "-_");
  if (is_good) return;
  throw Error(ErrorCode::invalid_argument,
              "alias '" + name.substr(0, kMostName + 1) +
                  "' must be 1 to 63 letters, digits, '-' and '_', and begin with a letter");
}

std::string version_text(std::int64_t version) {
  return version == 0 ? "nowhere" : "version " + std::to_string(version);
}

ModelAlias read_alias(const std::string& group, const store::Row& row) {
  return {.group = group,
          .name = row.text(0),
          .version = row.integer(1),
          .moved = stored_time(row.integer(2))};
}

}  // namespace

void migrate_model_aliases(store::Database& database) {
  database.migrate("model-aliases", {{"0001-model-aliases", kTables}});
}

ModelAliases::ModelAliases(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  migrate_model_aliases(database);
}

ModelAlias ModelAliases::move(const AliasChange& change) {
  check_alias_name(change.alias);
  if (change.note.size() > kMostNote) {
    throw Error(ErrorCode::invalid_argument, "note: may have at most 1024 bytes");
  }
  const base::Timestamp now = clock_.now();
  return database_.write([&](store::Transaction& tx) {
    const auto there =
        tx.query_one("SELECT version FROM model_aliases WHERE group_name = $1 AND alias = $2",
                     {change.group, change.alias});
    const std::int64_t from = there ? there->integer(0) : 0;
    if (change.expected && *change.expected != from) {
      throw Error(ErrorCode::conflict, "alias " + change.alias + " of " + change.group + " is at " +
                                           version_text(from) + ", not at " +
                                           version_text(*change.expected) +
                                           ": somebody has moved it; look at its moves");
    }
    if (change.version == 0 && from == 0) {
      throw Error(ErrorCode::not_found, change.group + " has no alias " + change.alias);
    }
    if (change.version != 0 &&
        !tx.query_one("SELECT 1 FROM model_package WHERE name = $1 AND version = $2",
                      {change.group, change.version})) {
      throw Error(ErrorCode::not_found,
                  change.group + "@" + std::to_string(change.version) + " is not registered");
    }
    ModelAlias alias{change.group, change.alias, change.version, now};
    if (from == change.version) return alias;
    const auto counts = tx.query_one(
        "SELECT (SELECT count(*) FROM model_aliases WHERE group_name = $1), (SELECT count(*) FROM "
        "model_alias_moves WHERE group_name = $1)",
        {change.group});
    if (from == 0 && counts->integer(0) >= kMostAliases) {
      throw Error(ErrorCode::resource_exhausted,
                  "a model may have at most " + std::to_string(kMostAliases) + " aliases");
    }
    if (counts->integer(1) >= kMostMoves) {
      throw Error(ErrorCode::resource_exhausted, "the aliases of a model move at most " +
                                                     std::to_string(kMostMoves) +
                                                     " times, for all moves are kept");
    }
    if (change.version == 0) {
      tx.execute("DELETE FROM model_aliases WHERE group_name = $1 AND alias = $2",
                 {change.group, change.alias});
    } else {
      tx.execute(
          "INSERT INTO model_aliases (group_name, alias, version, moved_ms) VALUES ($1, $2, $3, "
          "$4) ON CONFLICT (group_name, alias) DO UPDATE SET version = excluded.version, moved_ms "
          "= excluded.moved_ms",
          {change.group, change.alias, change.version, to_stored(now)});
    }
    tx.execute(
        "INSERT INTO model_alias_moves (group_name, alias, from_version, to_version, mover, note, "
        "time_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        {change.group, change.alias, from, change.version, change.by, change.note, to_stored(now)});
    return alias;
  });
}

std::optional<ModelAlias> ModelAliases::find(const std::string& group,
                                             const std::string& alias) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<ModelAlias> {
    const auto row = tx.query_one(
        "SELECT alias, version, moved_ms FROM model_aliases WHERE group_name = $1 AND alias = $2",
        {group, alias});
    if (!row) return std::nullopt;
    return read_alias(group, *row);
  });
}

std::vector<ModelAlias> ModelAliases::list(const std::string& group) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<ModelAlias> aliases;
    for (const store::Row& row :
         tx.query("SELECT alias, version, moved_ms FROM model_aliases WHERE group_name = $1 ORDER "
                  "BY alias",
                  {group})) {
      aliases.push_back(read_alias(group, row));
    }
    return aliases;
  });
}

Page<AliasMove> ModelAliases::moves(const std::string& group, const std::string& alias,
                                    const PageRequest& page) const {
  constexpr std::int64_t kNewest = std::int64_t{1} << 62U;
  std::int64_t before = kNewest;
  if (!page.after.empty()) {
    const auto key = base::parse_int64(page.after);
    if (!key) throw Error(ErrorCode::invalid_argument, "nextToken: is not one that this list gave");
    before = *key;
  }
  return database_.read([&](store::Transaction& tx) {
    Page<AliasMove> result;
    for (const store::Row& row :
         tx.query("SELECT id, alias, from_version, to_version, mover, note, time_ms FROM "
                  "model_alias_moves WHERE group_name = $1 AND id < $2 AND ($3 = '' OR alias = $3) "
                  "ORDER BY id DESC LIMIT $4",
                  {group, before, alias, static_cast<std::int64_t>(page.limit) + 1})) {
      if (result.items.size() == page.limit) {
        result.next = std::to_string(result.items.back().id);
        break;
      }
      result.items.push_back({.id = row.integer(0),
                              .alias = row.text(1),
                              .from = row.integer(2),
                              .to = row.integer(3),
                              .by = row.text(4),
                              .note = row.text(5),
                              .time = stored_time(row.integer(6))});
    }
    return result;
  });
}

void require_no_alias(store::Transaction& tx, const std::string& group, std::int64_t version) {
  const auto row =
      tx.query_one("SELECT alias FROM model_aliases WHERE group_name = $1 AND version = $2 LIMIT 1",
                   {group, version});
  if (!row) return;
  throw Error(ErrorCode::conflict, "alias " + row->text(0) + " of " + group + " is at version " +
                                       std::to_string(version) +
                                       ": move it or remove it before the version is deleted");
}

}  // namespace andon::control
