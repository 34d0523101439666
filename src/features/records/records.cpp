// SPDX-License-Identifier: Apache-2.0
#include "features/records/records.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "features/groups/groups.hpp"
#include "features/groups/schema.hpp"
#include "features/records/offline.hpp"

namespace andon::features {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using store::SqlValue;
using store::Transaction;

constexpr std::int64_t kRowBytes = 120;  // of a row and its entries in indices, beside its values
constexpr std::int64_t kMicrosInMilli = 1'000;
constexpr std::int64_t kMillisInSecond = 1'000;
constexpr std::int64_t kStep = 500;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, "Validation Error: " + problem);
}

FeatureGroup group_for_writing(Transaction& tx, const std::string& name) {
  auto group = find_group(tx, name);
  if (!group) throw Error(ErrorCode::not_found, not_found_text(name));
  if (group->status != GroupStatus::created) {
    refuse("FeatureGroup " + name + " is " + std::string(to_string(group->status)) +
           "; records can be written once it is Created");
  }
  return *std::move(group);
}

std::string to_stored(const Record& record, const FeatureGroup& group) {
  json::object content;
  for (const Feature& feature : group.request.features) {
    const auto value = record.values.find(feature.name);
    if (value != record.values.end()) content[feature.name] = value->second;
  }
  return base::to_text(content);
}

}  // namespace

Records::Records(store::Database& database, const base::Clock& clock, RecordLimits limits)
    : database_(database), clock_(clock), limits_(limits), commits_(database) {}

TargetStores Records::stores_of(const FeatureGroup& group, const TargetStores& asked) const {
  const GroupRequest& has = group.request;
  if (!asked.online && !asked.offline) return {.online = has.is_online, .offline = has.is_offline};
  if ((asked.online && !has.is_online) || (asked.offline && !has.is_offline)) {
    refuse("TargetStores names " +
           std::string(asked.online && !has.is_online ? "OnlineStore" : "OfflineStore") +
           ", which FeatureGroup " + has.name + " does not have");
  }
  return asked;
}

void Records::put(const std::string& name, const FeatureValues& values, const TargetStores& stores,
                  const std::optional<TimeToLive>& time_to_live) {
  if (time_to_live) time_to_live->check();
  const base::Timestamp invoked = clock_.now();
  commits_.write([&](Transaction& tx) {
    const FeatureGroup group = group_for_writing(tx, name);
    const Record record = check_record(group, values);
    const TargetStores into = stores_of(group, stores);
    if (time_to_live && !into.online) {
      refuse("TtlDuration is for records that go to the online store");
    }
    if (into.online) {
      put_online(tx, group, record, time_to_live ? time_to_live : group.request.time_to_live,
                 false);
    }
    if (into.offline) append_offline(tx, group, record, invoked, false);
    make_room(tx);
  });
}

void Records::remove(const std::string& name, const std::string& identifier,
                     const std::string& event_time, const TargetStores& stores, Deletion deletion) {
  const base::Timestamp invoked = clock_.now();
  commits_.write([&](Transaction& tx) {
    const FeatureGroup group = group_for_writing(tx, name);
    const Record record = check_record(group, {{group.request.record_identifier, identifier},
                                               {group.request.event_time, event_time}});
    const TargetStores into = stores_of(group, stores);
    if (into.online && deletion == Deletion::hard) {
      const auto there = tx.query_one(
          "SELECT id, event_us, bytes FROM fs_online WHERE group_id = $1 AND record = $2",
          {group.id, identifier});
      if (there && there->integer(1) >= record.event_us) {
        refuse("EventTime [" + event_time.substr(0, 100) +
               "] must be later than that of the record in the online store");
      }
      if (there) {
        tx.execute("DELETE FROM fs_online WHERE id = $1", {there->integer(0)});
        tx.execute("UPDATE fs_groups SET online_bytes = online_bytes - $2 WHERE id = $1",
                   {group.id, there->integer(2)});
        add_bytes(tx, -there->integer(2));
      }
    } else if (into.online) {
      put_online(tx, group, record, std::nullopt, true);
    }
    if (into.offline) append_offline(tx, group, record, invoked, true);
    make_room(tx);
  });
}

void Records::put_online(Transaction& tx, const FeatureGroup& group, const Record& record,
                         const std::optional<TimeToLive>& time_to_live, bool is_deleted) const {
  SqlValue expires;
  if (time_to_live) {
    const std::int64_t at =
        record.event_us / kMicrosInMilli + time_to_live->seconds() * kMillisInSecond;
    // It would be gone at once; what was there before stays.
    if (at <= base::to_epoch_millis(clock_.now())) return;
    expires = at;
  }
  const auto there = tx.query_one(
      "SELECT id, event_us, bytes, expires_ms FROM fs_online WHERE group_id = $1 AND record = "
      "$2",
      {group.id, record.identifier});
  const std::int64_t bytes = record.bytes + kRowBytes;
  std::int64_t more = bytes;
  if (there) {
    const auto old_end = there->optional_integer(3);
    const bool is_over = old_end && *old_end <= base::to_epoch_millis(clock_.now());
    if (!is_over && there->integer(1) >= record.event_us) return;  // a historic one
    more -= there->integer(2);
    tx.execute(
        "UPDATE fs_online SET event_us = $2, content = $3, is_deleted = $4, expires_ms = $5, "
        "bytes = $6 WHERE id = $1",
        {there->integer(0), record.event_us, to_stored(record, group),
         std::int64_t{is_deleted ? 1 : 0}, expires, bytes});
  } else {
    tx.execute(
        "INSERT INTO fs_online (group_id, record, event_us, content, is_deleted, expires_ms, "
        "bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        {group.id, record.identifier, record.event_us, to_stored(record, group),
         std::int64_t{is_deleted ? 1 : 0}, expires, bytes});
  }
  tx.execute("UPDATE fs_groups SET online_bytes = online_bytes + $2 WHERE id = $1",
             {group.id, more});
  add_bytes(tx, more);
}

