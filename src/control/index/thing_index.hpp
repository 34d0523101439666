// SPDX-License-Identifier: Apache-2.0
// Searches and aggregations over the fleet, and the settings that AWS IoT has for them. Both
// indices (AWS_Things with connectivity, AWS_ThingGroups) are there from the start; what is
// switched off is not searched (failed_precondition). Any thread; each call is one transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "control/index/thing_document.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

inline constexpr std::string_view kThingsIndex = "AWS_Things";
inline constexpr std::string_view kThingGroupsIndex = "AWS_ThingGroups";

class ThingIndex {
 public:
  explicit ThingIndex(store::Database& database);

  // thingIndexingConfiguration and thingGroupIndexingConfiguration, as they were given.
  [[nodiscard]] json::object settings() const;
  // Those of the two that are there are replaced. unsupported for shadows and Device Defender.
  void set_settings(const json::object& settings);
  // "" is AWS_Things. not_found for another.
  [[nodiscard]] static IndexKind kind_of(const std::string& index_name);
  [[nodiscard]] bool is_on(IndexKind kind) const;

  // By name.
  [[nodiscard]] Page<ThingDocument> search(const std::string& query, const PageRequest& page) const;
  [[nodiscard]] Page<GroupDocument> search_groups(const std::string& query,
                                                  const PageRequest& page) const;

  struct Values {
    std::int64_t matched = 0;         // things, or groups
    std::vector<std::string> values;  // that they have of the field
  };
  [[nodiscard]] Values values(const std::string& query, const std::string& field,
                              IndexKind kind) const;

 private:
  void require_on(IndexKind kind) const;

  store::Database& database_;
};

}  // namespace andon::control
