// SPDX-License-Identifier: Apache-2.0
#include "base/time/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace andon::base {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::milliseconds;
using std::chrono::year_month_day;

struct Broken {
  int year;
  unsigned month;
  unsigned day;
  std::int64_t hour;
  std::int64_t minute;
  std::int64_t second;
  std::int64_t millisecond;
  unsigned weekday;
};

Broken break_down(Timestamp time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> clock{time - day};
  return {static_cast<int>(date.year()),     static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), clock.hours().count(),
          clock.minutes().count(),           clock.seconds().count(),
          clock.subseconds().count(),        std::chrono::weekday{day}.c_encoding()};
}

// Reads digits at fixed places and literal characters between them.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& number) {
    if (rest_.size() < count) return false;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return false;
    }
    std::from_chars(rest_.data(), rest_.data() + count, number);
    rest_.remove_prefix(count);
    return true;
  }

  bool literal(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Up to nine digits behind a point, as milliseconds (further digits are cut).
  bool fraction(int& millis) {
    int weight = 100;
    std::size_t count = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' && count < 9) {
      millis += weight * (rest_.front() - '0');
      weight /= 10;
      rest_.remove_prefix(1);
      ++count;
    }
    return count > 0;
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

Timestamp SystemClock::now() const {
  return floor<milliseconds>(std::chrono::system_clock::now());
}

std::string to_iso8601(Timestamp time) {
  const Broken t = break_down(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.year, t.month, t.day, t.hour,
                     t.minute, t.second, t.millisecond);
}

std::string to_amz_date(Timestamp time) {
  const Broken t = break_down(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", t.year, t.month, t.day, t.hour, t.minute,
                     t.second);
}

std::string to_http_date(Timestamp time) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Broken t = break_down(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays.at(t.weekday), t.day,
                     kMonths.at(t.month - 1), t.year, t.hour, t.minute, t.second);
}

double to_epoch_seconds(Timestamp time) {
  return static_cast<double>(to_epoch_millis(time)) / 1000.0;
}

std::int64_t to_epoch_millis(Timestamp time) {
  return time.time_since_epoch().count();
}

Timestamp from_epoch_millis(std::int64_t millis) {
  return Timestamp{milliseconds{millis}};
}

std::optional<Timestamp> parse_iso8601(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millis = 0;
  Scanner scan(text);
  if (!scan.digits(4, year)) return std::nullopt;
  const bool extended = scan.literal('-');
  const auto separator = [&](char c) { return !extended || scan.literal(c); };
  const bool shaped = scan.digits(2, month) && separator('-') && scan.digits(2, day) &&
                      scan.literal('T') && scan.digits(2, hour) && separator(':') &&
                      scan.digits(2, minute) && separator(':') && scan.digits(2, second);
  if (!shaped) return std::nullopt;
  if (scan.literal('.') && !scan.fraction(millis)) return std::nullopt;
  if (!scan.literal('Z') || !scan.at_end()) return std::nullopt;
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + milliseconds{millis};
}

}  // namespace andon::base
