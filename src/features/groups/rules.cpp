// SPDX-License-Identifier: Apache-2.0
#include "features/groups/rules.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "features/groups/groups.hpp"

namespace andon::features {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostTableName = 255;
// The offline store's own columns, and those of its files' partitions.
constexpr auto kReserved = std::to_array<std::string_view>(
    {"is_deleted", "write_time", "api_invocation_time", "year", "month", "day", "hour"});

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, "Validation Error: " + problem);
}

// [a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName && base::is_letter_or_digit(name.front()) &&
         base::is_letter_or_digit(name.back()) && base::is_name_of(name, "-_");
}

std::string shown(const std::string& text) {
  return "'" + text.substr(0, kMostName + 1) + "'";
}

std::string text_of(const json::object& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

}  // namespace

void check_features(const std::vector<Feature>& there, const std::vector<Feature>& features) {
  std::set<std::string> names;
  for (const Feature& one : there) names.insert(base::to_lower(one.name));
  for (const Feature& one : features) {
    if (!is_name(one.name)) {
      refuse("FeatureName " + shown(one.name) +
             " must be 1 to 64 letters, digits, '-' and '_', and begin and end with a letter or "
             "digit");
    }
    const std::string folded = base::to_lower(one.name);
    if (std::ranges::find(kReserved, folded) != kReserved.end()) {
      refuse("FeatureName " + shown(one.name) + " is a reserved name");
    }
    // In a table's columns upper and lower case are the same.
    if (!names.insert(folded).second) {
      refuse("FeatureName " + shown(one.name) +
             " is there already (upper and lower case are the same in the offline store)");
    }
  }
  if (names.size() > kMostFeatures) {
    throw Error(ErrorCode::resource_exhausted,
                "a feature group may have at most " + std::to_string(kMostFeatures) + " features");
  }
}

void check_request(const GroupRequest& request) {
  if (!is_name(request.name)) {
    refuse("FeatureGroupName " + shown(request.name) +
           " must be 1 to 64 letters, digits, '-' and '_', and begin and end with a letter or "
           "digit");
  }
  if (!request.is_online && !request.is_offline) {
    refuse(
        "at least one of OnlineStoreConfig (with EnableOnlineStore) and OfflineStoreConfig must "
        "be given");
  }
  check_features({}, request.features);
  const auto find = [&](const std::string& name) {
    return std::ranges::find(request.features, name, &Feature::name);
  };
  const auto identifier = find(request.record_identifier);
  if (identifier == request.features.end()) {
    refuse("RecordIdentifierFeatureName " + shown(request.record_identifier) +
           " is not in FeatureDefinitions");
  }
  const auto time = find(request.event_time);
  if (time == request.features.end()) {
    refuse("EventTimeFeatureName " + shown(request.event_time) + " is not in FeatureDefinitions");
  }
  if (identifier == time) {
    refuse("RecordIdentifierFeatureName and EventTimeFeatureName must be two features");
  }
  if (identifier->type == FeatureType::fractional) {
    refuse("the record identifier feature must be of type String or Integral");
  }
  if (time->type == FeatureType::integral) {
    refuse("the event time feature must be of type String or Fractional");
  }
  if (request.time_to_live && !request.is_online) {
    refuse("TtlDuration is for groups with an online store");
  }
  if (request.time_to_live) request.time_to_live->check();
  if (!request.is_offline) return;
  (void)parse_s3_uri(request.s3_uri);
  if (!request.table.empty()) check_table_name(request.table, "TableName");
  if (!request.database.empty()) check_table_name(request.database, "Database");
}

void check_table_name(const std::string& name, const char* member) {
  const bool is_good = !name.empty() && name.size() <= kMostTableName &&
                       base::is_name_of(name, "_") && name == base::to_lower(name) &&
                       !base::is_digit(name.front()) && !name.starts_with("sqlite_") &&
                       !name.starts_with("pragma_");
  if (is_good) return;
  refuse(std::string(member) + " '" + name.substr(0, kMostName) +
         "' must be lower-case letters, digits and '_', and not begin with a digit");
}

std::string table_name(const std::string& group, base::Timestamp created) {
  std::string made = base::to_lower(group);
  std::ranges::replace(made, '-', '_');
  if (base::is_digit(made.front())) made.insert(0, "_");
  constexpr std::int64_t kSecond = 1'000;
  return made + "_" + std::to_string(base::to_epoch_millis(created) / kSecond);
}

std::string to_stored(const GroupRequest& request) {
  json::object stored{{"recordIdentifier", request.record_identifier},
                      {"eventTime", request.event_time},
                      {"online", request.is_online},
                      {"offline", request.is_offline},
                      {"s3Uri", request.s3_uri},
                      {"hasTable", request.has_table},
                      {"table", request.table},
                      {"database", request.database},
                      {"tableFormat", request.table_format},
                      {"role", request.role_arn},
                      {"description", request.description}};
  if (request.time_to_live) {
    stored["ttl"] =
        json::object{{"unit", request.time_to_live->unit}, {"value", request.time_to_live->value}};
  }
  return base::to_text(stored);
}

GroupRequest stored_request(const std::string& text) {
  const json::value parsed = base::parse_json(text, "stored feature group");
  const json::object& object = parsed.as_object();
  GroupRequest request{.record_identifier = text_of(object, "recordIdentifier"),
                       .event_time = text_of(object, "eventTime"),
                       .features = {},
                       .is_online = object.at("online").as_bool(),
                       .time_to_live = {},
                       .is_offline = object.at("offline").as_bool(),
                       .s3_uri = text_of(object, "s3Uri"),
                       .has_table = object.at("hasTable").as_bool(),
                       .table = text_of(object, "table"),
                       .database = text_of(object, "database"),
                       .table_format = text_of(object, "tableFormat"),
                       .role_arn = text_of(object, "role"),
                       .description = text_of(object, "description")};
  if (const auto* ttl = object.if_contains("ttl")) {
    request.time_to_live =
        TimeToLive{text_of(ttl->as_object(), "unit"), ttl->at("value").as_int64()};
  }
  return request;
}

std::string to_stored(const std::vector<Feature>& columns) {
  json::array stored;
  for (const Feature& one : columns) stored.push_back(json::array{one.name, to_string(one.type)});
  return base::to_text(stored);
}

std::vector<Feature> stored_columns(const std::string& text) {
  std::vector<Feature> columns;
  const json::value parsed = base::parse_json(text, "stored columns");
  for (const json::value& one : parsed.as_array()) {
    columns.push_back(
        {.name = std::string(one.at(0).as_string()),
         .type = parse_feature_type(one.at(1).as_string()).value_or(FeatureType::text)});
  }
  return columns;
}

}  // namespace andon::features
