// SPDX-License-Identifier: Apache-2.0
// Room: records. What is put into feature groups: the online store keeps the record with the latest
// event time of each identifier, the offline store every one that ever came.
//
// Durable when a call returns; calls that come together share a commit. Bounded by bytes: where the
// store is full the oldest rows of the offline stores go that are in the object store already, and
// where there are none nothing more is taken. Any thread. Errors are base::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "features/groups/types.hpp"
#include "features/records/values.hpp"
#include "store/sql/database.hpp"
#include "store/sql/group_commit.hpp"

namespace andon::features {

struct RecordLimits {
  std::int64_t total_bytes = 10LL << 30U;  // of all groups, online and offline
  // Rows of the offline stores, once they are in the object store; none: while there is room.
  std::optional<std::chrono::days> keep_offline = {};
};

// Which stores a call is for; both false: those that the group has.
struct TargetStores {
  bool online = false;
  bool offline = false;
};

enum class Deletion : std::uint8_t {
  soft,  // a mark with its event time stays in the online store, and a row in the offline one
  hard,  // nothing stays in the online store
};

struct OnlineRecord {
  FeatureValues values;  // in the order of the group's features
  std::optional<base::Timestamp> expires;
};

class Records {
 public:
  // `database` is the feature store's own. Both outlive this.
  Records(store::Database& database, const base::Clock& clock, RecordLimits limits);

  // not_found where there is no such group, invalid_argument for what it does not take.
  void put(const std::string& group, const FeatureValues& values, const TargetStores& stores,
           const std::optional<TimeToLive>& time_to_live);
  void remove(const std::string& group, const std::string& identifier,
              const std::string& event_time, const TargetStores& stores, Deletion deletion);
  // Nothing where it is not there, deleted or expired. `features` empty: all. The group has been
  // looked up by the caller.
  [[nodiscard]] std::optional<OnlineRecord> get(const FeatureGroup& group,
                                                const std::string& identifier,
                                                const std::vector<std::string>& features) const;

  // What a step removes is at most `limit` rows; answers how many. Expired online records, old
  // offline rows, and tables that are neither in the catalog nor a group's.
  std::int64_t sweep(std::int64_t limit);

  [[nodiscard]] std::int64_t total_bytes() const;

 private:
  void put_online(store::Transaction& tx, const FeatureGroup& group, const Record& record,
                  const std::optional<TimeToLive>& time_to_live, bool is_deleted) const;
  void append_offline(store::Transaction& tx, const FeatureGroup& group, const Record& record,
                      base::Timestamp invoked, bool is_deleted) const;
  void make_room(store::Transaction& tx) const;
  [[nodiscard]] TargetStores stores_of(const FeatureGroup& group, const TargetStores& asked) const;

  store::Database& database_;
  const base::Clock& clock_;
  const RecordLimits limits_;
  store::GroupCommit commits_;  // last: its thread uses all of the above
};

}  // namespace andon::features
