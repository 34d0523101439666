// SPDX-License-Identifier: Apache-2.0
#include "asl/data/time_text.hpp"

#include <charconv>

namespace andon::asl {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  bool take(char wanted) {
    if (text_.empty() || text_[0] != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Nanoseconds of ".123456".
  std::optional<int> fraction() {
    if (!take('.')) return 0;
    int nanos = 0;
    int scale = 100'000'000;
    std::size_t count = 0;
    while (const auto digit = digits(1)) {
      nanos += *digit * scale;
      scale /= 10;
      ++count;
    }
    if (count == 0) return std::nullopt;
    return nanos;
  }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

std::optional<PreciseTime> parse_precise_time(std::string_view text) {
  Reader reader(text);
  const auto year = reader.digits(4);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.digits(2);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.digits(2);
  if (!day || !reader.take('T')) return std::nullopt;
  const auto hour = reader.digits(2);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.digits(2);
  if (!minute || !reader.take(':')) return std::nullopt;
  const auto second = reader.digits(2);
  if (!second) return std::nullopt;
  const auto nanos = reader.fraction();
  if (!nanos) return std::nullopt;
  int offset = 0;
  if (!reader.take('Z')) {
    const bool minus = reader.take('-');
    if (!minus && !reader.take('+')) return std::nullopt;
    const auto hours = reader.digits(2);
    if (!hours || !reader.take(':')) return std::nullopt;
    const auto minutes = reader.digits(2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    offset = (*hours * 60 + *minutes) * (minus ? -1 : 1);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!reader.at_end() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  constexpr int kNanosPerMilli = 1'000'000;
  return PreciseTime{std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                         std::chrono::minutes(*minute - offset) + std::chrono::seconds(*second) +
                         std::chrono::milliseconds(*nanos / kNanosPerMilli),
                     *nanos % kNanosPerMilli};
}

std::optional<base::Timestamp> parse_rfc3339(std::string_view text) {
  const auto precise = parse_precise_time(text);
  return precise ? std::optional(precise->time) : std::nullopt;
}

}  // namespace andon::asl
