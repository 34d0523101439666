// SPDX-License-Identifier: Apache-2.0
#include "events/rules/rules.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/schedule/expression.hpp"
#include "base/text/ascii.hpp"
#include "events/pattern/pattern.hpp"
#include "events/rules/schema.hpp"
#include "events/rules/target_input.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::SqlValue;
using store::Transaction;

constexpr std::string_view kRuleColumns =
    "bus, name, description, is_enabled, pattern, schedule, role, created_ms";
constexpr std::string_view kBusColumns = "name, description, created_ms, modified_ms";

Bus read_bus(const Row& row) {
  return {row.text(0), row.text(1), base::from_epoch_millis(row.integer(2)),
          base::from_epoch_millis(row.integer(3))};
}

Rule read_rule(const Row& row) {
  return {.bus = row.text(0),
          .name = row.text(1),
          .description = row.text(2),
          .is_enabled = row.integer(3) != 0,
          .pattern = row.text(4),
          .schedule = row.text(5),
          .role = row.text(6),
          .created = base::from_epoch_millis(row.integer(7))};
}

json::object read_target(const Row& row) {
  return base::parse_json(row.text(0), "a stored target").as_object();
}

void check_name(const std::string& name, std::string_view member) {
  if (!base::is_name_of(name, "._-")) {
    throw Error(ErrorCode::invalid_argument,
                "1 validation error detected: Value '" + name.substr(0, 80) + "' at '" +
                    std::string(member) +
                    "' failed to satisfy constraint: Member must satisfy regular expression "
                    "pattern: [\\.\\-_A-Za-z0-9]+");
  }
}

Bus require_bus(Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kBusColumns) + " FROM event_buses WHERE name = $1", {name});
  if (!row) {
    throw Error(ErrorCode::not_found, "Event bus " + name.substr(0, 256) + " does not exist.");
  }
  return read_bus(*row);
}

std::optional<Rule> find_rule(Transaction& tx, const std::string& bus, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kRuleColumns) + " FROM event_rules WHERE bus = $1 AND name = $2",
      {bus, name});
  if (!row) return std::nullopt;
  return read_rule(*row);
}

Rule require_rule(Transaction& tx, const std::string& bus, const std::string& name) {
  auto rule = find_rule(tx, bus, name);
  if (!rule) {
    throw Error(
        ErrorCode::not_found,
        "Rule " + name.substr(0, 64) + " does not exist on EventBus " + bus.substr(0, 256) + ".");
  }
  return *std::move(rule);
}

void require_room(Transaction& tx, const std::string& sql, const std::vector<SqlValue>& values,
                  std::int64_t most, const std::string& what) {
  if (tx.query_one(sql, values)->integer(0) >= most) {
    throw Error(ErrorCode::resource_exhausted,
                "The requested resource exceeds the maximum number allowed: " +
                    std::to_string(most) + " " + what);
  }
}

SqlValue next_run(const Rule& rule, base::Timestamp after) {
  if (rule.schedule.empty() || !rule.is_enabled) return {};
  // The first run of a rate comes after its time.
  const base::ScheduleExpression schedule(rule.schedule);
  auto next = schedule.next(after, rule.created);
  if (next && *next == rule.created) next = schedule.next(*next, rule.created);
  return next ? SqlValue(base::to_epoch_millis(*next)) : SqlValue();
}

void check_rule(const Rule& rule) {
  check_name(rule.name, "name");
  if (rule.pattern.empty() && rule.schedule.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "Parameter(s) EventPattern or ScheduleExpression must be specified.");
  }
  if (!rule.pattern.empty()) (void)Pattern(rule.pattern);
  if (rule.schedule.empty()) return;
  if (rule.bus != kDefaultBus) {
    throw Error(ErrorCode::invalid_argument,
                "ScheduleExpression is supported only on the default event bus.");
  }
  const bool is_good = [&] {
    try {
      return base::ScheduleExpression(rule.schedule).kind() != base::ScheduleExpression::Kind::at;
    } catch (const Error&) {
      return false;
    }
  }();
  if (!is_good) {
    throw Error(ErrorCode::invalid_argument, "Parameter ScheduleExpression is not valid.");
  }
}

}  // namespace

Rules::Rules(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  migrate_rules(database_);
  database_.write([&](Transaction& tx) {
    const std::int64_t now = base::to_epoch_millis(clock_.now());
    tx.execute(
        "INSERT INTO event_buses (name, description, created_ms, modified_ms) "
        "VALUES ($1, '', $2, $2) ON CONFLICT (name) DO NOTHING",
        {std::string(kDefaultBus), now});
  });
}

