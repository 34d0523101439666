// SPDX-License-Identifier: Apache-2.0
// The thing-group half of Things.
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/devices/things.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/thing_rules.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

std::optional<ThingGroup> find_group_row(store::Transaction& tx, const std::string& name,
                                         const Arns& arns) {
  const auto row = tx.query_one(
      "SELECT id, parent, description, attributes, version, created_ms, query, built "
      "FROM thing_groups "
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
  group.query = row->optional_text(6);
  group.is_built = row->integer(7) != 0;
  return group;
}

void check_version(std::optional<std::int64_t> expected, const ThingGroup& group) {
  if (expected && *expected != group.version) {
    throw Error(ErrorCode::conflict, "thing group \"" + group.name + "\" has version " +
                                         std::to_string(group.version) + ", not " +
                                         std::to_string(*expected) + "; read it again");
  }
}

// A page out of the first column of `rows`, of which there is one more where there are more.
Page<std::string> page_of(const std::vector<store::Row>& rows, std::size_t limit) {
  Page<std::string> result;
  for (const store::Row& row : rows) {
    if (result.items.size() == limit) {
      result.next = result.items.back();
      break;
    }
    result.items.push_back(row.text(0));
  }
  return result;
}

}  // namespace

ThingGroup Things::create_group(const std::string& name, const std::string& parent,
                                const std::string& description,
                                const std::map<std::string, std::string>& attributes,
                                const std::optional<std::string>& query) {
  constexpr std::size_t kMaxDepth = 7;  // of AWS
  check_group_name(name);
  check_attributes(attributes);
  ThingGroup group;
  database_.write([&](store::Transaction& tx) {
    if (const auto earlier = find_group_row(tx, name, arns_)) {
      if (earlier->parent != parent || earlier->description != description ||
          earlier->attributes != attributes || earlier->query != query) {
        throw Error(ErrorCode::already_exists,
                    "thing group \"" + name + "\" exists already with other properties");
      }
      group = *earlier;
      return;
    }
    store::SqlValue parent_value;
    if (!parent.empty()) {
      const auto above = find_group_row(tx, parent, arns_);
      if (!above) throw Error(ErrorCode::not_found, "there is no thing group \"" + parent + "\"");
      if (above->query) {
        throw Error(ErrorCode::invalid_argument,
                    "parentGroupName: \"" + parent + "\" is dynamic and has no groups below it");
      }
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
    if (query) make_dynamic(tx, name, *query);
    group = *find_group_row(tx, name, arns_);
  });
  return group;
}

std::optional<ThingGroup> Things::find_group(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return find_group_row(tx, name, arns_); });
}

Page<std::string> Things::list_groups(const std::string& prefix, const std::string& parent,
                                      Depth depth, const PageRequest& page) const {
  // Names are ASCII, so those with the prefix end before the prefix followed by DEL.
  std::string sql =
      "SELECT name FROM thing_groups WHERE name > $1 AND name >= $2 AND name < $3 "
      "ORDER BY name LIMIT $4";
  std::vector<store::SqlValue> values{page.after, prefix, prefix + '\x7f',
                                      static_cast<std::int64_t>(page.limit + 1)};
  if (!parent.empty()) {
    values.emplace_back(parent);
    const bool is_deep = depth == Depth::descendants;
    sql = (is_deep ? "WITH RECURSIVE below (name) AS ("
                     "  SELECT name FROM thing_groups WHERE parent = $5"
                     "  UNION SELECT g.name FROM thing_groups g JOIN below b ON g.parent = b.name) "
                     "SELECT name FROM below WHERE "
                   : "SELECT name FROM thing_groups WHERE parent = $5 AND ") +
          std::string("name > $1 AND name >= $2 AND name < $3 ORDER BY name LIMIT $4");
  }
  Page<std::string> result;
  database_.read([&](store::Transaction& tx) {
    if (!parent.empty()) require_group(tx, parent);
    result = page_of(tx.query(sql, values), page.limit);
  });
  return result;
}

void make_dynamic(store::Transaction& tx, const std::string& group, const std::string& query) {
  tx.execute("UPDATE thing_groups SET query = $2, built = 0, build_position = '' WHERE name = $1",
             {group, query});
}

std::int64_t Things::update_group(const std::string& name, const ThingGroupUpdate& change) {
  return database_.write([&](store::Transaction& tx) {
    auto group = find_group_row(tx, name, arns_);
    if (!group) throw Error(ErrorCode::not_found, "there is no thing group \"" + name + "\"");
    check_version(change.expected_version, *group);
    if (change.description) group->description = *change.description;
    if (change.attributes) {
      if (!change.merges_attributes) group->attributes.clear();
      for (const auto& [key, value] : *change.attributes) {
        if (value.empty()) {
          group->attributes.erase(key);
        } else {
          group->attributes[key] = value;
        }
      }
      check_attributes(group->attributes);
    }
    if (change.query) {
      if (!group->query) {
        throw Error(ErrorCode::failed_precondition,
                    "thing group \"" + name + "\" is not dynamic: it has no query");
      }
      if (*change.query != *group->query) make_dynamic(tx, name, *change.query);
    }
    tx.execute(
        "UPDATE thing_groups SET description = $2, attributes = $3, version = version + 1 "
        "WHERE name = $1",
        {name, group->description, to_stored(group->attributes)});
    return group->version + 1;
  });
}

void Things::remove_group(const std::string& name, std::optional<std::int64_t> expected_version) {
  database_.write([&](store::Transaction& tx) {
    const auto group = find_group_row(tx, name, arns_);
    if (!group) return;
    check_version(expected_version, *group);
    if (subtree_of(tx, name).size() > 1) {
      throw Error(ErrorCode::failed_precondition,
                  "thing group \"" + name + "\" has child groups; delete them first");
    }
    const std::vector<std::string> members = members_of(tx, name);
    tx.execute("DELETE FROM thing_groups WHERE name = $1", {name});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.thing_group(name)});
    for (const std::string& thing : members) settle_memberships(tx, thing, clock_.now());
    tx.execute(
        "UPDATE deployments SET state = 'INACTIVE', ended_ms = $2 "
        "WHERE (target = $1 OR behalf = $1) AND state = 'CURRENT'",
        {Target{Target::Kind::thing_group, name}.key(), to_stored(clock_.now())});
  });
  outbox_.wake();
}

Page<std::string> Things::list_members(const std::string& group, Depth depth,
                                       const PageRequest& page) const {
  Page<std::string> result;
  database_.read([&](store::Transaction& tx) {
    require_group(tx, group);
    if (depth == Depth::descendants) {
      result.items = members_after(tx, group, page.after, page.limit + 1);
      if (result.items.size() <= page.limit) return;
      result.items.pop_back();
      result.next = result.items.back();
      return;
    }
    result = page_of(tx.query("SELECT thing FROM thing_group_members "
                              "WHERE group_name = $1 AND thing > $2 ORDER BY thing LIMIT $3",
                              {group, page.after, static_cast<std::int64_t>(page.limit + 1)}),
                     page.limit);
  });
  return result;
}

}  // namespace andon::control
