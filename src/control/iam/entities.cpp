// SPDX-License-Identifier: Apache-2.0
#include "control/iam/entities.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "control/identity/access_keys.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/tags.hpp"
#include "policy/language/document.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns =
    "e.id, e.kind, e.name, e.path, e.description, e.trust, e.longest_session_s, e.created_ms";
constexpr std::size_t kMostUserName = 64;
constexpr std::size_t kMostGroupName = 128;
constexpr std::size_t kMostDescription = 1000;
constexpr std::chrono::seconds kShortestSession{3600};
constexpr std::chrono::seconds kLongestSession{43'200};

struct KindRules {
  std::string_view id_prefix;
  std::string_view member;
  std::size_t most_name;
  std::int64_t most;
};

KindRules rules_of(EntityKind kind) {
  switch (kind) {
    case EntityKind::user:
      return {"AIDA", "UserName", kMostUserName, kMostUsers};
    case EntityKind::group:
      return {"AGPA", "GroupName", kMostGroupName, kMostGroups};
    case EntityKind::role:
      break;
  }
  return {"AROA", "RoleName", kMostUserName, kMostRoles};
}

EntityKind kind_of(std::string_view word) {
  for (const auto kind : {EntityKind::user, EntityKind::group}) {
    if (to_string(kind) == word) return kind;
  }
  return EntityKind::role;
}

void check_role(const std::string& description, const std::string& trust,
                std::chrono::seconds longest_session) {
  if (description.size() > kMostDescription) {
    throw Error(ErrorCode::invalid_argument, "Description: is longer than 1000 characters");
  }
  if (longest_session < kShortestSession || longest_session > kLongestSession) {
    throw Error(ErrorCode::invalid_argument, "MaxSessionDuration: must be from 3600 to 43200");
  }
  (void)policy::Document::parse(trust, policy::DocumentKind::trust);
}

Error exists_already(EntityKind kind, const std::string& name) {
  return {ErrorCode::already_exists, std::string(kind == EntityKind::user    ? "User"
                                                 : kind == EntityKind::group ? "Group"
                                                                             : "Role") +
                                         " with name " + name + " already exists."};
}

bool has_row(Transaction& tx, std::string_view sql, const std::string& value) {
  return tx.query_one(sql, {value}).has_value();
}

}  // namespace

Entities::Entities(store::Database& database, const base::Clock& clock, std::string account,
                   IamChanges& changes)
    : database_(database), clock_(clock), account_(std::move(account)), changes_(changes) {}

Entity Entities::read(const Row& row) const {
  Entity entity{.kind = kind_of(row.text(1)),
                .id = row.text(0),
                .name = row.text(2),
                .path = row.text(3),
                .arn = {},
                .created = stored_time(row.integer(7)),
                .description = row.text(4),
                .trust = row.text(5),
                .longest_session = std::chrono::seconds(row.integer(6))};
  entity.arn = iam_arn(account_, to_string(entity.kind), entity.path, entity.name);
  return entity;
}

Page<Entity> Entities::page_of(const std::vector<Row>& rows, const PageRequest& page) const {
  Page<Entity> listed;
  for (const Row& row : rows) {
    if (listed.items.size() == page.limit) {
      listed.next = iam_key(listed.items.back().name);
      break;
    }
    listed.items.push_back(read(row));
  }
  return listed;
}

Entity Entities::insert(Transaction& tx, const NewEntity& wanted) {
  const KindRules rules = rules_of(wanted.kind);
  check_iam_name(wanted.name, rules.member, rules.most_name);
  check_iam_path(wanted.path);
  if (wanted.kind == EntityKind::role) {
    check_role(wanted.description, wanted.trust, wanted.longest_session);
  }
  const std::string kind(to_string(wanted.kind));
  if (find(tx, wanted.kind, wanted.name)) throw exists_already(wanted.kind, wanted.name);
  const auto count = tx.query_one("SELECT count(*) FROM iam_entities WHERE kind = $1", {kind});
  if (count->integer(0) >= rules.most) {
    throw Error(ErrorCode::resource_exhausted,
                "there are " + std::to_string(rules.most) + " " + kind + "s, delete one");
  }
  Entity made{.kind = wanted.kind,
              .id = make_iam_id(rules.id_prefix),
              .name = wanted.name,
              .path = wanted.path,
              .arn = iam_arn(account_, kind, wanted.path, wanted.name),
              .created = clock_.now(),
              .description = wanted.description,
              .trust = wanted.trust,
              .longest_session = wanted.longest_session};
  tx.execute(
      "INSERT INTO iam_entities (id, kind, name_key, name, path, description, trust, "
      "longest_session_s, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {made.id, kind, iam_key(made.name), made.name, made.path, made.description, made.trust,
       std::int64_t{made.longest_session.count()}, to_stored(made.created)});
  return made;
}

