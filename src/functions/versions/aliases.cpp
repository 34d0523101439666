// SPDX-License-Identifier: Apache-2.0
// Aliases.
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "functions/registry/registry.hpp"
#include "functions/registry/schema.hpp"
#include "functions/versions/settings.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr const char* kSelect =
    "SELECT function, name, version, description, other_version, other_weight, revision FROM "
    "function_aliases WHERE ";

Alias alias_of(const store::Row& row) {
  return {.function = row.text(0),
          .name = row.text(1),
          .version = row.integer(2),
          .description = row.text(3),
          .other_version = row.optional_integer(4),
          .other_weight = row.real(5),
          .revision = row.text(6)};
}

void check_routing(const Alias& alias) {
  if (!alias.other_version) return;
  if (alias.other_weight < 0 || alias.other_weight > 1) {
    throw Error(ErrorCode::invalid_argument,
                "RoutingConfig.AdditionalVersionWeights: a weight must be from 0.0 to 1.0");
  }
  if (alias.version == kLatestNumber || *alias.other_version == kLatestNumber) {
    throw Error(ErrorCode::invalid_argument,
                "$LATEST is not supported for an alias pointing to more than 1 version");
  }
  if (*alias.other_version == alias.version) {
    throw Error(ErrorCode::invalid_argument,
                "Invalid function version " + std::to_string(alias.version) +
                    ". Function version " + std::to_string(alias.version) +
                    " is already included in routing configuration.");
  }
}

void store_alias(store::Transaction& tx, const Alias& alias) {
  tx.execute(
      "INSERT INTO function_aliases (function, name, version, description, other_version, "
      "other_weight, revision) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (function, name) DO "
      "UPDATE SET version = excluded.version, description = excluded.description, other_version = "
      "excluded.other_version, other_weight = excluded.other_weight, revision = excluded.revision",
      {alias.function, alias.name, alias.version, alias.description,
       alias.other_version ? SqlValue(*alias.other_version) : SqlValue(), alias.other_weight,
       alias.revision});
}

}  // namespace

Alias Settings::find_alias(store::Transaction& tx, const std::string& function,
                           const std::string& name) const {
  const auto row =
      tx.query_one(std::string(kSelect) + "function = $1 AND name = $2", {function, name});
  if (row) return alias_of(*row);
  require(tx, function);
  throw Error(ErrorCode::not_found,
              "Cannot find alias arn: " + function_arn(arns_, function, name));
}

Alias Settings::create_alias(Alias alias) {
  check_alias_name(alias.name);
  check_routing(alias);
  alias.revision = base::random_uuid();
  database_.write([&](store::Transaction& tx) {
    require(tx, alias.function);
    require_version(tx, alias.function, alias.version);
    if (alias.other_version) require_version(tx, alias.function, *alias.other_version);
    if (tx.query_one(std::string(kSelect) + "function = $1 AND name = $2",
                     {alias.function, alias.name})) {
      throw Error(ErrorCode::already_exists,
                  "Alias already exists: " + function_arn(arns_, alias.function, alias.name));
    }
    const auto count =
        tx.query_one("SELECT COUNT(*) FROM function_aliases WHERE function = $1", {alias.function});
    if (count->integer(0) >= kMostAliases) {
      throw Error(ErrorCode::resource_exhausted, "the function has " +
                                                     std::to_string(kMostAliases) +
                                                     " aliases already, which is the limit");
    }
    store_alias(tx, alias);
  });
  return alias;
}

Alias Settings::change_alias(const std::string& function, const std::string& name,
                             const AliasChange& change) {
  return database_.write([&](store::Transaction& tx) {
    Alias alias = find_alias(tx, function, name);
    if (!change.revision.empty() && change.revision != alias.revision) {
      throw Error(ErrorCode::failed_precondition,
                  "The Revision Id provided does not match the latest Revision Id. Call the "
                  "GetFunction/GetAlias API to retrieve the latest Revision Id");
    }
    if (change.version) alias.version = *change.version;
    if (change.description) alias.description = *change.description;
    if (change.changes_routing) {
      alias.other_version = change.other_version;
      alias.other_weight = change.other_weight;
    }
    check_routing(alias);
    require_version(tx, function, alias.version);
    if (alias.other_version) require_version(tx, function, *alias.other_version);
    alias.revision = base::random_uuid();
    store_alias(tx, alias);
    return alias;
  });
}

Alias Settings::alias(const std::string& function, const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return find_alias(tx, function, name); });
}

AliasPage Settings::aliases(const std::string& function, std::optional<std::int64_t> version,
                            const std::string& after, std::size_t limit) const {
  return database_.read([&](store::Transaction& tx) {
    require(tx, function);
    AliasPage page;
    const auto rows =
        tx.query(std::string(kSelect) +
                     "function = $1 AND name > $2 AND ($3 < 0 OR version = $3) ORDER "
                     "BY name LIMIT $4",
                 {function, after, version.value_or(-1), static_cast<std::int64_t>(limit) + 1});
    for (const store::Row& row : rows) {
      if (page.aliases.size() == limit) {
        page.next = page.aliases.back().name;
        break;
      }
      page.aliases.push_back(alias_of(row));
    }
    return page;
  });
}

void Settings::remove_alias(const std::string& function, const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    require(tx, function);
    tx.execute("DELETE FROM function_aliases WHERE function = $1 AND name = $2", {function, name});
  });
}

}  // namespace andon::functions