Bus Rules::create_bus(const std::string& name, const std::string& description) {
  if (!base::is_name_of(name, "._-")) check_name(name, "name");
  return database_.write([&](Transaction& tx) {
    require_room(tx, "SELECT count(*) FROM event_buses", {}, kMostBuses, "event buses");
    const std::int64_t now = base::to_epoch_millis(clock_.now());
    if (tx.execute("INSERT INTO event_buses (name, description, created_ms, modified_ms) "
                   "VALUES ($1, $2, $3, $3) ON CONFLICT (name) DO NOTHING",
                   {name, description, now}) == 0) {
      throw Error(ErrorCode::already_exists, "Event bus " + name + " already exists.");
    }
    return require_bus(tx, name);
  });
}

Bus Rules::update_bus(const std::string& name, const std::optional<std::string>& description) {
  return database_.write([&](Transaction& tx) {
    Bus bus = require_bus(tx, name);
    if (description) bus.description = *description;
    tx.execute("UPDATE event_buses SET description = $1, modified_ms = $2 WHERE name = $3",
               {bus.description, base::to_epoch_millis(clock_.now()), name});
    return bus;
  });
}

Bus Rules::bus(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require_bus(tx, name); });
}

void Rules::delete_bus(const std::string& name) {
  if (name == kDefaultBus) {
    throw Error(ErrorCode::invalid_argument, "Cannot delete event bus default.");
  }
  database_.write([&](Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM event_rules WHERE bus = $1 LIMIT 1", {name})) {
      throw Error(ErrorCode::invalid_argument,
                  "Event bus " + name + " can't be deleted since it has rules.");
    }
    tx.execute("DELETE FROM event_buses WHERE name = $1", {name});
  });
}

std::vector<Bus> Rules::buses(const std::string& prefix, const std::string& after,
                              std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    std::vector<Bus> all;
    for (const Row& row :
         tx.query("SELECT " + std::string(kBusColumns) +
                      " FROM event_buses WHERE name > $1 AND substr(name, 1, length($2)) = $2 "
                      "ORDER BY name LIMIT $3",
                  {after, prefix, static_cast<std::int64_t>(limit)})) {
      all.push_back(read_bus(row));
    }
    return all;
  });
}

void Rules::put(Rule rule) {
  check_rule(rule);
  database_.write([&](Transaction& tx) {
    (void)require_bus(tx, rule.bus);
    const auto before = find_rule(tx, rule.bus, rule.name);
    if (!before) {
      require_room(tx, "SELECT count(*) FROM event_rules WHERE bus = $1", {rule.bus}, kMostRules,
                   "rules on an event bus");
    }
    const base::Timestamp now = clock_.now();
    rule.created = before && before->schedule == rule.schedule ? before->created : now;
    tx.execute(
        "INSERT INTO event_rules (bus, name, description, is_enabled, pattern, schedule, role, "
        "created_ms, next_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (bus, name) "
        "DO UPDATE SET description = excluded.description, is_enabled = excluded.is_enabled, "
        "pattern = excluded.pattern, schedule = excluded.schedule, role = excluded.role, "
        "created_ms = excluded.created_ms, next_ms = excluded.next_ms",
        {rule.bus, rule.name, rule.description, std::int64_t{rule.is_enabled}, rule.pattern,
         rule.schedule, rule.role, base::to_epoch_millis(rule.created), next_run(rule, now)});
  });
  changed();
}

Rule Rules::rule(const std::string& bus, const std::string& name) const {
  return database_.read([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    return require_rule(tx, bus, name);
  });
}

std::vector<Rule> Rules::rules(const std::string& bus, const std::string& prefix,
                               const std::string& after, std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    std::vector<Rule> all;
    for (const Row& row : tx.query("SELECT " + std::string(kRuleColumns) +
                                       " FROM event_rules WHERE bus = $1 AND name > $2 AND "
                                       "substr(name, 1, length($3)) = $3 ORDER BY name LIMIT $4",
                                   {bus, after, prefix, static_cast<std::int64_t>(limit)})) {
      all.push_back(read_rule(row));
    }
    return all;
  });
}

void Rules::enable(const std::string& bus, const std::string& name, bool is_enabled) {
  database_.write([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    Rule rule = require_rule(tx, bus, name);
    rule.is_enabled = is_enabled;
    tx.execute("UPDATE event_rules SET is_enabled = $1, next_ms = $2 WHERE bus = $3 AND name = $4",
               {std::int64_t{is_enabled}, next_run(rule, clock_.now()), bus, name});
  });
  changed();
}

void Rules::remove(const std::string& bus, const std::string& name) {
  database_.write([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    if (tx.query_one("SELECT 1 FROM event_targets WHERE bus = $1 AND rule = $2 LIMIT 1",
                     {bus, name})) {
      throw Error(ErrorCode::invalid_argument, "Rule can't be deleted since it has targets.");
    }
    tx.execute("DELETE FROM event_rules WHERE bus = $1 AND name = $2", {bus, name});
  });
  changed();
}

