// SPDX-License-Identifier: Apache-2.0
#include "control/devices/thing_types.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "name, id, description, searchable, deprecated_ms, created_ms";
constexpr std::size_t kMostSearchable = 3;  // of AWS
constexpr std::size_t kMostDescription = 2028;

void check_properties(const std::string& description,
                      const std::vector<std::string>& searchable_attributes) {
  if (description.size() > kMostDescription) {
    throw Error(ErrorCode::invalid_argument, "thingTypeDescription: has more than 2028 bytes");
  }
  if (searchable_attributes.size() > kMostSearchable) {
    throw Error(ErrorCode::invalid_argument, "searchableAttributes: at most 3");
  }
  for (const std::string& name : searchable_attributes) {
    if (name.size() > 128 || !base::is_name_of(name, "_.,@/:#-")) {
      throw Error(ErrorCode::invalid_argument,
                  "searchableAttributes: a name must have 1 to 128 letters, digits or _.,@/:#-");
    }
  }
}

ThingType read_type(const store::Row& row, const Arns& arns) {
  ThingType type;
  type.name = row.text(0);
  type.id = row.text(1);
  type.arn = arns.target("thingtype/" + type.name);
  type.description = row.text(2);
  type.searchable_attributes = stored_list(row.text(3));
  if (const auto deprecated = row.optional_integer(4)) type.deprecated = stored_time(*deprecated);
  type.created = stored_time(row.integer(5));
  return type;
}

std::optional<ThingType> find_type(store::Transaction& tx, const std::string& name,
                                   const Arns& arns) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM thing_types WHERE name = $1", {name});
  if (!row) return std::nullopt;
  return read_type(*row, arns);
}

ThingType require_type(store::Transaction& tx, const std::string& name, const Arns& arns) {
  auto type = find_type(tx, name, arns);
  if (!type) throw Error(ErrorCode::not_found, "there is no thing type \"" + name + "\"");
  return *std::move(type);
}

}  // namespace

void require_usable_type(store::Transaction& tx, const std::string& name) {
  if (name.empty()) return;
  const auto row = tx.query_one("SELECT deprecated_ms FROM thing_types WHERE name = $1", {name});
  if (!row) throw Error(ErrorCode::not_found, "there is no thing type \"" + name + "\"");
  if (row->optional_integer(0)) {
    throw Error(ErrorCode::invalid_argument,
                "thing type \"" + name + "\" is deprecated: no further thing may be given it");
  }
}

ThingTypes::ThingTypes(store::Database& database, const base::Clock& clock, Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {}

ThingType ThingTypes::create(const std::string& name, const std::string& description,
                             const std::vector<std::string>& searchable_attributes) {
  if (!is_thing_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "thingTypeName: must be 1 to 128 letters, digits, ':', '_' and '-'");
  }
  check_properties(description, searchable_attributes);
  return database_.write([&](store::Transaction& tx) {
    if (auto earlier = find_type(tx, name, arns_)) {
      if (earlier->description != description ||
          earlier->searchable_attributes != searchable_attributes) {
        throw Error(ErrorCode::already_exists,
                    "thing type \"" + name + "\" exists already with other properties");
      }
      return *std::move(earlier);
    }
    if (tx.query_one("SELECT COUNT(*) FROM thing_types")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted, "there are 1000 thing types already");
    }
    tx.execute(
        "INSERT INTO thing_types (name, id, description, searchable, created_ms) "
        "VALUES ($1, $2, $3, $4, $5)",
        {name, base::random_uuid(), description, to_stored(searchable_attributes),
         to_stored(clock_.now())});
    return require_type(tx, name, arns_);
  });
}

std::optional<ThingType> ThingTypes::find(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return find_type(tx, name, arns_); });
}

Page<ThingType> ThingTypes::list(const std::string& name, const PageRequest& page) const {
  Page<ThingType> result;
  database_.read([&](store::Transaction& tx) {
    if (!name.empty()) {
      if (auto type = find_type(tx, name, arns_)) result.items.push_back(*std::move(type));
      return;
    }
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM thing_types WHERE name > $1 ORDER BY name LIMIT $2",
                  {page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().name;
        return;
      }
      result.items.push_back(read_type(row, arns_));
    }
  });
  return result;
}

void ThingTypes::update(const std::string& name, const std::optional<std::string>& description,
                        const std::optional<std::vector<std::string>>& searchable_attributes) {
  database_.write([&](store::Transaction& tx) {
    ThingType type = require_type(tx, name, arns_);
    if (description) type.description = *description;
    if (searchable_attributes) type.searchable_attributes = *searchable_attributes;
    check_properties(type.description, type.searchable_attributes);
    tx.execute("UPDATE thing_types SET description = $2, searchable = $3 WHERE name = $1",
               {name, type.description, to_stored(type.searchable_attributes)});
  });
}

void ThingTypes::set_use(const std::string& name, Use use) {
  database_.write([&](store::Transaction& tx) {
    (void)require_type(tx, name, arns_);
    tx.execute("UPDATE thing_types SET deprecated_ms = $2 WHERE name = $1",
               {name, use == Use::deprecated ? store::SqlValue(to_stored(clock_.now()))
                                             : store::SqlValue()});
  });
}

void ThingTypes::remove(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    const auto type = find_type(tx, name, arns_);
    if (!type) return;
    if (!type->deprecated) {
      throw Error(ErrorCode::failed_precondition,
                  "thing type \"" + name + "\" is not deprecated: DeprecateThingType first");
    }
    if (tx.query_one("SELECT 1 FROM things WHERE type_name = $1 LIMIT 1", {name})) {
      throw Error(ErrorCode::failed_precondition,
                  "thing type \"" + name + "\" is that of things: give these another first");
    }
    tx.execute("DELETE FROM thing_types WHERE name = $1", {name});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.target("thingtype/" + name)});
  });
}

}  // namespace andon::control
