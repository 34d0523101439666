// SPDX-License-Identifier: Apache-2.0
// The thing-group half of Things.
#include <algorithm>

#include "base/error.hpp"
#include "base/id.hpp"
#include "control/device_jobs.hpp"
#include "control/job_executions.hpp"
#include "control/membership.hpp"
#include "control/sql_text.hpp"
#include "control/thing_rules.hpp"
#include "control/things.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

std::optional<ThingGroup> find_group_row(store::Transaction& tx, const std::string& name,
                                         const Arns& arns) {
  const auto row = tx.query_one(
      "SELECT id, parent, description, attributes, version, created_ms FROM thing_groups "
      "WHERE name = $1",
      {name});
  if (!row) return std::nullopt;
  ThingGroup group;
  group.name = name;
  group.id = row->text(0);
  group.arn = arns.thing_group(name);
  group.parent = row->optional_text(1).value_or("");
  group.ancestors = ancestors_of(tx, name);
  group.description = row->text(2);
  group.attributes = stored_map(row->text(3));
  group.version = row->integer(4);
  group.created = stored_time(row->integer(5));
  return group;
}

// The part of a sorted list that a page shows.
Page<std::string> cut_page(const std::vector<std::string>& sorted, const PageRequest& page) {
  Page<std::string> result;
  for (auto item = std::upper_bound(sorted.begin(), sorted.end(), page.after); item != sorted.end();
       ++item) {
    if (result.items.size() == page.limit) {
      result.next = result.items.back();
      break;
    }
    result.items.push_back(*item);
  }
  return result;
}

}  // namespace

ThingGroup Things::create_group(const std::string& name, const std::string& parent,
                                const std::string& description,
                                const std::map<std::string, std::string>& attributes) {
  constexpr std::size_t kMaxDepth = 7;  // of AWS
  check_group_name(name);
  check_attributes(attributes);
  ThingGroup group;
  database_.write([&](store::Transaction& tx) {
    if (const auto earlier = find_group_row(tx, name, arns_)) {
      if (earlier->parent != parent || earlier->description != description ||
          earlier->attributes != attributes) {
        throw Error(ErrorCode::already_exists,
                    "thing group \"" + name + "\" exists already with other properties");
      }
      group = *earlier;
      return;
    }
    store::SqlValue parent_value;
    if (!parent.empty()) {
      require_group(tx, parent);
      if (ancestors_of(tx, parent).size() + 2 > kMaxDepth) {
        throw Error(ErrorCode::invalid_argument,
                    "parentGroupName: groups may be nested seven deep at most");
      }
      parent_value = parent;
    }
    tx.execute(
        "INSERT INTO thing_groups (name, id, parent, description, attributes, version, "
        "created_ms) VALUES ($1, $2, $3, $4, $5, 1, $6)",
        {name, base::random_uuid(), parent_value, description, to_stored(attributes),
         to_stored(clock_.now())});
    group = *find_group_row(tx, name, arns_);
  });
  return group;
}

std::optional<ThingGroup> Things::find_group(const std::string& name) const {
  std::optional<ThingGroup> group;
  database_.read([&](store::Transaction& tx) { group = find_group_row(tx, name, arns_); });
  return group;
}

Page<std::string> Things::list_groups(const std::string& prefix, const std::string& parent,
                                      Depth depth, const PageRequest& page) const {
  std::vector<std::string> names;
  database_.read([&](store::Transaction& tx) {
    std::vector<std::string> all;
    if (parent.empty()) {
      for (const store::Row& row : tx.query("SELECT name FROM thing_groups ORDER BY name")) {
        all.push_back(row.text(0));
      }
    } else {
      require_group(tx, parent);
      if (depth == Depth::descendants) {
        all = subtree_of(tx, parent);
        std::erase(all, parent);
      } else {
        for (const store::Row& row :
             tx.query("SELECT name FROM thing_groups WHERE parent = $1 ORDER BY name", {parent})) {
          all.push_back(row.text(0));
        }
      }
    }
    for (std::string& name : all) {
      if (name.starts_with(prefix)) names.push_back(std::move(name));
    }
  });
  std::sort(names.begin(), names.end());
  return cut_page(names, page);
}

void Things::remove_group(const std::string& name) {
  std::vector<std::string> changed;
  database_.write([&](store::Transaction& tx) {
    if (!has_group(tx, name)) return;
    if (subtree_of(tx, name).size() > 1) {
      throw Error(ErrorCode::conflict,
                  "thing group \"" + name + "\" has child groups; delete them first");
    }
    const std::vector<std::string> members = members_of(tx, name);
    tx.execute("DELETE FROM thing_groups WHERE name = $1", {name});
    for (const std::string& thing : members) {
      if (settle_memberships(tx, thing, clock_.now())) changed.push_back(thing);
    }
    tx.execute("UPDATE deployments SET state = 'INACTIVE' WHERE target = $1 AND state = 'CURRENT'",
               {Target{Target::Kind::thing_group, name}.key()});
  });
  for (const std::string& thing : changed) jobs_.notify(thing);
}

Page<std::string> Things::list_members(const std::string& group, Depth depth,
                                       const PageRequest& page) const {
  std::vector<std::string> things;
  database_.read([&](store::Transaction& tx) {
    require_group(tx, group);
    if (depth == Depth::descendants) {
      things = members_of(tx, group);
      return;
    }
    for (const store::Row& row :
         tx.query("SELECT thing FROM thing_group_members WHERE group_name = $1 ORDER BY thing",
                  {group})) {
      things.push_back(row.text(0));
    }
  });
  std::sort(things.begin(), things.end());
  return cut_page(things, page);
}

}  // namespace andon::control
