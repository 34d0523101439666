// SPDX-License-Identifier: Apache-2.0
#include "events/schedule/schedules.hpp"

#include <random>
#include <utility>

#include "base/error/error.hpp"
#include "base/schedule/expression.hpp"
#include "base/text/ascii.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using base::Timestamp;
using store::Row;
using store::SqlValue;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE schedule_groups (
  name TEXT NOT NULL PRIMARY KEY,
  token TEXT NOT NULL,           -- of the request that made it
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
CREATE TABLE schedules (
  group_name TEXT NOT NULL REFERENCES schedule_groups (name),
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  expression TEXT NOT NULL,
  zone TEXT NOT NULL,
  start_ms BIGINT,
  end_ms BIGINT,
  is_enabled BIGINT NOT NULL,
  goes_when_done BIGINT NOT NULL,
  window_minutes BIGINT NOT NULL,
  target TEXT NOT NULL,
  token TEXT NOT NULL,           -- of the request that made it
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  planned_ms BIGINT,             -- the next run
  due_ms BIGINT,                 -- the same, later by a part of the window
  PRIMARY KEY (group_name, name)
);
CREATE INDEX schedules_due ON schedules (due_ms) WHERE due_ms IS NOT NULL;
)sql";

constexpr std::string_view kColumns =
    "group_name, name, description, expression, zone, start_ms, end_ms, is_enabled, "
    "goes_when_done, window_minutes, target, created_ms, modified_ms";

std::optional<Timestamp> maybe_time(const Row& row, std::size_t column) {
  const auto millis = row.optional_integer(column);
  if (!millis) return std::nullopt;
  return base::from_epoch_millis(*millis);
}

SqlValue stored(const std::optional<Timestamp>& time) {
  return time ? SqlValue(base::to_epoch_millis(*time)) : SqlValue();
}

Schedule read(const Row& row) {
  return {.group = row.text(0),
          .name = row.text(1),
          .description = row.text(2),
          .expression = row.text(3),
          .zone = row.text(4),
          .start = maybe_time(row, 5),
          .end = maybe_time(row, 6),
          .is_enabled = row.integer(7) != 0,
          .goes_when_done = row.integer(8) != 0,
          .window = std::chrono::minutes(row.integer(9)),
          .target = base::parse_json(row.text(10), "a stored target").as_object(),
          .created = base::from_epoch_millis(row.integer(11)),
          .modified = base::from_epoch_millis(row.integer(12))};
}

std::optional<Schedule> find(Transaction& tx, const std::string& group, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kColumns) + " FROM schedules WHERE group_name = $1 AND name = $2",
      {group, name});
  if (!row) return std::nullopt;
  return read(*row);
}

Schedule require(Transaction& tx, const std::string& group, const std::string& name) {
  auto found = find(tx, group, name);
  if (!found) {
    throw Error(ErrorCode::not_found, "Schedule " + name.substr(0, 64) + " does not exist.");
  }
  return *std::move(found);
}

ScheduleGroup require_group(Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT name, created_ms, modified_ms FROM schedule_groups WHERE name = $1", {name});
  if (!row) {
    throw Error(ErrorCode::not_found, "Schedule group " + name.substr(0, 64) + " does not exist.");
  }
  return {row->text(0), base::from_epoch_millis(row->integer(1)),
          base::from_epoch_millis(row->integer(2))};
}

base::ScheduleExpression expression_of(const Schedule& schedule) {
  return base::ScheduleExpression(schedule.expression, base::Zone::find(schedule.zone));
}

// A part of the window, by chance.
std::chrono::milliseconds delay_of(const Schedule& schedule) {
  if (schedule.window.count() == 0) return std::chrono::milliseconds(0);
  thread_local std::mt19937_64 random{std::random_device{}()};
  const auto most = std::chrono::milliseconds(schedule.window).count() - 1;
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, most)(random));
}

void check(const Schedule& schedule) {
  for (const auto& [text, member] :
       {std::pair{schedule.name, "name"}, {schedule.group, "groupName"}}) {
    if (base::is_name_of(text, "._-")) continue;
    throw Error(ErrorCode::invalid_argument,
                "1 validation error detected: Value '" + text.substr(0, 80) + "' at '" + member +
                    "' failed to satisfy constraint: Member must satisfy regular expression "
                    "pattern: ^[0-9a-zA-Z-_.]+$");
  }
  (void)base::Zone::find(schedule.zone);
  try {
    (void)expression_of(schedule);
  } catch (const Error&) {
    throw Error(ErrorCode::invalid_argument,
                "Invalid Schedule Expression " + schedule.expression + ".");
  }
  if (schedule.start && schedule.end && *schedule.end <= *schedule.start) {
    throw Error(ErrorCode::invalid_argument, "EndDate must be after StartDate.");
  }
}