Entity Entities::create(const NewEntity& wanted, const std::map<std::string, std::string>& tags) {
  Entity made = database_.write([&](Transaction& tx) {
    Entity entity = insert(tx, wanted);
    store_tags(tx, entity.id, tags);
    return entity;
  });
  changes_.happened();
  return made;
}

std::optional<Entity> Entities::find(Transaction& tx, EntityKind kind,
                                     const std::string& name) const {
  const auto row = tx.query_one("SELECT " + std::string(kColumns) +
                                    " FROM iam_entities e WHERE e.kind = $1 AND e.name_key = $2",
                                {std::string(to_string(kind)), iam_key(name)});
  if (!row) return std::nullopt;
  return read(*row);
}

std::optional<Entity> Entities::find_by_id(Transaction& tx, const std::string& id) const {
  const auto row = tx.query_one(
      "SELECT " + std::string(kColumns) + " FROM iam_entities e WHERE e.id = $1", {id});
  if (!row) return std::nullopt;
  return read(*row);
}

Entity Entities::require(Transaction& tx, EntityKind kind, const std::string& name) const {
  auto entity = find(tx, kind, name);
  if (!entity) {
    throw Error(ErrorCode::not_found, "The " + std::string(to_string(kind)) + " with name " +
                                          name.substr(0, kMostGroupName) + " cannot be found.");
  }
  return *std::move(entity);
}

std::optional<Entity> Entities::find(EntityKind kind, const std::string& name) const {
  return database_.read([&](Transaction& tx) { return find(tx, kind, name); });
}

std::optional<Entity> Entities::find_by_arn(EntityKind kind, const std::string& arn) const {
  auto entity = find(kind, arn.substr(arn.rfind('/') + 1));
  if (!entity || entity->arn != arn) return std::nullopt;
  return entity;
}

std::optional<Entity> Entities::find_by_id(const std::string& id) const {
  return database_.read([&](Transaction& tx) { return find_by_id(tx, id); });
}

Entity Entities::require(EntityKind kind, const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require(tx, kind, name); });
}

Page<Entity> Entities::list(EntityKind kind, const std::string& path_prefix,
                            const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    return page_of(tx.query("SELECT " + std::string(kColumns) +
                                " FROM iam_entities e WHERE e.kind = $1 AND e.name_key > $2 AND "
                                "substr(e.path, 1, length($3)) = $3 ORDER BY e.name_key LIMIT $4",
                            {std::string(to_string(kind)), page.after, path_prefix,
                             static_cast<std::int64_t>(page.limit) + 1}),
                   page);
  });
}

void Entities::update(EntityKind kind, const std::string& name, const EntityUpdate& update) {
  const KindRules rules = rules_of(kind);
  database_.write([&](Transaction& tx) {
    Entity entity = require(tx, kind, name);
    if (update.name) {
      check_iam_name(*update.name, rules.member, rules.most_name);
      const auto other = find(tx, kind, *update.name);
      if (other && other->id != entity.id) throw exists_already(kind, *update.name);
      entity.name = *update.name;
    }
    if (update.path) {
      check_iam_path(*update.path);
      entity.path = *update.path;
    }
    if (update.description) entity.description = *update.description;
    if (update.trust) entity.trust = *update.trust;
    if (update.longest_session) entity.longest_session = *update.longest_session;
    if (kind == EntityKind::role) {
      check_role(entity.description, entity.trust, entity.longest_session);
    }
    tx.execute(
        "UPDATE iam_entities SET name_key = $1, name = $2, path = $3, description = $4, "
        "trust = $5, longest_session_s = $6 WHERE id = $7",
        {iam_key(entity.name), entity.name, entity.path, entity.description, entity.trust,
         std::int64_t{entity.longest_session.count()}, entity.id});
  });
  changes_.happened();
}

