// SPDX-License-Identifier: Apache-2.0
// Groups and streams; their events are in log_events.cpp.
#include "control/logs/logs.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/utf8.hpp"
#include "control/logs/rows.hpp"
#include "control/logs/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr std::size_t kMostNameBytes = 512;
constexpr std::int64_t kMostTags = 50;

store::Database& migrated(store::Database& database) {
  migrate_log_schema(database);
  return database;
}

// Every name that begins with `prefix` is before this one: the last character that there is.
std::string after_prefix(const std::string& prefix) {
  return prefix + "\xF4\x8F\xBF\xBF";
}

void store_log_tags(store::Transaction& tx, std::int64_t group, const TagMap& tags) {
  for (const auto& [key, value] : tags) {
    tx.execute(
        "INSERT INTO log_tags (group_id, tag_key, tag_value) VALUES ($1, $2, $3) "
        "ON CONFLICT (group_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        {group, key, value});
  }
  const auto count = tx.query_one("SELECT count(*) FROM log_tags WHERE group_id = $1", {group});
  if (count->integer(0) > kMostTags) {
    throw Error(ErrorCode::resource_exhausted, "a log group has at most 50 tags");
  }
}

LogStream log_stream_row(const store::Row& row) {
  LogStream stream{
      .id = row.integer(0), .name = row.text(1), .created = stored_time(row.integer(2))};
  if (!row.is_null(3)) stream.first = stored_time(row.integer(3));
  if (row.integer(4) != 0) stream.last = stored_time(row.integer(4));
  if (row.integer(5) != 0) stream.ingested = stored_time(row.integer(5));
  return stream;
}

}  // namespace

void check_log_group_name(std::string_view name) {
  if (name.size() > kMostNameBytes || !base::is_name_of(name, ".-_/#")) {
    throw Error(ErrorCode::invalid_argument,
                "a log group's name has 1 to 512 characters of [.-_/#A-Za-z0-9]: '" +
                    std::string(base::utf8_prefix(name, 100)) + "'");
  }
}

void check_log_stream_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMostNameBytes && base::is_utf8(name) &&
                    std::ranges::none_of(
                        name, [](char c) { return c == ':' || c == '*' || base::is_control(c); });
  if (!fits) {
    throw Error(ErrorCode::invalid_argument,
                "a log stream's name has 1 to 512 characters, and no ':', '*' or control "
                "character: '" +
                    std::string(base::utf8_prefix(name, 100)) + "'");
  }
}

LogGroup log_group_row(const store::Row& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .log_class = row.text(2),
          .created = stored_time(row.integer(3)),
          .retention_days = row.optional_integer(4),
          .bytes = row.integer(5)};
}

LogGroup require_log_group(store::Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kLogGroupColumns) + " FROM log_groups WHERE name = $1", {name});
  if (!row) throw Error(ErrorCode::not_found, "The specified log group does not exist: " + name);
  return log_group_row(*row);
}

std::int64_t require_log_stream(store::Transaction& tx, const LogGroup& group,
                                const std::string& name) {
  const auto row = tx.query_one("SELECT id FROM log_streams WHERE group_id = $1 AND name = $2",
                                {group.id, name});
  if (!row) {
    throw Error(ErrorCode::not_found,
                "The specified log stream does not exist: " + name + " of " + group.name);
  }
  return row->integer(0);
}

void add_log_bytes(store::Transaction& tx, std::int64_t group, std::int64_t bytes) {
  // What a deleted group had was taken off when it went.
  const auto changed =
      tx.execute("UPDATE log_groups SET bytes = bytes + $1 WHERE id = $2", {bytes, group});
  if (changed == 0) return;
  tx.execute("UPDATE log_totals SET bytes = bytes + $1 WHERE id = 1", {bytes});
}

Logs::Logs(store::Database& database, const base::Clock& clock, LogLimits limits)
    : database_(migrated(database)), clock_(clock), limits_(limits), commits_(database) {}

// ---- groups

void Logs::create_group(const NewLogGroup& group) {
  check_log_group_name(group.name);
  commits_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM log_groups WHERE name = $1", {group.name})) {
      throw Error(ErrorCode::already_exists,
                  "The specified log group already exists: " + group.name);
    }
    if (tx.query_one("SELECT count(*) FROM log_groups")->integer(0) >= limits_.groups) {
      throw Error(ErrorCode::resource_exhausted, "Resource limit exceeded: there are " +
                                                     std::to_string(limits_.groups) +
                                                     " log groups, delete one");
    }
    tx.execute(
        "INSERT INTO log_groups (name, class, retention_days, created_ms, bytes) VALUES ($1, $2, "
        "NULL, $3, 0)",
        {group.name, group.log_class, to_stored(clock_.now())});
    store_log_tags(tx, require_log_group(tx, group.name).id, group.tags);
  });
}

void Logs::remove_group(const std::string& name) {
  commits_.write([&](store::Transaction& tx) {
    const LogGroup group = require_log_group(tx, name);
    add_log_bytes(tx, group.id, -group.bytes);
    tx.execute("DELETE FROM log_tags WHERE group_id = $1", {group.id});
    tx.execute("DELETE FROM log_groups WHERE id = $1", {group.id});
    tx.execute("INSERT INTO log_remains (kind, id) VALUES ('group', $1)", {group.id});
  });
}

std::optional<LogGroup> Logs::find_group(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<LogGroup> {
    const auto row = tx.query_one(
        "SELECT " + std::string(kLogGroupColumns) + " FROM log_groups WHERE name = $1", {name});
    if (!row) return std::nullopt;
    return log_group_row(*row);
  });
}

