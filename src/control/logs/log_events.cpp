// SPDX-License-Identifier: Apache-2.0
// Events: written in batches, read by place, searched, and forgotten.
#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/utf8.hpp"
#include "control/logs/log_pattern.hpp"
#include "control/logs/logs.hpp"
#include "control/logs/rows.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kOldest = 14 * kDayMs;  // as AWS takes them
constexpr std::int64_t kNewest = kDayMs / 12;
constexpr std::int64_t kPageBytes = 1 << 20U;
// What one search looks at before it answers with what it has.
constexpr std::int64_t kSearchRows = 20'000;
constexpr std::int64_t kSearchBytes = 16 << 20U;
constexpr std::int64_t kStep = 500;
// A stream that has been empty for so long goes.
constexpr std::int64_t kEmptyStream = 2 * kDayMs;

void check_batch(const std::vector<LogLine>& lines) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::invalid_argument, why); };
  if (lines.empty() || lines.size() > Logs::kBatchLines) {
    refuse("logEvents must have 1 to " + std::to_string(Logs::kBatchLines) + " events, and has " +
           std::to_string(lines.size()));
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LogLine& line = lines[i];
    if (line.message.empty()) refuse("the message of a log event must not be empty");
    if (!base::is_utf8(line.message)) refuse("the message of a log event must be UTF-8");
    bytes += line.message.size() + Logs::kLineBytes;
    if (i > 0 && line.time < lines[i - 1].time) {
      refuse("Log events in a single PutLogEvents request must be in chronological order.");
    }
  }
  if (bytes > Logs::kBatchBytes) {
    refuse("Upload too large: " + std::to_string(bytes) + " bytes exceeds limit of " +
           std::to_string(Logs::kBatchBytes));
  }
  if (lines.back().time - lines.front().time > std::chrono::hours(24)) {
    refuse(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
}

// As a range of events in the order of (time_ms, id), cut at a number of rows and of bytes.
struct Scan {
  std::string columns;  // of `from`, behind e.id, e.time_ms, e.ingested_ms
  std::string from;     // "log_events e WHERE e.stream_id = $1", $1 to $`values.size()` in it
  std::vector<SqlValue> values;
  LogRange range;
  std::optional<LogPlace> place;
  bool backward = false;

  [[nodiscard]] std::vector<store::Row> rows(store::Transaction& tx, std::int64_t most,
                                             std::int64_t most_bytes) const {
    std::string sql = from;
    std::vector<SqlValue> all = values;
    const auto bind = [&all](std::int64_t value) {
      all.emplace_back(value);
      return "$" + std::to_string(all.size());
    };
    std::int64_t lower = range.from_ms;
    std::int64_t upper = range.until_ms;
    if (place && !backward) lower = std::max(lower, place->time_ms);
    if (place && backward && place->time_ms < upper) upper = place->time_ms + 1;
    sql += " AND e.time_ms >= " + bind(lower);
    sql += " AND e.time_ms < " + bind(upper);
    if (place) {
      const char* const than = backward ? "<" : ">";
      const std::string time = bind(place->time_ms);
      sql += std::string(" AND (e.time_ms ") + than + " " + time + " OR (e.time_ms = " + time +
             " AND e.id " + than + " " + bind(place->id) + "))";
    }
    const char* const order = backward ? " DESC" : "";
    sql += std::string(" ORDER BY e.time_ms") + order + ", e.id" + order + " LIMIT ";
    const std::string limit = bind(most);
    // First how large they are, so that no more than is wanted is read into memory.
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    for (const auto& row : tx.query("SELECT e.bytes FROM " + sql + limit, all)) {
      bytes += row.integer(0);
      if (count > 0 && bytes > most_bytes) break;
      ++count;
    }
    if (count == 0) return {};
    all.back() = count;
    return tx.query(
        "SELECT e.id, e.time_ms, e.ingested_ms, e.message" + columns + " FROM " + sql + limit, all);
  }
};

LogEvent event_row(const store::Row& row) {
  return {.id = row.integer(0),
          .time = stored_time(row.integer(1)),
          .ingested = stored_time(row.integer(2)),
          .message = row.text(3)};
}

LogPlace place_of(const LogEvent& event) {
  return {to_stored(event.time), event.id};
}

}  // namespace

std::optional<std::int64_t> Logs::expired_before(const LogGroup& group) const {
  std::optional<std::int64_t> days = group.retention_days;
  if (!days && limits_.keep) days = limits_.keep->count();
  if (!days) return std::nullopt;
  return to_stored(clock_.now()) - *days * kDayMs;
}

// What has expired and is not swept away yet is not shown.
LogRange Logs::kept(const LogGroup& group, LogRange range) const {
  if (const auto oldest = expired_before(group)) range.from_ms = std::max(range.from_ms, *oldest);
  return range;
}

