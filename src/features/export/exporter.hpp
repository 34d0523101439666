// SPDX-License-Identifier: Apache-2.0
// Room: export. What the offline stores hold, as objects of JSON lines where each group's
// OfflineStoreConfig says: a range of rows an object, its name made of their numbers. Which range
// is being written is noted before, so that a killed server's next start writes the same object
// again and not a second one. Called by one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "features/groups/types.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

struct ExportedObject {
  std::string role_arn;  // of the group
  std::string bucket;
  std::string key;
  std::string bytes;
};
// Durable when it returns; throws why it cannot be.
using WriteObject = std::function<void(const ExportedObject&)>;

struct ExportOptions {
  std::chrono::milliseconds after{60'000};  // the first row that waits, at most
  std::int64_t rows = 10'000;               // of an object
  std::int64_t bytes = 64LL << 20U;
};

class Exporter {
 public:
  Exporter(store::Database& database, const base::Clock& clock, WriteObject write,
           ExportOptions options)
      : database_(database), clock_(clock), write_(std::move(write)), options_(options) {}

  // Writes one object, where one is due. Whether there was one. What cannot be written is tried
  // again after a minute, its reason is the group's export problem.
  bool carry_on();

 private:
  struct Due;
  [[nodiscard]] std::optional<Due> find_due();
  [[nodiscard]] std::string lines_of(const Due& due) const;

  store::Database& database_;
  const base::Clock& clock_;
  const WriteObject write_;
  const ExportOptions options_;
};

}  // namespace andon::features