void Entities::remove(EntityKind kind, const std::string& name) {
  database_.write([&](Transaction& tx) {
    const Entity entity = require(tx, kind, name);
    const auto refuse_where = [&](std::string_view sql, const std::string& value,
                                  std::string_view what) {
      if (!has_row(tx, sql, value)) return;
      throw Error(ErrorCode::failed_precondition,
                  "Cannot delete entity, must " + std::string(what) + " first.");
    };
    refuse_where("SELECT 1 FROM access_key WHERE principal = $1 AND expires IS NULL LIMIT 1",
                 "user/" + entity.id, "delete access keys");
    refuse_where("SELECT 1 FROM login_profiles WHERE user_id = $1", entity.id,
                 "delete login profile");
    refuse_where("SELECT 1 FROM iam_attachments WHERE entity_id = $1 LIMIT 1", entity.id,
                 "detach all policies");
    refuse_where("SELECT 1 FROM iam_inline_policies WHERE entity_id = $1 LIMIT 1", entity.id,
                 "delete policies");
    refuse_where("SELECT 1 FROM iam_members WHERE user_id = $1 LIMIT 1", entity.id,
                 "remove the user from all groups");
    refuse_where("SELECT 1 FROM iam_members WHERE group_id = $1 LIMIT 1", entity.id,
                 "remove users from the group");
    tx.execute("DELETE FROM tags WHERE arn = $1", {entity.id});
    tx.execute("DELETE FROM iam_entities WHERE id = $1", {entity.id});
  });
  changes_.happened();
}

void Entities::add_member(const std::string& group, const std::string& user) {
  database_.write([&](Transaction& tx) {
    const Entity of_group = require(tx, EntityKind::group, group);
    const Entity of_user = require(tx, EntityKind::user, user);
    tx.execute("INSERT INTO iam_members (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
               {of_user.id, of_group.id});
    const auto count =
        tx.query_one("SELECT count(*) FROM iam_members WHERE user_id = $1", {of_user.id});
    if (count->integer(0) > kMostGroupsOfUser) {
      throw Error(ErrorCode::resource_exhausted,
                  "a user is in at most " + std::to_string(kMostGroupsOfUser) + " groups");
    }
  });
  changes_.happened();
}

void Entities::remove_member(const std::string& group, const std::string& user) {
  database_.write([&](Transaction& tx) {
    const Entity of_group = require(tx, EntityKind::group, group);
    const Entity of_user = require(tx, EntityKind::user, user);
    if (tx.execute("DELETE FROM iam_members WHERE user_id = $1 AND group_id = $2",
                   {of_user.id, of_group.id}) == 0) {
      throw Error(ErrorCode::not_found, "user " + user + " is not in group " + group);
    }
  });
  changes_.happened();
}

Page<Entity> Entities::members(const std::string& group, const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    const Entity entity = require(tx, EntityKind::group, group);
    return page_of(tx.query("SELECT " + std::string(kColumns) +
                                " FROM iam_members m JOIN iam_entities e ON e.id = m.user_id "
                                "WHERE m.group_id = $1 AND e.name_key > $2 "
                                "ORDER BY e.name_key LIMIT $3",
                            {entity.id, page.after, static_cast<std::int64_t>(page.limit) + 1}),
                   page);
  });
}

std::vector<Entity> Entities::groups_of(Transaction& tx, const std::string& user_id) const {
  std::vector<Entity> groups;
  for (const Row& row : tx.query("SELECT " + std::string(kColumns) +
                                     " FROM iam_members m JOIN iam_entities e ON e.id = m.group_id "
                                     "WHERE m.user_id = $1 ORDER BY e.name_key",
                                 {user_id})) {
    groups.push_back(read(row));
  }
  return groups;
}

Page<Entity> Entities::groups_of(const std::string& user, const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    const Entity entity = require(tx, EntityKind::user, user);
    Page<Entity> listed;
    for (Entity& group : groups_of(tx, entity.id)) {
      if (iam_key(group.name) <= page.after) continue;
      if (listed.items.size() == page.limit) {
        listed.next = iam_key(listed.items.back().name);
        break;
      }
      listed.items.push_back(std::move(group));
    }
    return listed;
  });
}

std::map<std::string, std::string> Entities::tags(EntityKind kind, const std::string& name) const {
  return Tags(database_).of(require(kind, name).id);
}

void Entities::tag(EntityKind kind, const std::string& name,
                   const std::map<std::string, std::string>& tags) {
  database_.write([&](Transaction& tx) { store_tags(tx, require(tx, kind, name).id, tags); });
  changes_.happened();
}

void Entities::untag(EntityKind kind, const std::string& name,
                     const std::vector<std::string>& keys) {
  Tags(database_).remove(require(kind, name).id, keys);
  changes_.happened();
}

}  // namespace andon::control
