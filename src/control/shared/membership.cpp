// SPDX-License-Identifier: Apache-2.0
#include "control/shared/membership.hpp"

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

std::vector<std::string> first_column(const std::vector<store::Row>& rows) {
  std::vector<std::string> texts;
  texts.reserve(rows.size());
  for (const store::Row& row : rows) texts.push_back(row.text(0));
  return texts;
}

constexpr std::string_view kSubtree =
    "WITH RECURSIVE subtree (name) AS ("
    "  SELECT name FROM thing_groups WHERE name = $1"
    "  UNION SELECT g.name FROM thing_groups g JOIN subtree s ON g.parent = s.name) ";

}  // namespace

std::vector<std::string> members_of(store::Transaction& tx, const std::string& group) {
  return first_column(tx.query(subtree_sql() +
                                   "SELECT DISTINCT thing FROM thing_group_members "
                                   "WHERE group_name IN (SELECT name FROM subtree) ORDER BY thing",
                               {group}));
}

std::vector<std::string> members_after(store::Transaction& tx, const std::string& group,
                                       const std::string& after, std::size_t limit) {
  return first_column(tx.query(
      subtree_sql() +
          "SELECT DISTINCT thing FROM thing_group_members "
          "WHERE group_name IN (SELECT name FROM subtree) AND thing > $2 ORDER BY thing LIMIT $3",
      {group, after, static_cast<std::int64_t>(limit)}));
}

std::string subtree_sql() {
  return std::string(kSubtree);
}

std::vector<std::string> ancestors_of(store::Transaction& tx, const std::string& group) {
  return first_column(
      tx.query("WITH RECURSIVE up (name, parent, depth) AS ("
               "  SELECT name, parent, 0 FROM thing_groups WHERE name = $1"
               "  UNION ALL SELECT g.name, g.parent, up.depth + 1 FROM thing_groups g "
               "  JOIN up ON g.name = up.parent) "
               "SELECT name FROM up WHERE depth > 0 ORDER BY depth DESC",
               {group}));
}

std::vector<std::string> subtree_of(store::Transaction& tx, const std::string& group) {
  return first_column(
      tx.query(std::string(kSubtree) + "SELECT name FROM subtree ORDER BY name", {group}));
}

std::vector<std::string> groups_reaching(store::Transaction& tx, const std::string& thing) {
  return first_column(
      tx.query("WITH RECURSIVE up (name, parent) AS ("
               "  SELECT g.name, g.parent FROM thing_groups g "
               "  JOIN thing_group_members m ON m.group_name = g.name WHERE m.thing = $1"
               "  UNION SELECT g.name, g.parent FROM thing_groups g JOIN up ON g.name = up.parent) "
               "SELECT DISTINCT name FROM up ORDER BY name",
               {thing}));
}

std::vector<std::string> things_after(store::Transaction& tx, const Target& target,
                                      const std::string& after, std::size_t limit) {
  if (target.kind == Target::Kind::thing_group) return members_after(tx, target.name, after, limit);
  if (target.name <= after) return {};
  return {target.name};
}

bool has_thing(store::Transaction& tx, const std::string& name) {
  return tx.query_one("SELECT 1 FROM things WHERE name = $1", {name}).has_value();
}

bool has_group(store::Transaction& tx, const std::string& name) {
  return tx.query_one("SELECT 1 FROM thing_groups WHERE name = $1", {name}).has_value();
}

void require_thing(store::Transaction& tx, const std::string& name) {
  if (!has_thing(tx, name)) {
    throw Error(ErrorCode::not_found, "there is no thing \"" + name + "\"");
  }
}

void require_group(store::Transaction& tx, const std::string& name) {
  if (!has_group(tx, name)) {
    throw Error(ErrorCode::not_found, "there is no thing group \"" + name + "\"");
  }
}

}  // namespace andon::control