void Records::append_offline(Transaction& tx, const FeatureGroup& group, const Record& record,
                             base::Timestamp invoked, bool is_deleted) const {
  const std::int64_t bytes = record.bytes + kRowBytes;
  const base::Timestamp now = clock_.now();
  std::vector<SqlValue> row{athena_time(now), athena_time(invoked),
                            std::int64_t{is_deleted ? 1 : 0}, bytes};
  std::string columns = "write_time, api_invocation_time, is_deleted, bytes";
  std::string places = "$1, $2, $3, $4";
  for (std::size_t i = 0; i < group.request.features.size(); ++i) {
    const Feature& feature = group.request.features[i];
    const auto value = record.values.find(feature.name);
    if (value == record.values.end()) continue;
    row.push_back(column_value(feature.type, value->second));
    columns += ", " + offline_column(i);
    places += ", $" + std::to_string(row.size());
  }
  tx.execute("INSERT INTO " + offline_table(group.offline_id) + " (" + columns + ") VALUES (" +
                 places + ")",
             row);
  tx.execute(
      "UPDATE fs_tables SET bytes = bytes + $2, last_write_ms = $3, last_row = (SELECT max(r) "
      "FROM " +
          offline_table(group.offline_id) + ") WHERE id = $1",
      {group.offline_id, bytes, base::to_epoch_millis(now)});
  add_bytes(tx, bytes);
}

void Records::make_room(Transaction& tx) const {
  while (true) {
    const auto all = tx.query_one("SELECT bytes FROM fs_totals WHERE id = 1");
    if (all->integer(0) <= limits_.total_bytes) return;
    if (remove_exported(tx, kStep) == 0) {
      throw Error(ErrorCode::resource_exhausted,
                  "the feature store is full, and nothing of it is in the object store already: "
                  "give it more room (--features-mib), or look why its files cannot be written "
                  "(OfflineStoreStatus)");
    }
  }
}

std::optional<OnlineRecord> Records::get(const FeatureGroup& group, const std::string& identifier,
                                         const std::vector<std::string>& features) const {
  if (!group.request.is_online) {
    refuse("FeatureGroup " + group.request.name + " has no online store");
  }
  for (const std::string& name : features) {
    if (group.find(name) == nullptr) {
      refuse("FeatureName [" + name.substr(0, 100) + "] is not in FeatureGroup " +
             group.request.name);
    }
  }
  const auto row = database_.read([&](Transaction& tx) {
    return tx.query_one(
        "SELECT content, is_deleted, expires_ms FROM fs_online WHERE group_id = $1 AND record "
        "= $2",
        {group.id, identifier});
  });
  if (!row || row->integer(1) != 0) return std::nullopt;
  OnlineRecord record;
  if (const auto expires = row->optional_integer(2)) {
    record.expires = base::from_epoch_millis(*expires);
    if (*record.expires <= clock_.now()) return std::nullopt;
  }
  const json::value content = base::parse_json(row->text(0), "stored record");
  for (const auto& [name, value] : content.as_object()) {
    if (!features.empty() && std::ranges::find(features, name) == features.end()) continue;
    record.values.emplace_back(name, value.as_string());
  }
  return record;
}

std::int64_t Records::sweep(std::int64_t limit) {
  std::int64_t removed = 0;
  commits_.write([&](Transaction& tx) {
    removed = 0;
    const std::int64_t now = base::to_epoch_millis(clock_.now());
    std::int64_t bytes = 0;
    for (const store::Row& row :
         tx.query("SELECT id, group_id, bytes FROM fs_online WHERE expires_ms <= $1 ORDER BY "
                  "expires_ms LIMIT $2",
                  {now, limit})) {
      tx.execute("DELETE FROM fs_online WHERE id = $1", {row.integer(0)});
      tx.execute("UPDATE fs_groups SET online_bytes = online_bytes - $2 WHERE id = $1",
                 {row.integer(1), row.integer(2)});
      bytes += row.integer(2);
      ++removed;
    }
    add_bytes(tx, -bytes);
    if (limits_.keep_offline) {
      removed += remove_written_before(tx, clock_.now() - *limits_.keep_offline, limit);
    }
    removed += remove_unlisted(tx, limit);
  });
  return removed;
}

std::int64_t Records::total_bytes() const {
  return database_.read([](Transaction& tx) {
    return tx.query_one("SELECT bytes FROM fs_totals WHERE id = 1")->integer(0);
  });
}

}  // namespace andon::features
