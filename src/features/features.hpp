// SPDX-License-Identifier: Apache-2.0
// The feature store, put together: groups, records, their way to the object store, and queries.
// Made once by the server; any thread may use its parts. A thread of its own makes and removes what
// groups need and writes the offline stores' objects, also what an earlier program left undone.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "features/export/exporter.hpp"
#include "features/groups/groups.hpp"
#include "features/queries/queries.hpp"
#include "features/records/records.hpp"
#include "fleet/names/arn.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

class Features {
 public:
  struct Parts {
    store::Database& database;  // of the feature store alone
    base::fs::path path;        // its file
    store::ObjectStore& objects;
    const base::Clock& clock;
    fleet::Arns arns;
    RecordLimits limits;
    ExportOptions exports;
    QueryOptions queries;
    // Throws where the role may not write it, or does not trust the feature store.
    std::function<void(const std::string& role_arn, const std::string& bucket,
                       const std::string& key)>
        check_write;
  };
  explicit Features(const Parts& parts);
  Features(const Features&) = delete;
  Features& operator=(const Features&) = delete;
  ~Features();

  void run();
  void stop();
  // There is something to make or to remove.
  void wake();
  // What is due about once an hour.
  void sweep();

 private:
  void work();
  void write(const ExportedObject& object) const;
  [[nodiscard]] std::optional<std::string> problem_of(const FeatureGroup& group) const;

  const Parts parts_;

 public:
  Groups groups;
  Records records;
  Queries queries;

 private:
  Exporter exporter_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_woken_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace andon::features
