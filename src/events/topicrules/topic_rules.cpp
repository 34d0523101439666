// SPDX-License-Identifier: Apache-2.0
#include "events/topicrules/topic_rules.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "events/topicrules/topic_rule_schema.hpp"
#include "query/rulesql/rule_sql.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns =
    "name, sql, description, sql_version, actions, error_action, is_disabled, created_ms";
constexpr std::size_t kMostName = 128;

TopicRule read(const Row& row) {
  return {.name = row.text(0),
          .sql = row.text(1),
          .description = row.text(2),
          .sql_version = row.text(3),
          .actions = base::parse_json(row.text(4), "stored actions").as_array(),
          .error_action = base::parse_json(row.text(5), "a stored action").as_object(),
          .is_disabled = row.integer(6) != 0,
          .created = base::from_epoch_millis(row.integer(7))};
}

std::optional<TopicRule> find_rule(Transaction& tx, const std::string& name) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM topic_rules WHERE name = $1", {name});
  return row ? std::optional(read(*row)) : std::nullopt;
}

TopicRule require(Transaction& tx, const std::string& name) {
  if (auto found = find_rule(tx, name)) return *std::move(found);
  throw Error(ErrorCode::not_found, "there is no topic rule " + name.substr(0, kMostName));
}

void write(Transaction& tx, const TopicRule& rule) {
  tx.execute(
      "INSERT INTO topic_rules (name, sql, description, sql_version, actions, error_action, "
      "is_disabled, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO "
      "UPDATE SET sql = excluded.sql, description = excluded.description, sql_version = "
      "excluded.sql_version, actions = excluded.actions, error_action = excluded.error_action, "
      "is_disabled = excluded.is_disabled",
      {rule.name, rule.sql, rule.description, rule.sql_version, base::to_text(rule.actions),
       base::to_text(rule.error_action), std::int64_t{rule.is_disabled},
       base::to_epoch_millis(rule.created)});
}

void check(const TopicRule& rule) {
  if (!is_topic_rule_name(rule.name)) {
    throw Error(ErrorCode::invalid_argument,
                "ruleName: must be of 1 to 128 letters, digits and '_'");
  }
  (void)query::RuleSql(rule.sql);
}

}  // namespace

bool is_topic_rule_name(std::string_view name) {
  return name.size() <= kMostName && base::is_name_of(name, "_");
}

TopicRules::TopicRules(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  migrate_topic_rules(database_);
}

void TopicRules::create(TopicRule rule) {
  check(rule);
  rule.created = clock_.now();
  database_.write([&](Transaction& tx) {
    if (find_rule(tx, rule.name)) {
      throw Error(ErrorCode::already_exists, "Rule with this name already exists: " + rule.name);
    }
    if (tx.query_one("SELECT count(*) FROM topic_rules").value().integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " topic rules, delete one");
    }
    write(tx, rule);
  });
  revision_.fetch_add(1);
}

void TopicRules::replace(TopicRule rule) {
  check(rule);
  database_.write([&](Transaction& tx) {
    rule.created = require(tx, rule.name).created;
    write(tx, rule);
  });
  revision_.fetch_add(1);
}

std::optional<TopicRule> TopicRules::find(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return find_rule(tx, name); });
}

void TopicRules::enable(const std::string& name, bool is_enabled) {
  database_.write([&](Transaction& tx) {
    TopicRule rule = require(tx, name);
    rule.is_disabled = !is_enabled;
    write(tx, rule);
  });
  revision_.fetch_add(1);
}

void TopicRules::remove(const std::string& name) {
  database_.write(
      [&](Transaction& tx) { tx.execute("DELETE FROM topic_rules WHERE name = $1", {name}); });
  revision_.fetch_add(1);
}

std::vector<TopicRule> TopicRules::list(const std::string& after, std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    std::vector<TopicRule> all;
    for (const Row& row : tx.query("SELECT " + std::string(kColumns) +
                                       " FROM topic_rules WHERE name > $1 ORDER BY name LIMIT $2",
                                   {after, static_cast<std::int64_t>(limit)})) {
      all.push_back(read(row));
    }
    return all;
  });
}

}  // namespace andon::events
