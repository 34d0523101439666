// SPDX-License-Identifier: Apache-2.0
// Room: schedule. When something is due: rate(), cron() and at() as EventBridge and its Scheduler
// have them, in any time zone.
//
// A run at a time of day that clocks skip is left out, one at a time that comes twice takes place
// once, the first time. A day of rate() is 24 hours. Pure; any thread.
#pragma once

#include <bitset>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/schedule/zone.hpp"
#include "base/time/time.hpp"

namespace andon::base {

class ScheduleExpression {
 public:
  enum class Kind : std::uint8_t { rate, cron, at };

  // Throws invalid_argument. `zone` is of cron() and at(); null: UTC.
  explicit ScheduleExpression(std::string_view text, std::shared_ptr<const Zone> zone = nullptr);

  [[nodiscard]] Kind kind() const { return kind_; }
  // The first run after `after`; nothing where there is none any more. rate() counts from `begin`,
  // which is its first run.
  [[nodiscard]] std::optional<Timestamp> next(Timestamp after, Timestamp begin) const;

 private:
  static constexpr int kFirstYear = 1970;
  static constexpr int kYears = 230;  // to 2199
  // The days of a month or week that need a calendar.
  struct Days {
    std::bitset<32> listed;
    bool any = false;
    bool last = false;          // L: the last of the month
    int last_less = 0;          // L-3
    bool last_weekday = false;  // LW
    int nearest_weekday = 0;    // 15W
    int last_of_kind = 0;       // 6L: the last Friday, counted from 1
    int kind = 0, nth = 0;      // 3#2: the second Tuesday
  };

  void read_rate(std::string_view text);
  void read_at(std::string_view text);
  void read_cron(std::string_view text);
  [[nodiscard]] bool is_day(std::chrono::year_month_day day) const;
  [[nodiscard]] std::optional<Timestamp> next_cron(Timestamp after) const;
  [[nodiscard]] std::optional<std::chrono::sys_seconds> when(std::chrono::local_seconds time) const;

  Kind kind_ = Kind::rate;
  std::shared_ptr<const Zone> zone_;
  std::chrono::minutes rate_{0};
  std::chrono::local_seconds at_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<13> months_;
  std::bitset<kYears> years_;
  Days day_of_month_;
  Days day_of_week_;
};

}  // namespace andon::base