Page<LogGroup> Logs::groups(const LogGroupFilter& filter, const PageRequest& page) const {
  std::string sql = "SELECT " + std::string(kLogGroupColumns) +
                    " FROM log_groups WHERE name > $1 AND name >= $2 AND name < $3";
  std::vector<SqlValue> values = {page.after, filter.prefix, after_prefix(filter.prefix)};
  if (!filter.part.empty()) {
    values.emplace_back(base::to_lower(filter.part));
    sql += " AND instr(lower(name), $4) > 0";
  }
  if (!filter.log_class.empty()) {
    values.emplace_back(filter.log_class);
    sql += " AND class = $" + std::to_string(values.size());
  }
  values.emplace_back(static_cast<std::int64_t>(page.limit) + 1);
  sql += " ORDER BY name LIMIT $" + std::to_string(values.size());
  return database_.read([&](store::Transaction& tx) {
    Page<LogGroup> found;
    for (const auto& row : tx.query(sql, values)) {
      if (found.items.size() == page.limit) {
        found.next = found.items.back().name;
        break;
      }
      found.items.push_back(log_group_row(row));
    }
    return found;
  });
}

void Logs::set_retention(const std::string& name, std::optional<std::int64_t> days) {
  commits_.write([&](store::Transaction& tx) {
    tx.execute("UPDATE log_groups SET retention_days = $1 WHERE id = $2",
               {days ? SqlValue(*days) : SqlValue(), require_log_group(tx, name).id});
  });
}

TagMap Logs::tags(const std::string& group) const {
  return database_.read([&](store::Transaction& tx) {
    TagMap tags;
    for (const auto& row : tx.query("SELECT tag_key, tag_value FROM log_tags WHERE group_id = $1",
                                    {require_log_group(tx, group).id})) {
      tags.emplace(row.text(0), row.text(1));
    }
    return tags;
  });
}

void Logs::tag(const std::string& group, const TagMap& tags) {
  commits_.write(
      [&](store::Transaction& tx) { store_log_tags(tx, require_log_group(tx, group).id, tags); });
}

void Logs::untag(const std::string& group, const std::vector<std::string>& keys) {
  commits_.write([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    for (const std::string& key : keys) {
      tx.execute("DELETE FROM log_tags WHERE group_id = $1 AND tag_key = $2", {found.id, key});
    }
  });
}

// ---- streams

void Logs::create_stream(const std::string& group, const std::string& stream) {
  check_log_stream_name(stream);
  commits_.write([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    if (tx.query_one("SELECT 1 FROM log_streams WHERE group_id = $1 AND name = $2",
                     {found.id, stream})) {
      throw Error(ErrorCode::already_exists, "The specified log stream already exists: " + stream);
    }
    const auto count =
        tx.query_one("SELECT count(*) FROM log_streams WHERE group_id = $1", {found.id});
    if (count->integer(0) >= limits_.streams) {
      throw Error(ErrorCode::resource_exhausted,
                  "Resource limit exceeded: log group " + group + " has " +
                      std::to_string(limits_.streams) +
                      " streams; delete some, or set a retention for it");
    }
    tx.execute(
        "INSERT INTO log_streams (group_id, name, created_ms, last_ms, ingested_ms) VALUES ($1, "
        "$2, $3, 0, 0)",
        {found.id, stream, to_stored(clock_.now())});
  });
}

void Logs::remove_stream(const std::string& group, const std::string& stream) {
  commits_.write([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    const std::int64_t id = require_log_stream(tx, found, stream);
    tx.execute("DELETE FROM log_streams WHERE id = $1", {id});
    tx.execute("INSERT INTO log_remains (kind, id) VALUES ('stream', $1)", {id});
  });
}

Page<LogStream> Logs::streams(const std::string& group, const LogStreamFilter& filter,
                              const PageRequest& page) const {
  const std::string order = filter.descending ? " DESC" : "";
  const char* const than = filter.descending ? "<" : ">";
  std::string sql =
      "SELECT id, name, created_ms, (SELECT min(time_ms) FROM log_events e WHERE e.stream_id = "
      "log_streams.id), last_ms, ingested_ms FROM log_streams WHERE group_id = $1";
  std::vector<SqlValue> values;
  return database_.read([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    if (filter.by_last_event) {
      values = {found.id};
      if (!page.after.empty()) {
        const auto [last, name] = read_time_key(page.after);
        values.insert(values.end(), {last, name});
        sql += std::string(" AND (last_ms ") + than + " $2 OR (last_ms = $2 AND name " + than +
               " $3))";
      }
      sql += " ORDER BY last_ms" + order + ", name" + order;
    } else {
      values = {found.id, filter.prefix, after_prefix(filter.prefix)};
      sql += " AND name >= $2 AND name < $3";
      if (!page.after.empty()) {
        values.emplace_back(page.after);
        sql += std::string(" AND name ") + than + " $4";
      }
      sql += " ORDER BY name" + order;
    }
    values.emplace_back(static_cast<std::int64_t>(page.limit) + 1);
    sql += " LIMIT $" + std::to_string(values.size());
    Page<LogStream> listed;
    for (const auto& row : tx.query(sql, values)) {
      if (listed.items.size() == page.limit) {
        const LogStream& last = listed.items.back();
        const std::int64_t time = last.last ? to_stored(*last.last) : 0;
        listed.next = filter.by_last_event ? time_key(time, last.name) : last.name;
        break;
      }
      listed.items.push_back(log_stream_row(row));
    }
    return listed;
  });
}

}  // namespace andon::control
