// SPDX-License-Identifier: Apache-2.0
// Java's DateTimeFormatter patterns, as much as an object's key can hold: letters and slashes.
#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/error/error.hpp"
#include "edge/streams/exports/s3_task.hpp"

namespace andon::edge {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
constexpr std::size_t kShort = 3;
constexpr std::size_t kMostLetters = 9;

base::Error wrong(const std::string& why) {
  return {base::ErrorCode::invalid_argument, "key: " + why};
}

struct Moment {
  explicit Moment(base::Timestamp time)
      : day(std::chrono::floor<days>(time)),
        date(day),
        clock(std::chrono::floor<std::chrono::milliseconds>(time - day)),
        year(static_cast<int>(date.year())),
        month(static_cast<unsigned>(date.month())),
        weekday(std::chrono::weekday(day).c_encoding()),
        day_of_year((day - sys_days(date.year() / 1 / 1)).count() + 1) {
    week_year = year;
    const sys_days next = week_begin(year + 1);
    if (day >= next) ++week_year;
    week = (day - week_begin(week_year)).count() / 7 + 1;
  }

  // The Sunday on or before 1 January.
  static sys_days week_begin(int of_year) {
    const sys_days first = std::chrono::year(of_year) / 1 / 1;
    return first - days(std::chrono::weekday(first).c_encoding());
  }

  sys_days day;
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> clock;
  int year;
  unsigned month;
  unsigned weekday;  // 0: Sunday
  std::int64_t day_of_year;
  int week_year = 0;
  std::int64_t week = 0;
};

std::string padded(std::int64_t number, std::size_t width) {
  return fmt::format("{:0{}}", number, width);
}

std::string year_text(int year, std::size_t letters) {
  return letters == 2 ? padded(year % 100, 2) : padded(year, letters);
}

std::string name_text(std::string_view name, std::size_t letters) {
  if (letters == 5) return std::string(name.substr(0, 1));
  return std::string(letters == 4 ? name : name.substr(0, kShort));
}

std::string field_text(char letter, std::size_t letters, const Moment& moment) {
  const std::int64_t hour = moment.clock.hours().count();
  const auto number = [&](std::int64_t value) {
    if (letters > 2) throw wrong(std::string(letters, letter) + " has too many letters");
    return padded(value, letters);
  };
  switch (letter) {
    case 'y':
    case 'u':
      return year_text(moment.year, letters);
    case 'Y':
      return year_text(moment.week_year, letters);
    case 'M':
    case 'L':
      if (letters > 2 && letters <= 5) return name_text(kMonths.at(moment.month - 1), letters);
      return number(moment.month);
    case 'w':
      return number(moment.week);
    case 'd':
      return number(static_cast<unsigned>(moment.date.day()));
    case 'D':
      if (letters > 3) throw wrong("D has too many letters");
      return padded(moment.day_of_year, letters);
    case 'E':
      if (letters > 5) throw wrong("E has too many letters");
      return name_text(kDays.at(moment.weekday), letters);
    case 'e':
      return number(moment.weekday + 1);
    case 'a':
      if (letters > 1) throw wrong("a has too many letters");
      return hour < 12 ? "AM" : "PM";
    case 'H':
      return number(hour);
    case 'k':
      return number(hour == 0 ? 24 : hour);
    case 'K':
      return number(hour % 12);
    case 'h':
      return number(hour % 12 == 0 ? 12 : hour % 12);
    case 'm':
      return number(moment.clock.minutes().count());
    case 's':
      return number(moment.clock.seconds().count());
    case 'S':
      return (padded(moment.clock.subseconds().count(), 3) + "000000").substr(0, letters);
    default:
      throw wrong("the pattern letter '" + std::string(1, letter) + "' is not known");
  }
}

std::string pattern_text(std::string_view pattern, const Moment& moment) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const char letter = pattern[at];
    std::size_t end = at + 1;
    if (letter == '/') {
      text += letter;
    } else {
      while (end < pattern.size() && pattern[end] == letter) ++end;
      if (end - at > kMostLetters) throw wrong("a pattern has too many letters");
      text += field_text(letter, end - at, moment);
    }
    at = end;
  }
  return text;
}

}  // namespace

std::string resolve_key(std::string_view key, base::Timestamp time) {
  constexpr std::string_view kBegin = "!{";
  constexpr std::string_view kNamespace = "timestamp:";
  const Moment moment(time);
  std::string resolved;
  while (!key.empty()) {
    const std::size_t begin = key.find(kBegin);
    resolved += key.substr(0, begin);
    if (begin == std::string_view::npos) break;
    key.remove_prefix(begin + kBegin.size());
    const std::size_t end = key.find('}');
    if (end == std::string_view::npos) throw wrong("an expression has no end");
    const std::string_view expression = key.substr(0, end);
    if (!expression.starts_with(kNamespace)) {
      throw wrong("'" + std::string(expression) + "' is no expression: write !{timestamp:yyyy}");
    }
    const std::string_view pattern = expression.substr(kNamespace.size());
    if (pattern.empty()) throw wrong("an expression has no pattern");
    resolved += pattern_text(pattern, moment);
    key.remove_prefix(end + 1);
  }
  return resolved;
}

}  // namespace andon::edge