PutOutcome Logs::put(const std::string& group, const std::string& stream,
                     const std::vector<LogLine>& lines) {
  check_batch(lines);
  PutOutcome outcome;
  commits_.write([&](store::Transaction& tx) {
    outcome = {};
    const LogGroup found = require_log_group(tx, group);
    const std::int64_t id = require_log_stream(tx, found, stream);
    const std::int64_t now = to_stored(clock_.now());
    const std::optional<std::int64_t> expired = expired_before(found);
    std::int64_t bytes = 0;
    std::int64_t newest = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::int64_t time = to_stored(lines[i].time);
      if (time > now + kNewest) {
        outcome.too_new_start = i;
        break;
      }
      if (time < now - kOldest) {
        outcome.too_old_end = i + 1;
        continue;
      }
      if (expired && time < *expired) {
        outcome.expired_end = i + 1;
        continue;
      }
      const auto size = static_cast<std::int64_t>(lines[i].message.size() + kLineBytes);
      tx.execute(
          "INSERT INTO log_events (group_id, stream_id, time_ms, ingested_ms, bytes, message) "
          "VALUES ($1, $2, $3, $4, $5, $6)",
          {found.id, id, time, now, size, lines[i].message});
      bytes += size;
      newest = time;
    }
    if (bytes == 0) return;
    const auto last = tx.query_one("SELECT max(id) FROM log_events");
    outcome.last_id = last->integer(0);
    tx.execute(
        "UPDATE log_streams SET last_ms = CASE WHEN last_ms > $1 THEN last_ms ELSE $1 END, "
        "ingested_ms = $2 WHERE id = $3",
        {newest, now, id});
    add_log_bytes(tx, found.id, bytes);
    make_room(tx, found.id);
    // At least as much goes as has come.
    remove_remains(tx, 2 * static_cast<std::int64_t>(lines.size()));
  });
  return outcome;
}

// The oldest of `group`, until `bytes` are free or it is empty.
void Logs::remove_oldest(store::Transaction& tx, std::int64_t group, std::int64_t bytes) const {
  while (bytes > 0) {
    const auto rows = tx.query(
        "SELECT time_ms, id, bytes FROM log_events WHERE group_id = $1 ORDER BY time_ms, id LIMIT "
        "$2",
        {group, kStep});
    if (rows.empty()) return;
    std::int64_t freed = 0;
    LogPlace last;
    for (const auto& row : rows) {
      last = {row.integer(0), row.integer(1)};
      freed += row.integer(2);
      if (freed >= bytes) break;
    }
    tx.execute(
        "DELETE FROM log_events WHERE group_id = $1 AND time_ms <= $2 AND (time_ms < $2 OR id <= "
        "$3)",
        {group, last.time_ms, last.id});
    add_log_bytes(tx, group, -freed);
    bytes -= freed;
  }
}

void Logs::make_room(store::Transaction& tx, std::int64_t group) const {
  const auto own = tx.query_one("SELECT bytes FROM log_groups WHERE id = $1", {group});
  remove_oldest(tx, group, own->integer(0) - limits_.group_bytes);
  while (true) {
    const auto all = tx.query_one("SELECT bytes FROM log_totals WHERE id = 1");
    const std::int64_t excess = all->integer(0) - limits_.total_bytes;
    if (excess <= 0) return;
    const auto largest =
        tx.query_one("SELECT id, bytes FROM log_groups ORDER BY bytes DESC LIMIT 1");
    if (!largest || largest->integer(1) <= 0) return;
    remove_oldest(tx, largest->integer(0), std::min(excess, largest->integer(1)));
  }
}

LogPage Logs::read(const std::string& group, const std::string& stream,
                   const LogRead& wanted) const {
  LogPage page;
  database_.read([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    const Scan scan{.columns = {},
                    .from = "log_events e WHERE e.stream_id = $1",
                    .values = {require_log_stream(tx, found, stream)},
                    .range = kept(found, wanted.range),
                    .place = wanted.place,
                    .backward = wanted.backward};
    for (const auto& row : scan.rows(tx, static_cast<std::int64_t>(wanted.limit), kPageBytes)) {
      page.events.push_back(event_row(row));
      page.events.back().stream = stream;
    }
  });
  if (wanted.backward) std::ranges::reverse(page.events);
  if (page.events.empty()) {
    page.before = page.after = wanted.place.value_or(LogPlace{});
    return page;
  }
  page.before = place_of(page.events.front());
  page.after = place_of(page.events.back());
  return page;
}

