// SPDX-License-Identifier: Apache-2.0
#include "control/index/thing_document.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "control/index/shadow_fields.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kAttributes = "attributes.";
constexpr std::array<std::string_view, 10> kThingFields{
    "thingName",
    "thingId",
    "thingTypeName",
    "thingGroupNames",
    "registry.version",
    "registry.thingTypeName",
    "registry.thingGroupNames",
    "connectivity.connected",
    "connectivity.timestamp",
    "connectivity.disconnectReason",
};
constexpr std::array<std::string_view, 4> kGroupFields{"thingGroupName", "thingGroupId",
                                                       "thingGroupDescription", "parentGroupNames"};

constexpr std::string_view kThingColumns =
    "t.name, t.id, t.type_name, t.attributes, t.version, c.is_connected, c.changed_ms, c.reason "
    "FROM things t LEFT JOIN thing_connectivity c ON c.thing = t.name ";

ThingDocument read_row(store::Transaction& tx, const store::Row& row, GroupsSeen seen) {
  ThingDocument thing;
  thing.name = row.text(0);
  thing.id = row.text(1);
  thing.type_name = row.text(2);
  thing.attributes = stored_map(row.text(3));
  thing.version = row.integer(4);
  if (const auto connected = row.optional_integer(5)) {
    thing.connectivity = Connectivity{*connected != 0, stored_time(row.integer(6)), row.text(7)};
  }
  thing.groups = groups_reaching(tx, thing.name);
  if (seen == GroupsSeen::named_only) {
    std::erase_if(thing.groups, [&](const std::string& group) {
      return tx
          .query_one("SELECT 1 FROM thing_groups WHERE name = $1 AND query IS NOT NULL", {group})
          .has_value();
    });
  }
  return thing;
}

std::vector<std::string> attribute(const std::map<std::string, std::string>& attributes,
                                   std::string_view field) {
  const auto found = attributes.find(std::string(field.substr(kAttributes.size())));
  if (found == attributes.end()) return {};
  return {found->second};
}

std::vector<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::vector<std::string>() : std::vector<std::string>{text};
}

}  // namespace

std::vector<ThingDocument> read_documents(store::Transaction& tx, const std::string& after,
                                          std::size_t limit, GroupsSeen seen) {
  std::vector<ThingDocument> found;
  for (const store::Row& row : tx.query(
           "SELECT " + std::string(kThingColumns) + "WHERE t.name > $1 ORDER BY t.name LIMIT $2",
           {after, static_cast<std::int64_t>(limit)})) {
    found.push_back(read_row(tx, row, seen));
  }
  return found;
}

std::optional<ThingDocument> read_document(store::Transaction& tx, const std::string& thing,
                                           GroupsSeen seen) {
  const auto row =
      tx.query_one("SELECT " + std::string(kThingColumns) + "WHERE t.name = $1", {thing});
  if (!row) return std::nullopt;
  return read_row(tx, *row, seen);
}

std::vector<GroupDocument> read_group_documents(store::Transaction& tx, const std::string& after,
                                                std::size_t limit) {
  std::vector<GroupDocument> found;
  for (const store::Row& row :
       tx.query("SELECT name, id, description, attributes FROM thing_groups WHERE name > $1 "
                "ORDER BY name LIMIT $2",
                {after, static_cast<std::int64_t>(limit)})) {
    found.push_back({row.text(0), row.text(1), row.text(2), stored_map(row.text(3)),
                     ancestors_of(tx, row.text(0))});
  }
  return found;
}

std::vector<std::string> values_of(const ThingDocument& thing, std::string_view field) {
  if (field.starts_with(kAttributes)) return attribute(thing.attributes, field);
  if (field.starts_with("registry.")) {
    if (field == "registry.version") return {std::to_string(thing.version)};
    field.remove_prefix(std::string_view("registry.").size());
  }
  if (field == "thingName") return {thing.name};
  if (field == "thingId") return {thing.id};
  if (field == "thingTypeName") return unless_empty(thing.type_name);
  if (field == "thingGroupNames") return thing.groups;
  if (field == "connectivity.connected") {
    const bool is_connected = thing.connectivity && thing.connectivity->is_connected;
    return {is_connected ? "true" : "false"};
  }
  if (!thing.connectivity) return {};
  if (field == "connectivity.timestamp") {
    return {std::to_string(base::to_epoch_millis(thing.connectivity->changed))};
  }
  if (field == "connectivity.disconnectReason") return unless_empty(thing.connectivity->reason);
  return {};
}

std::vector<std::string> values_of(const GroupDocument& group, std::string_view field) {
  if (field.starts_with(kAttributes)) return attribute(group.attributes, field);
  if (field == "thingGroupName") return {group.name};
  if (field == "thingGroupId") return {group.id};
  if (field == "thingGroupDescription") return unless_empty(group.description);
  if (field == "parentGroupNames") return group.ancestors;
  return {};
}

void check_field(const std::string& field, IndexKind kind) {
  if (field.starts_with(kAttributes) && field.size() > kAttributes.size()) return;
  if (kind == IndexKind::thing_groups) {
    if (std::ranges::find(kGroupFields, field) != kGroupFields.end()) return;
    throw Error(ErrorCode::invalid_argument,
                "there is no field \"" + field +
                    "\": thingGroupName, thingGroupId, thingGroupDescription, parentGroupNames, "
                    "attributes.NAME");
  }
  if (std::ranges::find(kThingFields, field) != kThingFields.end()) return;
  if (read_shadow_field(field)) return;
  if (field.starts_with("deviceDefender.")) {
    throw Error(ErrorCode::unsupported,
                "\"deviceDefender\" is not searched by this server; use attributes");
  }
  throw Error(ErrorCode::invalid_argument,
              "there is no field \"" + field.substr(0, 100) +
                  "\": thingName, thingId, thingTypeName, thingGroupNames, attributes.NAME, "
                  "connectivity.connected, .timestamp, .disconnectReason, registry.version, "
                  "shadow.reported.NAME, shadow.desired.NAME, shadow.hasDelta, shadow.version, and "
                  "the same of shadow.name.SHADOW");
}

query::SearchQuery parse_query(std::string_view text, IndexKind kind) {
  query::SearchQuery read = query::SearchQuery::parse(text);
  for (const std::string& field : read.fields()) check_field(field, kind);
  return read;
}

}  // namespace andon::control
