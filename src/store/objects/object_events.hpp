// SPDX-License-Identifier: Apache-2.0
// What came and went in buckets that tell EventBridge: noted by the database itself, in the
// transaction that makes or removes the object's row, whoever that was. Read in order, and
// forgotten once it is on the bus. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

struct ObjectChange {
  std::int64_t position = 0;
  std::string bucket;
  std::string key;
  bool is_created = true;  // or deleted
  std::int64_t size = 0;
  std::string etag;
  base::Timestamp at;
};

// After the ObjectStore, whose tables it watches.
void migrate_object_events(Database& database);
[[nodiscard]] std::vector<ObjectChange> object_changes(const Database& database, std::int64_t after,
                                                       std::size_t limit);
void forget_object_changes(Database& database, std::int64_t up_to);

}  // namespace andon::store
