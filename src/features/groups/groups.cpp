// SPDX-License-Identifier: Apache-2.0
#include "features/groups/groups.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/s3_uri.hpp"
#include "features/groups/rules.hpp"
#include "features/groups/schema.hpp"

namespace andon::features {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::int64_t kStep = 500;  // records that go in one transaction

constexpr std::string_view kGroup =
    "SELECT g.id, g.name, g.status, g.failure, g.request, g.offline_id, g.online_bytes, "
    "g.created_ms, g.modified_ms, t.location, t.export_problem FROM fs_groups g "
    "LEFT JOIN fs_tables t ON t.id = g.offline_id ";

std::map<std::string, std::string> stored_parameters(const std::string& text) {
  std::map<std::string, std::string> map;
  const base::json::value parsed = base::parse_json(text, "stored parameters");
  for (const auto& [key, value] : parsed.as_object()) {
    map[key] = value.as_string();
  }
  return map;
}

std::string to_stored(const std::map<std::string, std::string>& parameters) {
  base::json::object object;
  for (const auto& [key, value] : parameters) object[key] = value;
  return base::to_text(object);
}

std::vector<Feature> features_of(Transaction& tx, std::int64_t group) {
  std::vector<Feature> features;
  for (const Row& row : tx.query(
           "SELECT name, type, description, parameters, created_ms, modified_ms FROM fs_features "
           "WHERE group_id = $1 ORDER BY position",
           {group})) {
    features.push_back({.name = row.text(0),
                        .type = parse_feature_type(row.text(1)).value_or(FeatureType::text),
                        .description = row.text(2),
                        .parameters = stored_parameters(row.text(3)),
                        .created = base::from_epoch_millis(row.integer(4)),
                        .modified = base::from_epoch_millis(row.integer(5))});
  }
  return features;
}

FeatureGroup read_group(Transaction& tx, const Row& row) {
  FeatureGroup group{.id = row.integer(0),
                     .request = stored_request(row.text(4)),
                     .status = static_cast<GroupStatus>(row.integer(2)),
                     .failure = row.text(3),
                     .offline_id = row.integer(5),
                     .resolved_uri = row.optional_text(9).value_or(""),
                     .export_problem = row.optional_text(10).value_or(""),
                     .online_bytes = row.integer(6),
                     .created = base::from_epoch_millis(row.integer(7)),
                     .modified = base::from_epoch_millis(row.integer(8))};
  group.request.name = row.text(1);
  group.request.features = features_of(tx, group.id);
  return group;
}

void store_features(Transaction& tx, std::int64_t group, std::size_t position,
                    const std::vector<Feature>& features, std::int64_t now) {
  for (const Feature& one : features) {
    tx.execute(
        "INSERT INTO fs_features (group_id, position, name, type, description, parameters, "
        "created_ms, modified_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        {group, static_cast<std::int64_t>(position++), one.name, std::string(to_string(one.type)),
         one.description, to_stored(one.parameters), now});
  }
}

FeatureGroup required(Transaction& tx, const std::string& name) {
  auto group = find_group(tx, name);
  if (!group) throw Error(ErrorCode::not_found, not_found_text(name));
  return *std::move(group);
}

FeatureGroup required_created(Transaction& tx, const std::string& name) {
  FeatureGroup group = required(tx, name);
  if (group.status != GroupStatus::created) {
    throw Error(ErrorCode::invalid_argument, "Validation Error: FeatureGroup " + name + " is " +
                                                 std::string(to_string(group.status)) +
                                                 "; it must be Created");
  }
  return group;
}

bool is_table_taken(Transaction& tx, const std::string& name) {
  return tx.query_one("SELECT 1 FROM fs_tables WHERE name = $1 AND is_listed = 1", {name})
      .has_value();
}

OfflineTable read_table(const Row& row) {
  return {.id = row.integer(0),
          .database = row.text(1),
          .name = row.text(2),
          .group = row.text(3),
          .location = row.text(4),
          .columns = stored_columns(row.text(5)),
          .is_listed = true,
          .created = base::from_epoch_millis(row.integer(6)),
          .modified = base::from_epoch_millis(row.integer(7))};
}

constexpr std::string_view kTable =
    "SELECT id, database_name, name, group_name, location, columns, created_ms, modified_ms FROM "
    "fs_tables WHERE is_listed = 1 ";

}  // namespace

std::string not_found_text(std::string_view name) {
  return "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name " +
         std::string(name.substr(0, 200));
}

