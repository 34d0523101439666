// SPDX-License-Identifier: Apache-2.0
// Room: groups. What feature groups there are, with their features, and the catalog of the tables
// that their offline stores are. Each call is one transaction; any thread. Errors are base::Error
// in AWS's words.
//
// A new group is Creating until begin() has made its tables, one that is to go Deleting until the
// last of its online records is gone: whoever keeps the store (features.hpp) sees to both, also to
// what an earlier program left. What was stored offline outlives its group, until its table is
// removed from the catalog.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "features/groups/types.hpp"
#include "fleet/names/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

struct GroupFilter {
  std::string name_contains = {};
  std::optional<GroupStatus> status = {};
  std::optional<base::Timestamp> created_after = {};
  std::optional<base::Timestamp> created_before = {};
  bool is_blocked = false;  // only those whose files cannot be written
};
enum class GroupOrder : std::uint8_t { by_time, by_name, by_status };
struct GroupList {
  GroupFilter filter;
  GroupOrder order = GroupOrder::by_time;
  bool is_descending = true;
  std::size_t offset = 0;
  std::size_t limit = 10;
};

class Groups {
 public:
  // `database` is the feature store's own, with its schema.
  Groups(store::Database& database, const base::Clock& clock, fleet::Arns arns)
      : database_(database), clock_(clock), arns_(std::move(arns)) {}

  // Creating. Throws already_exists, invalid_argument, resource_exhausted.
  FeatureGroup create(GroupRequest request);
  // not_found as AWS says it.
  [[nodiscard]] FeatureGroup get(const std::string& name) const;
  [[nodiscard]] std::optional<FeatureGroup> find(const std::string& name) const;
  [[nodiscard]] std::vector<FeatureGroup> list(const GroupList& wanted) const;
  // Deleting.
  void remove(const std::string& name);
  // conflict unless it is Created.
  FeatureGroup add_features(const std::string& name, const std::vector<Feature>& features);
  FeatureGroup set_time_to_live(const std::string& name, const TimeToLive& time_to_live);
  Feature describe(const std::string& name, const std::string& feature,
                   const std::function<void(Feature&)>& change);

  // Of what is Creating: the tables are made, or the group has failed. Of what is Deleting: some of
  // its records are gone. Whether there is more to do.
  bool carry_on(const std::function<std::optional<std::string>(const FeatureGroup&)>& problem);

  // The catalog.
  [[nodiscard]] std::vector<OfflineTable> tables() const;  // that are listed, by name
  [[nodiscard]] std::optional<OfflineTable> find_table(const std::string& database,
                                                       const std::string& name) const;
  // From the catalog; where its group is gone, what it holds, too. not_found.
  void remove_table(const std::string& database, const std::string& name);

 private:
  void begin(store::Transaction& tx, const FeatureGroup& group);
  bool carry_on_removing(std::int64_t id);

  store::Database& database_;
  const base::Clock& clock_;
  const fleet::Arns arns_;
};

// Where the objects of its offline store are, "s3://...".
[[nodiscard]] std::string offline_location(const FeatureGroup& group, const fleet::Arns& arns);

// Within the caller's transaction; any status.
[[nodiscard]] std::optional<FeatureGroup> find_group(store::Transaction& tx,
                                                     const std::string& name);
// The bytes of the whole store are so many more.
void add_bytes(store::Transaction& tx, std::int64_t bytes);

// "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name ...".
[[nodiscard]] std::string not_found_text(std::string_view name);

// Bucket and prefix of "s3://bucket/prefix", without a slash at its end. invalid_argument.
struct S3Place {
  std::string bucket;
  std::string prefix;
};
[[nodiscard]] S3Place parse_s3_uri(std::string_view uri);

}  // namespace andon::features
