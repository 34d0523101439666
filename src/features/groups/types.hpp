// SPDX-License-Identifier: Apache-2.0
// Feature groups as they are kept: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"

namespace andon::features {

enum class FeatureType : std::uint8_t { text, integral, fractional };
[[nodiscard]] std::string_view to_string(FeatureType type);  // "String", "Integral", "Fractional"
[[nodiscard]] std::optional<FeatureType> parse_feature_type(std::string_view text);

struct Feature {
  std::string name;
  FeatureType type = FeatureType::text;
  std::string description = {};
  std::map<std::string, std::string> parameters = {};
  base::Timestamp created = {};
  base::Timestamp modified = {};
};

// How long an online record lives after its event time.
struct TimeToLive {
  std::string unit;  // Seconds, Minutes, Hours, Days, Weeks
  std::int64_t value = 0;
  [[nodiscard]] std::int64_t seconds() const;
  // invalid_argument for another unit, or less than a second or more than a hundred years.
  void check() const;
};

enum class GroupStatus : std::uint8_t { creating, created, failed, deleting };
[[nodiscard]] std::string_view to_string(GroupStatus status);  // "Creating" ...

// What somebody asks for.
struct GroupRequest {
  std::string name;
  std::string record_identifier;
  std::string event_time;
  std::vector<Feature> features;
  bool is_online = false;
  std::optional<TimeToLive> time_to_live;
  bool is_offline = false;
  std::string s3_uri;             // of the offline store
  bool has_table = true;          // in the catalog
  std::string table = {};         // empty: one is made of the group's name
  std::string database = {};      // empty: kDefaultDatabase
  std::string table_format = {};  // as it came
  std::string role_arn;
  std::string description;
};

struct FeatureGroup {
  std::int64_t id = 0;
  GroupRequest request;  // with what was made up for it; its features are those of today
  GroupStatus status = GroupStatus::creating;
  std::string failure;
  std::int64_t offline_id = 0;  // of its offline table; 0: none
  std::string resolved_uri;     // where the offline store's files are
  std::string export_problem;   // why they cannot be written; empty: they can
  std::int64_t online_bytes = 0;
  base::Timestamp created;
  base::Timestamp modified;

  [[nodiscard]] const Feature* find(std::string_view name) const;
};

// A table of the catalog: what a feature group's offline store holds. It outlives its group.
struct OfflineTable {
  std::int64_t id = 0;
  std::string database;
  std::string name;
  std::string group;
  std::string location;  // s3://...
  std::vector<Feature> columns;
  bool is_listed = true;  // in the catalog
  base::Timestamp created;
  base::Timestamp modified;
};

inline constexpr std::string_view kCatalog = "AwsDataCatalog";
inline constexpr std::string_view kDefaultDatabase = "sagemaker_featurestore";

// What stands behind the features in each row of the offline store.
inline constexpr std::string_view kWriteTime = "write_time";
inline constexpr std::string_view kInvocationTime = "api_invocation_time";
inline constexpr std::string_view kIsDeleted = "is_deleted";

inline constexpr std::size_t kMostGroups = 1'000;
inline constexpr std::size_t kMostFeatures = 1'000;  // of a group

}  // namespace andon::features
