// SPDX-License-Identifier: Apache-2.0
#include "control/devices/things.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/devices/thing_types.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/thing_rules.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kThingColumns = "name, id, type_name, attributes, version";

Thing read_thing(const store::Row& row, const Arns& arns) {
  return {row.text(0),   row.text(1), arns.thing(row.text(0)), row.text(2), stored_map(row.text(3)),
          row.integer(4)};
}

std::optional<Thing> find_thing(store::Transaction& tx, const std::string& name, const Arns& arns) {
  const auto row =
      tx.query_one("SELECT " + std::string(kThingColumns) + " FROM things WHERE name = $1", {name});
  if (!row) return std::nullopt;
  return read_thing(*row, arns);
}

bool has_attribute(const Thing& thing, const ThingFilter& filter) {
  if (filter.attribute_name.empty()) return true;
  const auto found = thing.attributes.find(filter.attribute_name);
  return found != thing.attributes.end() &&
         (filter.attribute_value.empty() || found->second == filter.attribute_value);
}

void check_version(std::optional<std::int64_t> expected, const Thing& thing) {
  if (expected && *expected != thing.version) {
    throw Error(ErrorCode::conflict, "thing \"" + thing.name + "\" has version " +
                                         std::to_string(thing.version) + ", not " +
                                         std::to_string(*expected) + "; read it again");
  }
}

void require_static_group(store::Transaction& tx, const std::string& name) {
  const auto row = tx.query_one("SELECT query FROM thing_groups WHERE name = $1", {name});
  if (!row) throw Error(ErrorCode::not_found, "there is no thing group \"" + name + "\"");
  if (row->optional_text(0)) {
    throw Error(ErrorCode::failed_precondition,
                "thing group \"" + name + "\" is dynamic: its query says who belongs to it");
  }
}

}  // namespace

Things::Things(store::Database& database, Outbox& outbox, const base::Clock& clock, Arns arns)
    : database_(database), outbox_(outbox), clock_(clock), arns_(std::move(arns)) {}

Thing Things::create(const std::string& name, const std::map<std::string, std::string>& attributes,
                     const std::string& type_name) {
  check_thing_name(name);
  check_attributes(attributes);
  Thing thing;
  database_.write([&](store::Transaction& tx) {
    if (const auto earlier = find_thing(tx, name, arns_)) {
      if (earlier->attributes != attributes || earlier->type_name != type_name) {
        throw Error(ErrorCode::already_exists,
                    "thing \"" + name + "\" exists already with other attributes");
      }
      thing = *earlier;
      return;
    }
    require_usable_type(tx, type_name);
    insert_thing(tx, name, attributes, type_name, clock_.now());
    thing = *find_thing(tx, name, arns_);
  });
  return thing;
}

std::optional<Thing> Things::find(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return find_thing(tx, name, arns_); });
}

Page<Thing> Things::list(const ThingFilter& filter, const PageRequest& page) const {
  // Attributes are looked at here and not in SQL, some rows at a time.
  constexpr std::int64_t kStep = 500;
  const std::string sql = "SELECT " + std::string(kThingColumns) + " FROM things WHERE " +
                          (filter.type_name.empty() ? "" : "type_name = $3 AND ") +
                          "name > $1 ORDER BY name LIMIT $2";
  const std::int64_t step =
      filter.attribute_name.empty() ? static_cast<std::int64_t>(page.limit + 1) : kStep;
  Page<Thing> result;
  database_.read([&](store::Transaction& tx) {
    std::string after = page.after;
    while (true) {
      std::vector<store::SqlValue> values{after, step};
      if (!filter.type_name.empty()) values.emplace_back(filter.type_name);
      const std::vector<store::Row> rows = tx.query(sql, values);
      for (const store::Row& row : rows) {
        after = row.text(0);
        Thing thing = read_thing(row, arns_);
        if (!has_attribute(thing, filter)) continue;
        if (result.items.size() == page.limit) {
          result.next = result.items.back().name;
          return;
        }
        result.items.push_back(std::move(thing));
      }
      if (rows.size() < static_cast<std::size_t>(step)) return;
    }
  });
  return result;
}

void Things::update(const std::string& name, const ThingUpdate& change) {
  database_.write([&](store::Transaction& tx) {
    std::optional<Thing> thing = find_thing(tx, name, arns_);
    if (!thing) throw Error(ErrorCode::not_found, "there is no thing \"" + name + "\"");
    check_version(change.expected_version, *thing);
    if (change.attributes) {
      if (change.change == AttributeChange::replace) thing->attributes.clear();
      for (const auto& [key, value] : *change.attributes) {
        if (value.empty()) {
          thing->attributes.erase(key);
        } else {
          thing->attributes[key] = value;
        }
      }
      check_attributes(thing->attributes);
    }
    if (change.type_name && *change.type_name != thing->type_name) {
      require_usable_type(tx, *change.type_name);
      thing->type_name = *change.type_name;
    }
    tx.execute(
        "UPDATE things SET attributes = $1, type_name = $2, version = version + 1 "
        "WHERE name = $3",
        {to_stored(thing->attributes), thing->type_name, name});
  });
}

void Things::remove(const std::string& name, std::optional<std::int64_t> expected_version) {
  database_.write([&](store::Transaction& tx) {
    const std::optional<Thing> thing = find_thing(tx, name, arns_);
    if (!thing) return;
    check_version(expected_version, *thing);
    if (tx.query_one("SELECT 1 FROM certificates WHERE thing = $1 LIMIT 1", {name})) {
      throw Error(ErrorCode::failed_precondition,
                  "Cannot delete. Thing " + name +
                      " is still attached to one or more principals: detach its certificates "
                      "(ListThingPrincipals, DetachThingPrincipal) first");
    }
    tx.execute("DELETE FROM things WHERE name = $1", {name});
    tx.execute(
        "UPDATE deployments SET state = 'INACTIVE', ended_ms = $2 "
        "WHERE target = $1 AND state = 'CURRENT'",
        {Target{Target::Kind::thing, name}.key(), to_stored(clock_.now())});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.core_device(name)});
  });
}

void Things::add_to_group(const std::string& thing, const std::string& group) {
  change_groups(thing, {group}, {});
}

void Things::remove_from_group(const std::string& thing, const std::string& group) {
  change_groups(thing, {}, {group});
}

void Things::change_groups(const std::string& thing, const std::vector<std::string>& joins,
                           const std::vector<std::string>& leaves) {
  bool changed = false;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    for (const std::string& group : joins) {
      require_static_group(tx, group);
      tx.execute(
          "INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2) "
          "ON CONFLICT (group_name, thing) DO NOTHING",
          {group, thing});
    }
    for (const std::string& group : leaves) {
      require_static_group(tx, group);
      tx.execute("DELETE FROM thing_group_members WHERE group_name = $1 AND thing = $2",
                 {group, thing});
    }
    changed = settle_memberships(tx, thing, clock_.now());
  });
  if (changed) outbox_.wake();
}

Page<std::string> Things::list_groups_of(const std::string& thing, const PageRequest& page) const {
  Page<std::string> result;
  database_.read([&](store::Transaction& tx) {
    require_thing(tx, thing);
    for (const store::Row& row :
         tx.query("SELECT group_name FROM thing_group_members WHERE thing = $1 AND group_name > $2 "
                  "ORDER BY group_name LIMIT $3",
                  {thing, page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back();
        break;
      }
      result.items.push_back(row.text(0));
    }
  });
  return result;
}

}  // namespace andon::control
