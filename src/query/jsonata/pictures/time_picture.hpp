// SPDX-License-Identifier: Apache-2.0
// Date and time pictures ("[Y0001]-[M01]-[D01]") taken apart, and the calendar that both
// $fromMillis and $toMillis count by. Internal to JSONata; pure; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/jsonata/pictures/format_integer.hpp"

namespace andon::query::jsonata {

inline constexpr std::int64_t kMillisPerDay = 86'400'000;
inline constexpr std::array<std::string_view, 8> kDays = {
    "", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

// A stretch of a picture: literal text, or a component between brackets.
struct Part {
  std::string literal;
  char component = '\0';
  std::optional<IntegerPicture::Case> names;
  std::optional<IntegerPicture> integer;
  bool z_for_utc = false;  // the modifier 't'
  std::optional<std::size_t> most_width;
  double year_modulus = 0;
};

// Throws Error (D3132, D3133, D3135) for a malformed picture.
[[nodiscard]] std::vector<Part> read_picture(std::string_view picture);

// For a component that has no names.
[[noreturn]] void no_names(char component);

[[nodiscard]] std::int64_t floor_divide(std::int64_t value, std::int64_t by);
// Days since 1970-01-01 of any month number, as Date.UTC counts them.
[[nodiscard]] std::int64_t days_from(std::int64_t year, std::int64_t month0, std::int64_t day);

struct Moment {
  std::int64_t day = 0;  // since 1970-01-01
  std::int64_t year = 0;
  std::int64_t month0 = 0;
  std::int64_t month_day = 0;
  std::int64_t millis = 0;  // of the day

  explicit Moment(std::int64_t time) : day(floor_divide(time, kMillisPerDay)) {
    millis = time - day * kMillisPerDay;
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    year = static_cast<int>(date.year());
    month0 = static_cast<unsigned>(date.month()) - 1;
    month_day = static_cast<unsigned>(date.day());
  }
  [[nodiscard]] std::int64_t week_day() const {  // Monday is 1
    const std::int64_t sunday0 = ((day + 4) % 7 + 7) % 7;
    return sunday0 == 0 ? 7 : sunday0;
  }
};

// The number that a component ('Y', 'W', 'x', ...) has at a moment.
[[nodiscard]] std::int64_t number_of(const Moment& moment, char component);

}  // namespace andon::query::jsonata
