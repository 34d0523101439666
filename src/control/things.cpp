// SPDX-License-Identifier: Apache-2.0
#include "control/things.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/id.hpp"
#include "control/device_jobs.hpp"
#include "control/job_executions.hpp"
#include "control/membership.hpp"
#include "control/sql_text.hpp"
#include "control/thing_rules.hpp"

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

void check_version(std::optional<std::int64_t> expected, const Thing& thing) {
  if (expected && *expected != thing.version) {
    throw Error(ErrorCode::conflict, "thing \"" + thing.name + "\" has version " +
                                         std::to_string(thing.version) + ", not " +
                                         std::to_string(*expected) + "; read it again");
  }
}

}  // namespace

Things::Things(store::Database& database, DeviceJobs& jobs, const base::Clock& clock, Arns arns)
    : database_(database), jobs_(jobs), clock_(clock), arns_(std::move(arns)) {}

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
    insert_thing(tx, name, attributes, type_name, clock_.now());
    thing = *find_thing(tx, name, arns_);
  });
  return thing;
}

std::optional<Thing> Things::find(const std::string& name) const {
  std::optional<Thing> thing;
  database_.read([&](store::Transaction& tx) { thing = find_thing(tx, name, arns_); });
  return thing;
}

Page<Thing> Things::list(const ThingFilter& filter, const PageRequest& page) const {
  Page<Thing> result;
  database_.read([&](store::Transaction& tx) {
    // Attributes are looked at here and not in SQL: the registry of a plant is small.
    for (const store::Row& row : tx.query(
             "SELECT " + std::string(kThingColumns) + " FROM things WHERE name > $1 ORDER BY name",
             {page.after})) {
      Thing thing = read_thing(row, arns_);
      if (!filter.type_name.empty() && thing.type_name != filter.type_name) continue;
      if (!filter.attribute_name.empty()) {
        const auto found = thing.attributes.find(filter.attribute_name);
        if (found == thing.attributes.end()) continue;
        if (!filter.attribute_value.empty() && found->second != filter.attribute_value) continue;
      }
      if (result.items.size() == page.limit) {
        result.next = result.items.back().name;
        break;
      }
      result.items.push_back(std::move(thing));
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
    if (change.type_name) thing->type_name = *change.type_name;
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
    tx.execute("DELETE FROM things WHERE name = $1", {name});
    tx.execute("UPDATE deployments SET state = 'INACTIVE' WHERE target = $1 AND state = 'CURRENT'",
               {Target{Target::Kind::thing, name}.key()});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.core_device(name)});
  });
}

void Things::add_to_group(const std::string& thing, const std::string& group) {
  bool changed = false;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    require_group(tx, group);
    tx.execute(
        "INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2) "
        "ON CONFLICT (group_name, thing) DO NOTHING",
        {group, thing});
    changed = settle_memberships(tx, thing, clock_.now());
  });
  if (changed) jobs_.notify(thing);
}

void Things::remove_from_group(const std::string& thing, const std::string& group) {
  bool changed = false;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    require_group(tx, group);
    tx.execute("DELETE FROM thing_group_members WHERE group_name = $1 AND thing = $2",
               {group, thing});
    changed = settle_memberships(tx, thing, clock_.now());
  });
  if (changed) jobs_.notify(thing);
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
