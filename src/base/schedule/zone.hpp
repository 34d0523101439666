// SPDX-License-Identifier: Apache-2.0
// Time zones by their IANA names, from the system's database (TZif, RFC 8536): what clocks show at
// an instant, and when they show a time. A zone is read once and does not change while the program
// runs. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::base {

class Zone {
 public:
  static constexpr std::size_t kMostBytes = 1U << 20U;  // of a zone's file

  // Throws invalid_argument for a name that the system does not know.
  [[nodiscard]] static std::shared_ptr<const Zone> find(const std::string& name);
  // From the bytes of a TZif file; throws invalid_argument where they are none.
  [[nodiscard]] static Zone parse(std::string_view bytes);

  // What clocks show beside UTC.
  [[nodiscard]] std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;
  // When clocks show `local` for the first time; nothing for a time that they skip.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> first_time(
      std::chrono::local_seconds local) const;

 private:
  // A day and a time at which clocks change, as POSIX's TZ has it: Mm.w.d, Jn or n.
  struct Change {
    enum class Kind : std::uint8_t { month_week_day, day_without_leap, day } kind = Kind::day;
    int month = 0, week = 0, day = 0;
    std::chrono::seconds time{7200};
  };
  // What holds after the last change that is listed.
  struct Rule {
    std::chrono::seconds standard{0};
    std::optional<std::chrono::seconds> summer;
    Change to_summer, to_standard;
  };
  struct Transition {
    std::int64_t at;
    std::chrono::seconds offset;
  };
  class RuleReader;
  static std::chrono::sys_seconds when(const Change& change, std::chrono::year year,
                                       std::chrono::seconds offset);
  std::chrono::seconds by_rule(std::chrono::sys_seconds time) const;

  std::chrono::seconds first_offset_{0};
  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;
};

}  // namespace andon::base