LogSearchPage Logs::search(const std::string& group, const LogSearch& wanted) const {
  const LogPattern pattern(wanted.pattern);
  LogSearchPage page;
  database_.read([&](store::Transaction& tx) {
    const LogGroup found = require_log_group(tx, group);
    // Events of a stream that was deleted have none to be joined with.
    Scan scan{.columns = ", s.name",
              .from = "log_events e JOIN log_streams s ON s.id = e.stream_id WHERE e.group_id = $1",
              .values = {found.id},
              .range = kept(found, wanted.range),
              .place = wanted.place};
    if (!wanted.streams.empty()) {
      std::string ids;
      for (const std::string& stream : wanted.streams) {
        scan.values.emplace_back(require_log_stream(tx, found, stream));
        ids += (ids.empty() ? "$" : ", $") + std::to_string(scan.values.size());
      }
      scan.from += " AND e.stream_id IN (" + ids + ")";
    } else if (!wanted.stream_prefix.empty()) {
      scan.values.emplace_back(wanted.stream_prefix);
      scan.from += " AND substr(s.name, 1, length($2)) = $2";
    }
    std::int64_t seen = 0;
    std::int64_t seen_bytes = 0;
    std::int64_t bytes = 0;
    while (seen < kSearchRows && seen_bytes < kSearchBytes) {
      const auto rows = scan.rows(tx, kStep, kPageBytes);
      if (rows.empty()) {
        page.next.reset();
        return;
      }
      for (const auto& row : rows) {
        LogEvent event = event_row(row);
        scan.place = page.next = place_of(event);
        seen_bytes += static_cast<std::int64_t>(event.message.size());
        ++seen;
        if (!pattern.matches(event.message)) continue;
        event.stream = row.text(4);
        bytes += static_cast<std::int64_t>(event.message.size() + kLineBytes);
        page.events.push_back(std::move(event));
        if (page.events.size() == wanted.limit || bytes >= kPageBytes) return;
      }
    }
  });
  return page;
}

// What deleted groups and streams have left.
std::int64_t Logs::remove_remains(store::Transaction& tx, std::int64_t limit) {
  std::int64_t removed = 0;
  for (const auto& row : tx.query("SELECT kind, id FROM log_remains ORDER BY kind, id LIMIT 100")) {
    const bool is_group = row.text(0) == "group";
    const std::int64_t id = row.integer(1);
    const auto events =
        tx.query(std::string("SELECT id, group_id, bytes FROM log_events WHERE ") +
                     (is_group ? "group_id" : "stream_id") + " = $1 ORDER BY time_ms, id LIMIT $2",
                 {id, limit - removed});
    for (const auto& event : events) {
      tx.execute("DELETE FROM log_events WHERE id = $1", {event.integer(0)});
      if (!is_group) add_log_bytes(tx, event.integer(1), -event.integer(2));
    }
    removed += static_cast<std::int64_t>(events.size());
    if (is_group && removed < limit) {
      removed += tx.execute(
          "DELETE FROM log_streams WHERE id IN (SELECT id FROM log_streams WHERE group_id = $1 "
          "LIMIT $2)",
          {id, limit - removed});
    }
    if (removed >= limit) break;
    tx.execute("DELETE FROM log_remains WHERE kind = $1 AND id = $2", {row.text(0), id});
  }
  return removed;
}

std::int64_t Logs::remove_expired(store::Transaction& tx, std::int64_t limit) const {
  std::int64_t removed = 0;
  const std::int64_t empty_since = to_stored(clock_.now()) - kEmptyStream;
  for (const auto& row : tx.query("SELECT " + std::string(kLogGroupColumns) + " FROM log_groups")) {
    const LogGroup group = log_group_row(row);
    if (const auto oldest = expired_before(group)) {
      const auto events = tx.query(
          "SELECT id, bytes FROM log_events WHERE group_id = $1 AND time_ms < $2 ORDER BY time_ms, "
          "id LIMIT $3",
          {group.id, *oldest, limit - removed});
      std::int64_t bytes = 0;
      for (const auto& event : events) {
        tx.execute("DELETE FROM log_events WHERE id = $1", {event.integer(0)});
        bytes += event.integer(1);
      }
      add_log_bytes(tx, group.id, -bytes);
      removed += static_cast<std::int64_t>(events.size());
    }
    if (removed >= limit) break;
    // Streams that were written to and have lost all since.
    removed += tx.execute(
        "DELETE FROM log_streams WHERE id IN (SELECT id FROM log_streams WHERE group_id = $1 AND "
        "last_ms > 0 AND last_ms < $2 AND ingested_ms < $2 AND NOT EXISTS (SELECT 1 FROM "
        "log_events e WHERE e.stream_id = log_streams.id) ORDER BY last_ms LIMIT $3)",
        {group.id, empty_since, limit - removed});
    if (removed >= limit) break;
  }
  return removed;
}

std::int64_t Logs::sweep(std::int64_t limit) {
  std::int64_t removed = 0;
  commits_.write([&](store::Transaction& tx) {
    removed = remove_remains(tx, limit);
    if (removed < limit) removed += remove_expired(tx, limit - removed);
  });
  return removed;
}

}  // namespace andon::control
