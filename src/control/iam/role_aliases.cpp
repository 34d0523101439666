// SPDX-License-Identifier: Apache-2.0
#include "control/iam/role_aliases.hpp"

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestArn = 2048;

void check_name(const std::string& name) {
  if (!name.empty() && name.size() <= kLongestName && base::is_name_of(name, "_=,@-")) return;
  throw Error(ErrorCode::invalid_argument,
              "roleAlias: must have 1 to 128 letters, digits and characters of _=,@-");
}

void check_role(const std::string& arn) {
  if (arn.starts_with("arn:aws:iam::") && arn.find(":role/") != std::string::npos &&
      arn.size() <= kLongestArn) {
    return;
  }
  throw Error(ErrorCode::invalid_argument, "roleArn: must be the ARN of a role");
}

void check_duration(std::chrono::seconds duration) {
  if (duration >= RoleAliases::kShortest && duration <= RoleAliases::kLongest) return;
  throw Error(ErrorCode::invalid_argument, "credentialDurationSeconds: must be 900 to 43200");
}

Error no_alias(const std::string& name) {
  return {ErrorCode::not_found, "there is no role alias '" + name.substr(0, kLongestName) + "'"};
}

RoleAlias read(const store::Row& row) {
  return {.name = row.text(0),
          .role_arn = row.text(1),
          .duration = std::chrono::seconds(row.integer(2)),
          .created = stored_time(row.integer(3)),
          .updated = stored_time(row.integer(4))};
}

std::optional<RoleAlias> find_in(store::Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT name, role_arn, duration_s, created_ms, updated_ms FROM role_aliases WHERE name = $1",
      {name});
  return row ? std::optional(read(*row)) : std::nullopt;
}

}  // namespace

RoleAlias RoleAliases::create(const std::string& name, const std::string& role_arn,
                              std::chrono::seconds duration) {
  check_name(name);
  check_role(role_arn);
  check_duration(duration);
  const base::Timestamp now = clock_.now();
  const RoleAlias alias{
      .name = name, .role_arn = role_arn, .duration = duration, .created = now, .updated = now};
  database_.write([&](store::Transaction& tx) {
    if (find_in(tx, name)) {
      throw Error(ErrorCode::already_exists, "there is a role alias '" + name + "' already");
    }
    if (tx.query_one("SELECT COUNT(*) FROM role_aliases")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " role aliases already");
    }
    tx.execute(
        "INSERT INTO role_aliases (name, role_arn, duration_s, created_ms, updated_ms) "
        "VALUES ($1, $2, $3, $4, $4)",
        {name, role_arn, duration.count(), to_stored(now)});
  });
  return alias;
}

std::optional<RoleAlias> RoleAliases::find(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return find_in(tx, name); });
}

RoleAlias RoleAliases::require(const std::string& name) const {
  auto found = find(name);
  if (!found) throw no_alias(name);
  return *std::move(found);
}

void RoleAliases::update(const std::string& name, const std::optional<std::string>& role_arn,
                         std::optional<std::chrono::seconds> duration) {
  if (role_arn) check_role(*role_arn);
  if (duration) check_duration(*duration);
  database_.write([&](store::Transaction& tx) {
    auto alias = find_in(tx, name);
    if (!alias) throw no_alias(name);
    if (role_arn) alias->role_arn = *role_arn;
    if (duration) alias->duration = *duration;
    tx.execute(
        "UPDATE role_aliases SET role_arn = $2, duration_s = $3, updated_ms = $4 WHERE name = $1",
        {name, alias->role_arn, alias->duration.count(), to_stored(clock_.now())});
  });
}

void RoleAliases::remove(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    if (!find_in(tx, name)) throw no_alias(name);
    tx.execute("DELETE FROM role_alias_things WHERE alias = $1", {name});
    tx.execute("DELETE FROM role_aliases WHERE name = $1", {name});
  });
}

Page<std::string> RoleAliases::list(const PageRequest& page, Order order) const {
  Page<std::string> found;
  const bool is_ascending = order == Order::ascending;
  const std::string sql =
      is_ascending ? "SELECT name FROM role_aliases WHERE name > $1 ORDER BY name LIMIT $2"
                   : "SELECT name FROM role_aliases WHERE ($1 = '' OR name < $1) "
                     "ORDER BY name DESC LIMIT $2";
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query(sql, {page.after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (found.items.size() == page.limit) {
        found.next = found.items.back();
        break;
      }
      found.items.push_back(row.text(0));
    }
  });
  return found;
}

void RoleAliases::give(const std::string& name, const std::string& thing) {
  database_.write([&](store::Transaction& tx) {
    if (!find_in(tx, name)) throw no_alias(name);
    tx.execute("DELETE FROM role_alias_things WHERE thing = $1 AND alias = $2", {thing, name});
    if (tx.query_one("SELECT COUNT(*) FROM role_alias_things WHERE thing = $1", {thing})
            ->integer(0) >= kMostOfThing) {
      throw Error(
          ErrorCode::resource_exhausted,
          "\"" + thing + "\" may take " + std::to_string(kMostOfThing) + " role aliases already");
    }
    tx.execute("INSERT INTO role_alias_things (thing, alias, given_ms) VALUES ($1, $2, $3)",
               {thing, name, to_stored(clock_.now())});
  });
}

std::optional<std::string> RoleAliases::given_to(const std::string& thing) const {
  const auto row = database_.read([&](store::Transaction& tx) {
    return tx.query_one(
        "SELECT alias FROM role_alias_things WHERE thing = $1 ORDER BY given_ms DESC, alias LIMIT "
        "1",
        {thing});
  });
  return row ? std::optional(row->text(0)) : std::nullopt;
}

bool RoleAliases::may_take(const std::string& name, const std::string& thing) const {
  return database_.read([&](store::Transaction& tx) {
    return tx
        .query_one("SELECT 1 FROM role_alias_things WHERE thing = $1 AND alias = $2", {thing, name})
        .has_value();
  });
}

}  // namespace andon::control