S3Place parse_s3_uri(std::string_view uri) {
  auto named = base::parse_s3_uri(uri);
  if (!named) {
    throw Error(ErrorCode::invalid_argument,
                "'" + std::string(uri.substr(0, 200)) + "' is not s3://BUCKET/PREFIX");
  }
  S3Place place{std::move(named->bucket), std::move(named->key)};
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  return place;
}

std::string offline_location(const FeatureGroup& group, const fleet::Arns& arns) {
  const S3Place place = parse_s3_uri(group.request.s3_uri);
  constexpr std::int64_t kSecond = 1'000;
  return "s3://" + place.bucket + "/" + (place.prefix.empty() ? "" : place.prefix + "/") +
         arns.account() + "/sagemaker/" + arns.region() + "/offline-store/" + group.request.name +
         "-" + std::to_string(base::to_epoch_millis(group.created) / kSecond) + "/data";
}

std::optional<FeatureGroup> find_group(Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(std::string(kGroup) + "WHERE g.name = $1", {name});
  if (!row) return std::nullopt;
  return read_group(tx, *row);
}

void add_bytes(Transaction& tx, std::int64_t bytes) {
  tx.execute("UPDATE fs_totals SET bytes = bytes + $1 WHERE id = 1", {bytes});
}

FeatureGroup Groups::create(GroupRequest request) {
  check_request(request);
  const base::Timestamp now = clock_.now();
  const std::int64_t now_ms = base::to_epoch_millis(now);
  return database_.write([&](Transaction& tx) {
    if (find_group(tx, request.name)) {
      throw Error(ErrorCode::already_exists, "Resource Already Exists: FeatureGroup with name " +
                                                 request.name +
                                                 " already exists. Choose a different name.");
    }
    const auto count = tx.query_one("SELECT count(*) FROM fs_groups");
    if (count->integer(0) >= static_cast<std::int64_t>(kMostGroups)) {
      throw Error(ErrorCode::resource_exhausted,
                  "there may be at most " + std::to_string(kMostGroups) + " feature groups");
    }
    if (request.is_offline && request.has_table) {
      if (request.database.empty()) request.database = kDefaultDatabase;
      if (request.table.empty()) {
        const std::string base_name = table_name(request.name, now);
        request.table = base_name;
        for (int i = 2; is_table_taken(tx, request.table); ++i) {
          request.table = base_name + "_" + std::to_string(i);
        }
      } else if (is_table_taken(tx, request.table)) {
        throw Error(ErrorCode::already_exists,
                    "the table " + request.table + " is there already; choose another TableName");
      }
    }
    tx.execute(
        "INSERT INTO fs_groups (name, status, failure, request, offline_id, online_bytes, "
        "created_ms, modified_ms) VALUES ($1, $2, '', $3, 0, 0, $4, $4)",
        {request.name, static_cast<std::int64_t>(GroupStatus::creating), to_stored(request),
         now_ms});
    const std::int64_t id =
        tx.query_one("SELECT id FROM fs_groups WHERE name = $1", {request.name})->integer(0);
    store_features(tx, id, 0, request.features, now_ms);
    return required(tx, request.name);
  });
}

FeatureGroup Groups::get(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return required(tx, name); });
}

std::optional<FeatureGroup> Groups::find(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return find_group(tx, name); });
}

