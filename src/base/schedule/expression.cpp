// SPDX-License-Identifier: Apache-2.0
#include "base/schedule/expression.hpp"

#include <array>
#include <span>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::base {
namespace {

using namespace std::chrono;

constexpr std::size_t kMostBytes = 256;
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeek = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int kMostRate = 999'999'999;
constexpr unsigned kSaturday = 6;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "the schedule expression " + why);
}

struct Field {
  std::string_view what;
  int least;
  int most;
  std::span<const std::string_view> names = {};
};

int read_value(std::string_view text, const Field& field) {
  const std::string lower = to_lower(text);
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (field.names[i] == lower) return static_cast<int>(i) + 1;
  }
  const auto number = parse_integer<int>(text, field.least, field.most);
  if (!number) {
    refuse("has '" + std::string(text.substr(0, 20)) + "' as " + std::string(field.what) +
           ", which must be from " + std::to_string(field.least) + " to " +
           std::to_string(field.most));
  }
  return *number;
}

// "1-5", "*/15", "0/10", "7": every value is given to `take`.
template <typename Take>
void read_part(std::string_view part, const Field& field, const Take& take) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  int first = field.least;
  int last = field.most;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    first = read_value(range.substr(0, dash), field);
    last = dash != std::string_view::npos    ? read_value(range.substr(dash + 1), field)
           : slash != std::string_view::npos ? field.most
                                             : first;
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto number = parse_integer<int>(part.substr(slash + 1), 1, field.most);
    if (!number) refuse("has a step in " + std::string(field.what) + " that is no number above 0");
    step = *number;
  }
  if (first > last)
    refuse("has a range in " + std::string(field.what) + " that ends before it begins");
  for (int value = first; value <= last; value += step) take(value);
}

template <std::size_t Size>
std::bitset<Size> read_set(std::string_view text, const Field& field, int base = 0) {
  std::bitset<Size> set;
  for (const std::string_view part : split(text, ',')) {
    read_part(part, field, [&](int value) { set.set(static_cast<std::size_t>(value - base)); });
  }
  return set;
}

// The weekday from Monday to Friday next to `day`, in the same month.
year_month_day nearest_weekday(year_month_day day) {
  const weekday which{sys_days(day)};
  const auto last = (day.year() / day.month() / std::chrono::last).day();
  int shift = 0;
  if (which == Saturday) shift = day.day() == std::chrono::day(1) ? 2 : -1;
  if (which == Sunday) shift = day.day() == last ? -2 : 1;
  return sys_days(day) + days(shift);
}

}  // namespace

ScheduleExpression::ScheduleExpression(std::string_view text, std::shared_ptr<const Zone> zone)
    : zone_(std::move(zone)) {
  if (text.size() > kMostBytes) refuse("is longer than 256 characters");
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    refuse("must be rate(...), cron(...) or at(...)");
  }
  const std::string_view kind = text.substr(0, open);
  const std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  if (kind == "rate") {
    read_rate(inside);
  } else if (kind == "cron") {
    read_cron(inside);
  } else if (kind == "at") {
    read_at(inside);
  } else {
    refuse("must be rate(...), cron(...) or at(...)");
  }
}

void ScheduleExpression::read_rate(std::string_view text) {
  kind_ = Kind::rate;
  const auto words = split(text, ' ');
  const auto number = words.size() == 2 ? parse_integer<int>(words[0], 1, kMostRate) : std::nullopt;
  if (!number) refuse("must be rate(NUMBER UNIT), the number from 1 up");
  struct Unit {
    std::string_view one, many;
    minutes length;
  };
  for (const Unit& unit : {Unit{"minute", "minutes", minutes(1)}, Unit{"hour", "hours", hours(1)},
                           Unit{"day", "days", days(1)}}) {
    if (words[1] == unit.many || (words[1] == unit.one && *number == 1)) {
      if (words[1] == unit.many && *number == 1) break;
      rate_ = *number * unit.length;
      return;
    }
  }
  refuse("must have a unit of minutes, hours or days, in the singular after 1");
}

void ScheduleExpression::read_at(std::string_view text) {
  kind_ = Kind::at;
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  bool is_good = text.size() == kForm.size();
  for (std::size_t i = 0; is_good && i < text.size(); ++i) {
    is_good = kForm[i] == '0' ? is_digit(text[i]) : text[i] == kForm[i];
  }
  const auto time = is_good ? parse_iso8601(std::string(text) + "Z") : std::optional<Timestamp>();
  if (!time) refuse("must be at(yyyy-mm-ddThh:mm:ss)");
  at_ = local_seconds(floor<seconds>(time->time_since_epoch()));
}

