// SPDX-License-Identifier: Apache-2.0
// Shifts of the plant, by which results are counted: when each begins, every day, in one time zone.
// A shift lasts until the next one begins; the last of a day ends with the first of the next.
// Values; pure but for the system's time zones; any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::control {

struct Shift {
  std::string name;
  std::chrono::minutes start;  // of the day, as clocks show it; quarters of hours
};

struct ShiftPlan {
  std::string zone = "UTC";   // as IANA has it
  std::vector<Shift> shifts;  // by their start; empty: nobody has said any
};

// {"timeZone": "Europe/Berlin", "shifts": [{"name": "early", "start": "06:00"}]}. Throws
// invalid_argument naming the member.
[[nodiscard]] ShiftPlan read_shift_plan(const base::json::object& document);
[[nodiscard]] base::json::object to_json(const ShiftPlan& plan);

// One shift of one day.
struct ShiftSpan {
  std::string name;
  std::string day;  // on which it began, as calendars show it there: "2026-11-30"
  base::Timestamp begin;
  base::Timestamp end;
};
// Those that overlap the time from `from` until before `until`, oldest first; at most `most`, of
// which the last are left out. None without shifts.
[[nodiscard]] std::vector<ShiftSpan> shifts_between(const ShiftPlan& plan, base::Timestamp from,
                                                    base::Timestamp until, std::size_t most);

}  // namespace andon::control
