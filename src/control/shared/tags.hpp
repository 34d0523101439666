// SPDX-License-Identifier: Apache-2.0
// Tags of components, deployments and core devices, by ARN. Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/sql/database.hpp"

namespace andon::control {

using TagMap = std::map<std::string, std::string>;

// Within the caller's transaction. Throws invalid_argument for more than 50 tags or a key or value
// that is too long.
void store_tags(store::Transaction& tx, const std::string& resource_arn, const TagMap& tags);

class Tags {
 public:
  explicit Tags(store::Database& database) : database_(database) {}

  void set(const std::string& resource_arn, const TagMap& tags);
  void remove(const std::string& resource_arn, const std::vector<std::string>& keys);
  [[nodiscard]] TagMap of(const std::string& resource_arn) const;

 private:
  store::Database& database_;
};

}  // namespace andon::control