void ScheduleExpression::read_cron(std::string_view text) {
  kind_ = Kind::cron;
  const auto fields = split_words(text, " ");
  if (fields.size() != 6) {
    refuse("must have six fields in cron(): minutes hours day-of-month month day-of-week year");
  }
  minutes_ = read_set<60>(fields[0], {"minute", 0, 59});
  hours_ = read_set<24>(fields[1], {"hour", 0, 23});
  months_ = read_set<13>(fields[3], {"month", 1, 12, kMonths});
  years_ = read_set<kYears>(fields[5], {"year", kFirstYear, kFirstYear + kYears - 1}, kFirstYear);
  if ((fields[2] == "?") == (fields[4] == "?")) {
    refuse("must have a ? in one of the fields for the day, and not in both");
  }
  const Field of_month{"day of the month", 1, 31};
  if (fields[2] != "?") {
    for (const std::string_view part : split(fields[2], ',')) {
      if (part == "L") {
        day_of_month_.last = true;
      } else if (part == "LW") {
        day_of_month_.last_weekday = true;
      } else if (part.starts_with("L-")) {
        day_of_month_.last_less = read_value(part.substr(2), of_month);
      } else if (part.ends_with('W')) {
        day_of_month_.nearest_weekday = read_value(part.substr(0, part.size() - 1), of_month);
      } else {
        read_part(part, of_month,
                  [this](int day) { day_of_month_.listed.set(static_cast<std::size_t>(day)); });
      }
    }
  }
  const Field of_week{"day of the week", 1, 7, kWeek};
  if (fields[4] != "?") {
    for (const std::string_view part : split(fields[4], ',')) {
      if (const std::size_t hash = part.find('#'); hash != std::string_view::npos) {
        day_of_week_.kind = read_value(part.substr(0, hash), of_week);
        day_of_week_.nth = read_value(part.substr(hash + 1), {"week of the month", 1, 5});
      } else if (part == "L") {
        day_of_week_.listed.set(kSaturday + 1);
      } else if (part.ends_with('L') && part.size() > 1) {
        day_of_week_.last_of_kind = read_value(part.substr(0, part.size() - 1), of_week);
      } else {
        read_part(part, of_week,
                  [this](int day) { day_of_week_.listed.set(static_cast<std::size_t>(day)); });
      }
    }
  }
}

bool ScheduleExpression::is_day(year_month_day day) const {
  const unsigned of_month = static_cast<unsigned>(day.day());
  const year_month_day last(day.year() / day.month() / std::chrono::last);
  const auto& month = day_of_month_;
  if (month.listed.test(of_month)) return true;
  if (month.last && day == last) return true;
  if (month.last_less > 0 && sys_days(day) == sys_days(last) - days(month.last_less)) return true;
  if (month.last_weekday && day == nearest_weekday(last)) return true;
  if (month.nearest_weekday > 0) {
    const year_month_day wanted =
        day.year() / day.month() / std::chrono::day(static_cast<unsigned>(month.nearest_weekday));
    if (wanted.ok() && day == nearest_weekday(wanted)) return true;
  }
  const auto& week = day_of_week_;
  const unsigned of_week = weekday(sys_days(day)).c_encoding() + 1;
  if (week.listed.test(of_week)) return true;
  if (week.last_of_kind == static_cast<int>(of_week) &&
      of_month + 7 > static_cast<unsigned>(last.day())) {
    return true;
  }
  return week.kind == static_cast<int>(of_week) &&
         (of_month - 1) / 7 + 1 == static_cast<unsigned>(week.nth);
}

std::optional<sys_seconds> ScheduleExpression::when(local_seconds time) const {
  if (!zone_) return sys_seconds(time.time_since_epoch());
  return zone_->first_time(time);
}

std::optional<Timestamp> ScheduleExpression::next_cron(Timestamp after) const {
  const sys_seconds from = floor<seconds>(after);
  const seconds offset = zone_ ? zone_->offset_at(from) : seconds(0);
  // A day before: clocks may have been turned back over midnight.
  sys_days day = floor<days>(from + offset) - days(1);
  const sys_days end = sys_days(year(kFirstYear + kYears) / January / 1);
  for (; day < end; day += days(1)) {
    const year_month_day date(day);
    const int at_year = static_cast<int>(date.year()) - kFirstYear;
    if (at_year < 0) continue;
    if (!years_.test(static_cast<std::size_t>(at_year)) ||
        !months_.test(static_cast<unsigned>(date.month()))) {
      // On to the next month.
      day = sys_days(date.year() / date.month() / std::chrono::last);
      continue;
    }
    if (!is_day(date)) continue;
    for (unsigned hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_.test(hour)) continue;
      for (unsigned minute = 0; minute < minutes_.size(); ++minute) {
        if (!minutes_.test(minute)) continue;
        const auto time =
            when(local_seconds(day.time_since_epoch() + hours(hour) + minutes(minute)));
        if (time && Timestamp(*time) > after) return Timestamp(*time);
      }
    }
  }
  return std::nullopt;
}

std::optional<Timestamp> ScheduleExpression::next(Timestamp after, Timestamp begin) const {
  switch (kind_) {
    case Kind::rate: {
      if (after < begin) return begin;
      const auto runs = (after - begin) / rate_ + 1;
      return begin + runs * rate_;
    }
    case Kind::at: {
      // A time that clocks skip is taken as if they had not.
      auto time = when(at_);
      if (!time) time = when(at_ + hours(1));
      if (!time || Timestamp(*time) <= after) return std::nullopt;
      return Timestamp(*time);
    }
    case Kind::cron:
      break;
  }
  return next_cron(after);
}

}  // namespace andon::base