void Rules::put_targets(const std::string& bus, const std::string& rule,
                        const std::vector<json::object>& targets) {
  for (const json::object& target : targets) check_target_input(target);
  database_.write([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    (void)require_rule(tx, bus, rule);
    for (const json::object& target : targets) {
      tx.execute(
          "INSERT INTO event_targets (bus, rule, id, arn, body) VALUES ($1, $2, $3, $4, $5) "
          "ON CONFLICT (bus, rule, id) DO UPDATE SET arn = excluded.arn, body = excluded.body",
          {bus, rule, std::string(target.at("Id").as_string()),
           std::string(target.at("Arn").as_string()), base::to_text(target)});
    }
    const auto count = tx.query_one(
        "SELECT count(*) FROM event_targets WHERE bus = $1 AND rule = $2", {bus, rule});
    if (count->integer(0) > kMostTargets) {
      throw Error(ErrorCode::resource_exhausted,
                  "The requested resource exceeds the maximum number allowed: " +
                      std::to_string(kMostTargets) + " targets of a rule");
    }
  });
  changed();
}

std::vector<std::string> Rules::remove_targets(const std::string& bus, const std::string& rule,
                                               const std::vector<std::string>& ids) {
  std::vector<std::string> unknown;
  database_.write([&](Transaction& tx) {
    unknown.clear();
    (void)require_bus(tx, bus);
    (void)require_rule(tx, bus, rule);
    for (const std::string& id : ids) {
      if (tx.execute("DELETE FROM event_targets WHERE bus = $1 AND rule = $2 AND id = $3",
                     {bus, rule, id}) == 0) {
        unknown.push_back(id);
      }
    }
  });
  changed();
  return unknown;
}

std::vector<json::object> Rules::targets(const std::string& bus, const std::string& rule,
                                         const std::string& after, std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    (void)require_rule(tx, bus, rule);
    std::vector<json::object> all;
    for (const Row& row : tx.query("SELECT body FROM event_targets WHERE bus = $1 AND rule = $2 "
                                   "AND id > $3 ORDER BY id LIMIT $4",
                                   {bus, rule, after, static_cast<std::int64_t>(limit)})) {
      all.push_back(read_target(row));
    }
    return all;
  });
}

std::vector<std::string> Rules::rule_names_by_target(const std::string& arn, const std::string& bus,
                                                     const std::string& after,
                                                     std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    (void)require_bus(tx, bus);
    std::vector<std::string> names;
    for (const Row& row :
         tx.query("SELECT DISTINCT rule FROM event_targets WHERE arn = $1 AND bus = $2 AND rule > "
                  "$3 ORDER BY rule LIMIT $4",
                  {arn, bus, after, static_cast<std::int64_t>(limit)})) {
      names.push_back(row.text(0));
    }
    return names;
  });
}

std::vector<Rule> Rules::enabled(Transaction& tx, const std::string& bus) {
  std::vector<Rule> all;
  for (const Row& row : tx.query("SELECT " + std::string(kRuleColumns) +
                                     " FROM event_rules WHERE bus = $1 AND is_enabled = 1 AND "
                                     "pattern <> '' ORDER BY name",
                                 {bus})) {
    all.push_back(read_rule(row));
  }
  return all;
}

std::vector<json::object> Rules::targets(Transaction& tx, const std::string& bus,
                                         const std::string& rule) {
  std::vector<json::object> all;
  for (const Row& row :
       tx.query("SELECT body FROM event_targets WHERE bus = $1 AND rule = $2 ORDER BY id",
                {bus, rule})) {
    all.push_back(read_target(row));
  }
  return all;
}

std::vector<Rules::DueRule> Rules::take_due(Transaction& tx, base::Timestamp now,
                                            std::size_t limit) {
  std::vector<DueRule> due;
  for (const Row& row :
       tx.query("SELECT " + std::string(kRuleColumns) +
                    ", next_ms FROM event_rules WHERE next_ms IS NOT NULL AND next_ms <= $1 "
                    "ORDER BY next_ms LIMIT $2",
                {base::to_epoch_millis(now), static_cast<std::int64_t>(limit)})) {
    due.push_back({read_rule(row), base::from_epoch_millis(row.integer(8))});
  }
  for (const DueRule& one : due) {
    tx.execute("UPDATE event_rules SET next_ms = $1 WHERE bus = $2 AND name = $3",
               {next_run(one.rule, now), one.rule.bus, one.rule.name});
  }
  return due;
}

std::optional<base::Timestamp> Rules::next_due(Transaction& tx) {
  const auto row = tx.query_one(
      "SELECT next_ms FROM event_rules WHERE next_ms IS NOT NULL ORDER BY next_ms LIMIT 1");
  if (!row) return std::nullopt;
  return base::from_epoch_millis(row->integer(0));
}

}  // namespace andon::events
