// SPDX-License-Identifier: Apache-2.0
#include "control/results/shifts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/schedule/zone.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;

constexpr std::size_t kMostShifts = 12;
constexpr std::size_t kMostName = 32;
constexpr std::size_t kMostZone = 64;
constexpr minutes kQuarter{15};

[[noreturn]] void refuse(const std::string& message) {
  throw base::Error(base::ErrorCode::invalid_argument, message);
}

minutes read_start(const std::string& text) {
  const bool has_form = text.size() == 5 && text[2] == ':';
  const auto hour = has_form ? base::parse_int64(text.substr(0, 2)) : std::nullopt;
  const auto minute = has_form ? base::parse_int64(text.substr(3)) : std::nullopt;
  if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 45 ||
      *minute % kQuarter.count() != 0) {
    refuse("shifts: a start must be a quarter of an hour, \"06:00\" or \"21:45\"; this one is \"" +
           text.substr(0, kMostName) + "\"");
  }
  return minutes(*hour * 60 + *minute);
}

Shift read_shift(const json::value& item) {
  const base::JsonReader reader(item, "shifts");
  const std::string name = reader.required_text("name");
  if (name.size() > kMostName || std::ranges::any_of(name, base::is_control) ||
      !base::is_utf8(name)) {
    refuse("shifts: a name has 1 to 32 bytes, without control characters");
  }
  return {name, read_start(reader.required_text("start"))};
}

std::string text_of(local_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// Where clocks skip it, the first quarter of an hour that they show after it.
base::Timestamp begin_of(const base::Zone& zone, local_days day, minutes start) {
  for (int skipped = 0; skipped < 24 * 4; ++skipped) {
    const auto begin =
        zone.first_time(std::chrono::local_seconds(day) + start + skipped * kQuarter);
    if (begin) return base::Timestamp(*begin);
  }
  refuse("timeZone: has a day without this time");
}

}  // namespace

ShiftPlan read_shift_plan(const json::object& document) {
  const base::JsonReader reader(document, "shifts");
  ShiftPlan plan;
  plan.zone = reader.optional_string("timeZone").value_or("UTC");
  if (plan.zone.size() > kMostZone) refuse("timeZone: is no name of a time zone");
  (void)base::Zone::find(plan.zone);
  const auto* const given = document.if_contains("shifts");
  if (given == nullptr || !given->is_array()) refuse("shifts: must be a list; an empty one: none");
  if (given->as_array().size() > kMostShifts) refuse("shifts: at most 12");
  for (const json::value& item : given->as_array()) plan.shifts.push_back(read_shift(item));
  std::ranges::sort(plan.shifts, {}, &Shift::start);
  for (std::size_t i = 0; i < plan.shifts.size(); ++i) {
    for (std::size_t j = i + 1; j < plan.shifts.size(); ++j) {
      if (plan.shifts[i].name == plan.shifts[j].name) {
        refuse("shifts: two have the name \"" + plan.shifts[i].name + "\"");
      }
      if (plan.shifts[i].start == plan.shifts[j].start) refuse("shifts: two begin together");
    }
  }
  return plan;
}

json::object to_json(const ShiftPlan& plan) {
  json::array shifts;
  for (const Shift& shift : plan.shifts) {
    shifts.push_back(json::object{
        {"name", shift.name},
        {"start", fmt::format("{:02}:{:02}", shift.start.count() / 60, shift.start.count() % 60)}});
  }
  return {{"timeZone", plan.zone}, {"shifts", std::move(shifts)}};
}

std::vector<ShiftSpan> shifts_between(const ShiftPlan& plan, base::Timestamp from,
                                      base::Timestamp until, std::size_t most) {
  std::vector<ShiftSpan> spans;
  if (plan.shifts.empty() || from >= until) return spans;
  const auto zone = base::Zone::find(plan.zone);
  const auto first = std::chrono::floor<std::chrono::seconds>(from);
  const std::chrono::local_seconds local(first.time_since_epoch() + zone->offset_at(first));
  // The shift that holds `from` may have begun the day before, or, where clocks jumped, just so.
  auto day = std::chrono::floor<days>(local) - days{2};
  std::vector<ShiftSpan> found;
  for (;; day += days{1}) {
    for (const Shift& shift : plan.shifts) {
      const base::Timestamp begin = begin_of(*zone, day, shift.start);
      if (!found.empty()) {
        if (begin <= found.back().begin) continue;  // clocks were set back over it
        found.back().end = begin;
        if (found.back().end > from) spans.push_back(found.back());
        found.clear();
      }
      if (begin >= until || spans.size() == most) return spans;
      found.push_back({.name = shift.name, .day = text_of(day), .begin = begin, .end = {}});
    }
  }
}

}  // namespace andon::control