void write_next(Transaction& tx, const Schedule& schedule, Timestamp after) {
  const auto planned = next_run(schedule, after);
  const auto due = planned ? std::optional(*planned + delay_of(schedule)) : std::nullopt;
  tx.execute(
      "UPDATE schedules SET planned_ms = $1, due_ms = $2 WHERE group_name = $3 AND name = $4",
      {stored(planned), stored(due), schedule.group, schedule.name});
}

void write(Transaction& tx, const Schedule& schedule, const std::string& token) {
  tx.execute(
      "INSERT INTO schedules (group_name, name, description, expression, zone, start_ms, end_ms, "
      "is_enabled, goes_when_done, window_minutes, target, token, created_ms, modified_ms) VALUES "
      "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (group_name, "
      "name) DO UPDATE SET description = excluded.description, expression = excluded.expression, "
      "zone = excluded.zone, start_ms = excluded.start_ms, end_ms = excluded.end_ms, is_enabled = "
      "excluded.is_enabled, goes_when_done = excluded.goes_when_done, window_minutes = "
      "excluded.window_minutes, target = excluded.target, modified_ms = excluded.modified_ms",
      {schedule.group, schedule.name, schedule.description, schedule.expression, schedule.zone,
       stored(schedule.start), stored(schedule.end), std::int64_t{schedule.is_enabled},
       std::int64_t{schedule.goes_when_done}, std::int64_t{schedule.window.count()},
       base::to_text(schedule.target), token, base::to_epoch_millis(schedule.created),
       base::to_epoch_millis(schedule.modified)});
}

bool is_same(const Schedule& left, const Schedule& right) {
  return left.description == right.description && left.expression == right.expression &&
         left.zone == right.zone && left.start == right.start && left.end == right.end &&
         left.is_enabled == right.is_enabled && left.goes_when_done == right.goes_when_done &&
         left.window == right.window && left.target == right.target;
}

}  // namespace

std::optional<Timestamp> next_run(const Schedule& schedule, Timestamp after) {
  if (!schedule.is_enabled) return std::nullopt;
  const base::ScheduleExpression expression = expression_of(schedule);
  const Timestamp begin = schedule.start.value_or(schedule.created);
  if (expression.kind() == base::ScheduleExpression::Kind::at) return expression.next(after, begin);
  // What is due at the beginning itself runs.
  const Timestamp before_begin = begin - std::chrono::milliseconds(1);
  const auto next = expression.next(std::max(after, before_begin), begin);
  if (!next || (schedule.end && *next > *schedule.end)) return std::nullopt;
  return next;
}

Schedules::Schedules(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  database_.migrate("schedules", {{"schedules", kTables}});
  database_.write([&](Transaction& tx) {
    tx.execute(
        "INSERT INTO schedule_groups (name, token, created_ms, modified_ms) VALUES ($1, '', $2, "
        "$2) ON CONFLICT (name) DO NOTHING",
        {std::string(kDefaultGroup), base::to_epoch_millis(clock_.now())});
  });
}

void Schedules::create(Schedule schedule, const std::string& token) {
  check(schedule);
  database_.write([&](Transaction& tx) {
    (void)require_group(tx, schedule.group);
    if (const auto there = find(tx, schedule.group, schedule.name)) {
      const auto before =
          tx.query_one("SELECT token FROM schedules WHERE group_name = $1 AND name = $2",
                       {schedule.group, schedule.name});
      if (!token.empty() && before->text(0) == token && is_same(*there, schedule)) return;
      throw Error(ErrorCode::already_exists, "Schedule " + schedule.name + " already exists.");
    }
    if (tx.query_one("SELECT count(*) FROM schedules")->integer(0) >= kMostSchedules) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMostSchedules) + " schedules, delete one");
    }
    schedule.created = schedule.modified = clock_.now();
    write(tx, schedule, token);
    write_next(tx, schedule, schedule.created - std::chrono::milliseconds(1));
  });
}

void Schedules::update(Schedule schedule) {
  check(schedule);
  database_.write([&](Transaction& tx) {
    schedule.created = require(tx, schedule.group, schedule.name).created;
    schedule.modified = clock_.now();
    write(tx, schedule, "");
    write_next(tx, schedule, schedule.modified);
  });
}

