// SPDX-License-Identifier: Apache-2.0
#include "query/rulesql/rule_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMostPattern = 200;
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// A run of one letter, or a text.
struct Piece {
  char letter = 0;  // 0: text
  std::string text;
};

std::optional<std::vector<Piece>> read_pattern(std::string_view pattern) {
  if (pattern.size() > kMostPattern) return std::nullopt;
  std::vector<Piece> pieces;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const char c = pattern[at];
    if (c == '\'') {
      const std::size_t end = pattern.find('\'', at + 1);
      if (end == std::string_view::npos) return std::nullopt;
      // Two of them are one.
      pieces.push_back(
          {0, end == at + 1 ? "'" : std::string(pattern.substr(at + 1, end - at - 1))});
      at = end + 1;
      continue;
    }
    if (!base::is_letter(c)) {
      pieces.push_back({0, std::string(1, c)});
      ++at;
      continue;
    }
    if (std::string_view("yMdHmsSEZX").find(c) == std::string_view::npos) return std::nullopt;
    const std::size_t end = std::min(pattern.find_first_not_of(c, at), pattern.size());
    pieces.push_back({c, std::string(pattern.substr(at, end - at))});
    at = end;
  }
  return pieces;
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// How many digits of a number are read: all where the run is one letter.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t width) {
  constexpr std::size_t kLongest = 9;
  std::size_t count = 0;
  const std::size_t most = width <= 1 ? kLongest : width;
  while (count < std::min(most, text.size()) && base::is_digit(text[count])) ++count;
  const auto number = base::parse_int64(text.substr(0, count));
  text.remove_prefix(count);
  return number;
}

template <std::size_t Size>
std::optional<std::int64_t> take_name(std::string_view& text,
                                      const std::array<std::string_view, Size>& names) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (!base::equal_ignoring_case(text.substr(0, names[i].size()), names[i])) continue;
    text.remove_prefix(names[i].size());
    return static_cast<std::int64_t>(i);
  }
  return std::nullopt;
}

// "Z", "+0200", "+02:00", in minutes.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return 0;
  }
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const std::int64_t sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (text.starts_with(':')) text.remove_prefix(1);
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

struct Fields {
  std::int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, milli = 0;
  std::int64_t zone = 0;  // minutes
};

bool take(const Piece& piece, std::string_view& text, Fields& fields) {
  const std::size_t width = piece.text.size();
  const auto into = [](std::int64_t& field, std::optional<std::int64_t> value) {
    if (value) field = *value;
    return value.has_value();
  };
  switch (piece.letter) {
    case 0:
      if (!text.starts_with(piece.text)) return false;
      text.remove_prefix(piece.text.size());
      return true;
    case 'y':
      if (!into(fields.year, take_number(text, width))) return false;
      if (width == 2) fields.year += 2000;
      return true;
    case 'M':
      if (width < 3) return into(fields.month, take_number(text, width));
      if (!into(fields.month, take_name(text, kMonths))) return false;
      ++fields.month;
      return true;
    case 'd':
      return into(fields.day, take_number(text, width));
    case 'H':
      return into(fields.hour, take_number(text, width));
    case 'm':
      return into(fields.minute, take_number(text, width));
    case 's':
      return into(fields.second, take_number(text, width));
    case 'S':
      return into(fields.milli, take_number(text, std::max<std::size_t>(width, 3)));
    case 'E':
      return take_name(text, kDays).has_value();
    default:
      return into(fields.zone, take_zone(text));
  }
}

}  // namespace

std::optional<std::string> format_rule_time(std::string_view pattern, base::Timestamp time) {
  const auto pieces = read_pattern(pattern);
  if (!pieces) return std::nullopt;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string made;
  for (const Piece& piece : *pieces) {
    const std::size_t width = piece.text.size();
    const auto month = static_cast<unsigned>(date.month());
    switch (piece.letter) {
      case 0:
        made += piece.text;
        break;
      case 'y':
        made += width == 2 ? padded(static_cast<int>(date.year()) % 100, 2)
                           : padded(static_cast<int>(date.year()), width);
        break;
      case 'M':
        made += width < 3 ? padded(month, width) : std::string(kMonths[month - 1]);
        break;
      case 'd':
        made += padded(static_cast<unsigned>(date.day()), width);
        break;
      case 'H':
        made += padded(clock.hours().count(), width);
        break;
      case 'm':
        made += padded(clock.minutes().count(), width);
        break;
      case 's':
        made += padded(clock.seconds().count(), width);
        break;
      case 'S':
        made += padded(clock.subseconds().count(), 3).substr(0, width);
        break;
      case 'E':
        made += kDays[std::chrono::weekday(day).c_encoding()];
        break;
      case 'Z':
        made += "+0000";
        break;
      default:
        made += 'Z';
    }
  }
  return made;
}

std::optional<base::Timestamp> parse_rule_time(std::string_view pattern, std::string_view text) {
  const auto pieces = read_pattern(pattern);
  if (!pieces) return std::nullopt;
  Fields fields;
  for (const Piece& piece : *pieces) {
    if (!take(piece, text, fields)) return std::nullopt;
  }
  constexpr std::int64_t kLastYear = 9999;
  if (!text.empty() || fields.year > kLastYear || fields.hour > 23 || fields.minute > 59 ||
      fields.second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(fields.year)),
                                         std::chrono::month(static_cast<unsigned>(fields.month)),
                                         std::chrono::day(static_cast<unsigned>(fields.day)));
  if (!date.ok()) return std::nullopt;
  return base::Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(fields.hour) +
         std::chrono::minutes(fields.minute - fields.zone) + std::chrono::seconds(fields.second) +
         std::chrono::milliseconds(fields.milli);
}

}  // namespace andon::query
