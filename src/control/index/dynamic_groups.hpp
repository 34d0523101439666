// SPDX-License-Identifier: Apache-2.0
// Groups whose members a query finds. They are groups like others: what is deployed to one reaches
// who joins, its policies count for its members. A change of a thing (attributes, type, named
// groups, who is connected) is noted by the database in the transaction that makes it; step() then
// puts memberships right, some things at a time, and goes on after a crash where it was. Of a
// thing's groups a query sees those whose members are named, no dynamic ones: so one group never
// changes another. Any thread; step() from one.
#pragma once

#include <string>

#include "base/time/time.hpp"
#include "control/devices/things.hpp"
#include "control/shared/outbox.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class DynamicGroups {
 public:
  static constexpr std::int64_t kMost = 100;  // of AWS

  DynamicGroups(store::Database& database, Things& things, Outbox& outbox,
                const base::Clock& clock);

  // invalid_argument for a bad query, already_exists for another group of that name,
  // resource_exhausted.
  ThingGroup create(const std::string& name, const std::string& query,
                    const std::string& description,
                    const std::map<std::string, std::string>& attributes);
  std::int64_t update(const std::string& name, const ThingGroupUpdate& change);

  // False where nothing is left to be done.
  bool step();

 private:
  [[nodiscard]] bool follow_changes();
  [[nodiscard]] bool build();

  store::Database& database_;
  Things& things_;
  Outbox& outbox_;
  const base::Clock& clock_;
};

}  // namespace andon::control