Schedule Schedules::schedule(const std::string& group, const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require(tx, group, name); });
}

void Schedules::remove(const std::string& group, const std::string& name) {
  database_.write([&](Transaction& tx) {
    (void)require(tx, group, name);
    tx.execute("DELETE FROM schedules WHERE group_name = $1 AND name = $2", {group, name});
  });
}

std::vector<Schedule> Schedules::list(const Filter& filter, const std::string& after_group,
                                      const std::string& after_name, std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    if (!filter.group.empty()) (void)require_group(tx, filter.group);
    std::vector<Schedule> all;
    const std::int64_t state = filter.is_enabled ? std::int64_t{*filter.is_enabled} : -1;
    for (const Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM schedules WHERE (group_name, name) > ($1, $2) AND ($3 = '' OR "
                      "group_name = $3) AND substr(name, 1, length($4)) = $4 AND ($5 = -1 OR "
                      "is_enabled = $5) ORDER BY group_name, name LIMIT $6",
                  {after_group, after_name, filter.group, filter.prefix, state,
                   static_cast<std::int64_t>(limit)})) {
      all.push_back(read(row));
    }
    return all;
  });
}

void Schedules::create_group(const std::string& name, const std::string& token) {
  check({.group = name, .name = name, .expression = "rate(1 day)"});
  database_.write([&](Transaction& tx) {
    const auto there = tx.query_one("SELECT token FROM schedule_groups WHERE name = $1", {name});
    if (there) {
      if (!token.empty() && there->text(0) == token) return;
      throw Error(ErrorCode::already_exists, "Schedule group " + name + " already exists.");
    }
    if (tx.query_one("SELECT count(*) FROM schedule_groups")->integer(0) >= kMostGroups) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMostGroups) + " schedule groups, delete one");
    }
    tx.execute(
        "INSERT INTO schedule_groups (name, token, created_ms, modified_ms) VALUES ($1, $2, $3, "
        "$3)",
        {name, token, base::to_epoch_millis(clock_.now())});
  });
}

ScheduleGroup Schedules::group(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require_group(tx, name); });
}

std::vector<ScheduleGroup> Schedules::groups(const std::string& prefix, const std::string& after,
                                             std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    std::vector<ScheduleGroup> all;
    for (const Row& row :
         tx.query("SELECT name, created_ms, modified_ms FROM schedule_groups WHERE name > $1 AND "
                  "substr(name, 1, length($2)) = $2 ORDER BY name LIMIT $3",
                  {after, prefix, static_cast<std::int64_t>(limit)})) {
      all.push_back({row.text(0), base::from_epoch_millis(row.integer(1)),
                     base::from_epoch_millis(row.integer(2))});
    }
    return all;
  });
}

void Schedules::remove_group(const std::string& name) {
  if (name == kDefaultGroup) {
    throw Error(ErrorCode::invalid_argument, "The default schedule group can't be deleted.");
  }
  database_.write([&](Transaction& tx) {
    (void)require_group(tx, name);
    tx.execute("DELETE FROM schedules WHERE group_name = $1", {name});
    tx.execute("DELETE FROM schedule_groups WHERE name = $1", {name});
  });
}

std::vector<Schedules::Due> Schedules::take_due(Transaction& tx, Timestamp now, std::size_t limit) {
  std::vector<Due> due;
  for (const Row& row :
       tx.query("SELECT " + std::string(kColumns) +
                    ", planned_ms FROM schedules WHERE due_ms IS NOT NULL AND due_ms <= $1 ORDER "
                    "BY due_ms LIMIT $2",
                {base::to_epoch_millis(now), static_cast<std::int64_t>(limit)})) {
    due.push_back({read(row), base::from_epoch_millis(row.integer(13))});
  }
  for (const Due& one : due) {
    const Schedule& schedule = one.schedule;
    // Several that were missed are one run.
    auto next = next_run(schedule, one.planned);
    const Timestamp after = next && *next <= now ? now : one.planned;
    if (!next_run(schedule, after) && schedule.goes_when_done) {
      tx.execute("DELETE FROM schedules WHERE group_name = $1 AND name = $2",
                 {schedule.group, schedule.name});
    } else {
      write_next(tx, schedule, after);
    }
  }
  return due;
}

std::optional<Timestamp> Schedules::next_due(Transaction& tx) {
  const auto row =
      tx.query_one("SELECT due_ms FROM schedules WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1");
  if (!row) return std::nullopt;
  return base::from_epoch_millis(row->integer(0));
}

}  // namespace andon::events