std::vector<FeatureGroup> Groups::list(const GroupList& wanted) const {
  std::vector<FeatureGroup> all = database_.read([&](Transaction& tx) {
    std::vector<FeatureGroup> found;
    for (const Row& row : tx.query(std::string(kGroup) + "ORDER BY g.id")) {
      const GroupFilter& filter = wanted.filter;
      const auto created = base::from_epoch_millis(row.integer(7));
      const bool fits =
          row.text(1).find(filter.name_contains) != std::string::npos &&
          (!filter.status || static_cast<GroupStatus>(row.integer(2)) == *filter.status) &&
          (!filter.created_after || created > *filter.created_after) &&
          (!filter.created_before || created < *filter.created_before) &&
          (!filter.is_blocked || !row.optional_text(10).value_or("").empty());
      if (!fits) continue;
      FeatureGroup group{.id = row.integer(0),
                         .request = stored_request(row.text(4)),
                         .status = static_cast<GroupStatus>(row.integer(2)),
                         .offline_id = row.integer(5),
                         .export_problem = row.optional_text(10).value_or(""),
                         .created = created};
      group.request.name = row.text(1);
      found.push_back(std::move(group));
    }
    return found;
  });
  std::ranges::stable_sort(all, [&](const FeatureGroup& left, const FeatureGroup& right) {
    const FeatureGroup& first = wanted.is_descending ? right : left;
    const FeatureGroup& second = wanted.is_descending ? left : right;
    switch (wanted.order) {
      case GroupOrder::by_name:
        return first.request.name < second.request.name;
      case GroupOrder::by_status:
        return to_string(first.status) < to_string(second.status);
      case GroupOrder::by_time:
        break;
    }
    return first.id < second.id;
  });
  const std::size_t begin = std::min(wanted.offset, all.size());
  const std::size_t end = std::min(begin + wanted.limit, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

void Groups::remove(const std::string& name) {
  database_.write([&](Transaction& tx) {
    const FeatureGroup group = required(tx, name);
    if (group.status == GroupStatus::creating) {
      throw Error(ErrorCode::invalid_argument, "Validation Error: FeatureGroup " + name +
                                                   " is Creating; wait until it is Created");
    }
    tx.execute("UPDATE fs_groups SET status = $2, modified_ms = $3 WHERE id = $1",
               {group.id, static_cast<std::int64_t>(GroupStatus::deleting),
                base::to_epoch_millis(clock_.now())});
  });
}

FeatureGroup Groups::add_features(const std::string& name, const std::vector<Feature>& features) {
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  return database_.write([&](Transaction& tx) {
    const FeatureGroup group = required_created(tx, name);
    check_features(group.request.features, features);
    std::size_t position = group.request.features.size();
    store_features(tx, group.id, position, features, now);
    if (group.offline_id != 0) {
      std::vector<Feature> columns = group.request.features;
      for (const Feature& one : features) {
        columns.push_back(one);
        tx.execute("ALTER TABLE " + offline_table(group.offline_id) + " ADD COLUMN " +
                   offline_column(position++) + " " + std::string(column_type(one.type)));
      }
      tx.execute("UPDATE fs_tables SET columns = $2, modified_ms = $3 WHERE id = $1",
                 {group.offline_id, to_stored(columns), now});
    }
    tx.execute("UPDATE fs_groups SET modified_ms = $2 WHERE id = $1", {group.id, now});
    return required(tx, name);
  });
}

FeatureGroup Groups::set_time_to_live(const std::string& name, const TimeToLive& time_to_live) {
  time_to_live.check();
  return database_.write([&](Transaction& tx) {
    FeatureGroup group = required_created(tx, name);
    if (!group.request.is_online) {
      throw Error(ErrorCode::invalid_argument,
                  "Validation Error: TtlDuration is for groups with an online store");
    }
    group.request.time_to_live = time_to_live;
    tx.execute("UPDATE fs_groups SET request = $2, modified_ms = $3 WHERE id = $1",
               {group.id, to_stored(group.request), base::to_epoch_millis(clock_.now())});
    return required(tx, name);
  });
}

Feature Groups::describe(const std::string& name, const std::string& feature,
                         const std::function<void(Feature&)>& change) {
  return database_.write([&](Transaction& tx) {
    const FeatureGroup group = required(tx, name);
    const Feature* const found = group.find(feature);
    if (found == nullptr) {
      throw Error(ErrorCode::not_found, "Resource Not Found: FeatureGroup " + name +
                                            " has no feature with name " + feature.substr(0, 64));
    }
    Feature changed = *found;
    if (!change) return changed;
    change(changed);
    changed.modified = clock_.now();
    tx.execute(
        "UPDATE fs_features SET description = $3, parameters = $4, modified_ms = $5 WHERE group_id "
        "= "
        "$1 AND name = $2",
        {group.id, feature, changed.description, to_stored(changed.parameters),
         base::to_epoch_millis(changed.modified)});
    return changed;
  });
}

void Groups::begin(Transaction& tx, const FeatureGroup& group) {
  if (!group.request.is_offline) return;
  const std::string location = offline_location(group, arns_);
  tx.execute(
      "INSERT INTO fs_tables (group_id, group_name, database_name, name, location, role, "
      "columns, is_listed, last_row, last_write_ms, exported_row, exporting_row, export_problem, "
      "next_export_ms, bytes, created_ms, modified_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, '', 0, 0, $9, $9)",
      {group.id, group.request.name, group.request.database, group.request.table, location,
       group.request.role_arn, to_stored(group.request.features),
       std::int64_t{group.request.has_table ? 1 : 0}, base::to_epoch_millis(group.created)});
  const std::int64_t id =
      tx.query_one("SELECT max(id) FROM fs_tables WHERE group_id = $1", {group.id})->integer(0);
  std::string columns;
  for (std::size_t i = 0; i < group.request.features.size(); ++i) {
    columns +=
        ", " + offline_column(i) + " " + std::string(column_type(group.request.features[i].type));
  }
  tx.execute("CREATE TABLE " + offline_table(id) +
             " (r INTEGER PRIMARY KEY, write_time TIMESTAMP NOT NULL, api_invocation_time "
             "TIMESTAMP NOT NULL, is_deleted BOOLEAN NOT NULL, bytes BIGINT NOT NULL" +
             columns + ")");
  tx.execute("UPDATE fs_groups SET offline_id = $2 WHERE id = $1", {group.id, id});
}

bool Groups::carry_on_removing(std::int64_t id) {
  return database_.write([&](Transaction& tx) {
    std::int64_t bytes = 0;
    const auto rows =
        tx.query("SELECT id, bytes FROM fs_online WHERE group_id = $1 LIMIT $2", {id, kStep});
    for (const Row& row : rows) {
      tx.execute("DELETE FROM fs_online WHERE id = $1", {row.integer(0)});
      bytes += row.integer(1);
    }
    add_bytes(tx, -bytes);
    tx.execute("UPDATE fs_groups SET online_bytes = online_bytes - $2 WHERE id = $1", {id, bytes});
    if (!rows.empty()) return true;
    tx.execute("UPDATE fs_tables SET group_id = 0 WHERE group_id = $1", {id});
    tx.execute("DELETE FROM fs_groups WHERE id = $1", {id});
    return false;
  });
}

bool Groups::carry_on(
    const std::function<std::optional<std::string>(const FeatureGroup&)>& problem) {
  const auto open = database_.read([](Transaction& tx) -> std::optional<FeatureGroup> {
    const auto row =
        tx.query_one(std::string(kGroup) + "WHERE g.status IN (0, 3) ORDER BY g.id LIMIT 1");
    if (!row) return std::nullopt;
    return read_group(tx, *row);
  });
  if (!open) return false;
  if (open->status == GroupStatus::deleting) {
    carry_on_removing(open->id);
    return true;
  }
  auto wrong = problem(*open);
  const auto set = [&](Transaction& tx, GroupStatus status) {
    tx.execute("UPDATE fs_groups SET status = $2, failure = $3 WHERE id = $1",
               {open->id, static_cast<std::int64_t>(status), wrong.value_or("")});
  };
  try {
    database_.write([&](Transaction& tx) {
      if (!wrong) begin(tx, *open);
      set(tx, wrong ? GroupStatus::failed : GroupStatus::created);
    });
  } catch (const Error& error) {
    if (wrong) throw;
    wrong = error.code() == ErrorCode::already_exists
                ? "the table " + open->request.table + " is there already"
                : error.message();
    database_.write([&](Transaction& tx) { set(tx, GroupStatus::failed); });
  }
  return true;
}

std::vector<OfflineTable> Groups::tables() const {
  return database_.read([](Transaction& tx) {
    std::vector<OfflineTable> tables;
    for (const Row& row : tx.query(std::string(kTable) + "ORDER BY name")) {
      tables.push_back(read_table(row));
    }
    return tables;
  });
}

std::optional<OfflineTable> Groups::find_table(const std::string& database,
                                               const std::string& name) const {
  return database_.read([&](Transaction& tx) -> std::optional<OfflineTable> {
    const auto row = tx.query_one(std::string(kTable) + "AND database_name = $1 AND name = $2",
                                  {database, name});
    if (!row) return std::nullopt;
    return read_table(*row);
  });
}

void Groups::remove_table(const std::string& database, const std::string& name) {
  database_.write([&](Transaction& tx) {
    const auto row = tx.query_one(std::string(kTable) + "AND database_name = $1 AND name = $2",
                                  {database, name});
    if (!row) throw Error(ErrorCode::not_found, "Table " + name.substr(0, 255) + " not found.");
    tx.execute("UPDATE fs_tables SET is_listed = 0, modified_ms = $2 WHERE id = $1",
               {row->integer(0), base::to_epoch_millis(clock_.now())});
  });
}

}  // namespace andon::features
