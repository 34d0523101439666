// SPDX-License-Identifier: Apache-2.0
#include "control/index/dynamic_groups.hpp"

#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/index/index_settings.hpp"
#include "control/index/shadow_fields.hpp"
#include "control/index/thing_document.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kStep = 100;  // things a transaction

struct Group {
  std::string name;
  query::SearchQuery query;
};

std::vector<Group> read_groups(store::Transaction& tx) {
  std::vector<Group> groups;
  for (const store::Row& row : tx.query(
           "SELECT name, query FROM thing_groups WHERE query IS NOT NULL ORDER BY name LIMIT $1",
           {DynamicGroups::kMost})) {
    groups.push_back({row.text(0), query::SearchQuery::parse(row.text(1))});
  }
  return groups;
}

// Its fields must be searched when the group gets it; what is switched off later goes on to count.
void check_query(store::Database& database, const std::string& text) {
  const query::SearchQuery query = parse_query(text, IndexKind::things);
  database.read([&](store::Transaction& tx) {
    for (const std::string& field : query.fields()) {
      if (read_shadow_field(field)) require_searched(read_index_settings(tx), field);
    }
  });
}

// Answers whether its membership is another now.
bool settle(store::Transaction& tx, const Group& group, const ThingDocument& thing) {
  ShadowFields shadows(tx);
  const bool belongs = group.query.matches([&](const std::string& field) {
    const auto shadow = read_shadow_field(field);
    return shadow ? shadows.values(thing.name, *shadow) : values_of(thing, field);
  });
  if (belongs) {
    return tx.execute(
               "INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2) "
               "ON CONFLICT (group_name, thing) DO NOTHING",
               {group.name, thing.name}) > 0;
  }
  return tx.execute("DELETE FROM thing_group_members WHERE group_name = $1 AND thing = $2",
                    {group.name, thing.name}) > 0;
}

}  // namespace

DynamicGroups::DynamicGroups(store::Database& database, Things& things, Outbox& outbox,
                             const base::Clock& clock)
    : database_(database), things_(things), outbox_(outbox), clock_(clock) {}

ThingGroup DynamicGroups::create(const std::string& name, const std::string& query,
                                 const std::string& description,
                                 const std::map<std::string, std::string>& attributes) {
  check_query(database_, query);
  const auto earlier = things_.find_group(name);
  if (earlier) {
    const bool is_same = earlier->query == query && earlier->description == description &&
                         earlier->attributes == attributes;
    if (is_same) return *earlier;
    throw Error(ErrorCode::already_exists,
                "thing group \"" + name + "\" exists already with other properties");
  }
  database_.read([&](store::Transaction& tx) {
    const auto others = tx.query(
        "SELECT 1 FROM thing_groups WHERE query IS NOT NULL ORDER BY name LIMIT $1", {kMost});
    if (others.size() >= static_cast<std::size_t>(kMost)) {
      throw Error(ErrorCode::resource_exhausted, "there are 100 dynamic groups already");
    }
  });
  ThingGroup made = things_.create_group(name, "", description, attributes, query);
  outbox_.wake();
  return made;
}

std::int64_t DynamicGroups::update(const std::string& name, const ThingGroupUpdate& change) {
  if (change.query) check_query(database_, *change.query);
  const std::int64_t version = things_.update_group(name, change);
  outbox_.wake();
  return version;
}

bool DynamicGroups::step() {
  return follow_changes() || build();
}

bool DynamicGroups::follow_changes() {
  bool any = false;
  database_.read([&](store::Transaction& tx) {
    any = tx.query_one("SELECT 1 FROM index_changes LIMIT 1").has_value();
  });
  if (!any) return false;
  bool told = false;
  database_.write([&](store::Transaction& tx) {
    const std::vector<Group> groups = read_groups(tx);
    for (const store::Row& row :
         tx.query("SELECT thing FROM index_changes ORDER BY thing LIMIT $1", {kStep})) {
      const std::string name = row.text(0);
      tx.execute("DELETE FROM index_changes WHERE thing = $1", {name});
      const auto thing = read_document(tx, name, GroupsSeen::named_only);
      if (!thing) continue;
      bool changed = false;
      for (const Group& group : groups) changed = settle(tx, group, *thing) || changed;
      if (changed) told = settle_memberships(tx, name, clock_.now()) || told;
    }
  });
  if (told) outbox_.wake();
  return true;
}

bool DynamicGroups::build() {
  std::optional<store::Row> open;
  database_.read([&](store::Transaction& tx) {
    open = tx.query_one(
        "SELECT name, query, build_position FROM thing_groups "
        "WHERE query IS NOT NULL AND built = 0 ORDER BY name LIMIT 1");
  });
  if (!open) return false;
  bool told = false;
  database_.write([&](store::Transaction& tx) {
    // It may have got another query meanwhile.
    open = tx.query_one(
        "SELECT name, query, build_position FROM thing_groups WHERE name = $1 AND built = 0",
        {open->text(0)});
    if (!open) return;
    const Group group{open->text(0), query::SearchQuery::parse(open->text(1))};
    const auto things =
        read_documents(tx, open->text(2), static_cast<std::size_t>(kStep), GroupsSeen::named_only);
    for (const ThingDocument& thing : things) {
      if (settle(tx, group, thing)) {
        told = settle_memberships(tx, thing.name, clock_.now()) || told;
      }
    }
    const bool is_last = things.size() < static_cast<std::size_t>(kStep);
    tx.execute(
        "UPDATE thing_groups SET built = $2, build_position = $3 WHERE name = $1",
        {group.name, std::int64_t{is_last ? 1 : 0}, is_last ? std::string() : things.back().name});
  });
  if (told) outbox_.wake();
  return true;
}

}  // namespace andon::control
