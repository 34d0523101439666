// SPDX-License-Identifier: Apache-2.0
// Room: schedule. The schedules of EventBridge Scheduler and their groups, as they are kept, and
// which of them are due. Any thread; each call is one transaction. Errors are base::Error:
// not_found, already_exists, resource_exhausted, invalid_argument.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

namespace json = base::json;

inline constexpr std::string_view kDefaultGroup = "default";

struct ScheduleGroup {
  std::string name;
  base::Timestamp created;
  base::Timestamp modified;
};

struct Schedule {
  std::string group = std::string(kDefaultGroup);
  std::string name;
  std::string description;
  std::string expression;
  std::string zone = "UTC";
  std::optional<base::Timestamp> start;
  std::optional<base::Timestamp> end;
  bool is_enabled = true;
  bool goes_when_done = false;     // ActionAfterCompletion DELETE
  std::chrono::minutes window{0};  // FLEXIBLE; 0: OFF
  json::object target;             // as CreateSchedule has it
  base::Timestamp created;
  base::Timestamp modified;
};

class Schedules {
 public:
  static constexpr std::int64_t kMostSchedules = 100'000;
  static constexpr std::int64_t kMostGroups = 500;

  Schedules(store::Database& database, const base::Clock& clock);

  // `token`: of the request; the same request with it again is the same schedule.
  void create(Schedule schedule, const std::string& token);
  void update(Schedule schedule);  // all of it
  [[nodiscard]] Schedule schedule(const std::string& group, const std::string& name) const;
  void remove(const std::string& group, const std::string& name);
  struct Filter {
    std::string group;  // empty: all
    std::string prefix;
    std::optional<bool> is_enabled;
  };
  // By group and name, after the one of that group and name.
  [[nodiscard]] std::vector<Schedule> list(const Filter& filter, const std::string& after_group,
                                           const std::string& after_name, std::size_t limit) const;

  void create_group(const std::string& name, const std::string& token);
  [[nodiscard]] ScheduleGroup group(const std::string& name) const;
  [[nodiscard]] std::vector<ScheduleGroup> groups(const std::string& prefix,
                                                  const std::string& after,
                                                  std::size_t limit) const;
  // With its schedules.
  void remove_group(const std::string& name);

  // Within the caller's transaction: what was due by `now`, each with the time that it was for;
  // next runs are noted, and schedules that are done and go then are gone.
  struct Due {
    Schedule schedule;
    base::Timestamp planned;
  };
  [[nodiscard]] static std::vector<Due> take_due(store::Transaction& tx, base::Timestamp now,
                                                 std::size_t limit);
  [[nodiscard]] static std::optional<base::Timestamp> next_due(store::Transaction& tx);

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

// The run after `after`, as its dates allow; nothing where there is none. Pure.
[[nodiscard]] std::optional<base::Timestamp> next_run(const Schedule& schedule,
                                                      base::Timestamp after);

}  // namespace andon::events
