// SPDX-License-Identifier: Apache-2.0
// How many bytes have gone over the link in the last hour and the last day: both move on with the
// time, so that there is no full hour at which a device may send twice as much. The time is one
// that nobody sets: that of the boot, and from one boot to the next what the wall clock says has
// gone by, never less than nothing. So a clock that is set back gives no bytes, and one that is set
// while the device runs changes nothing. Pure, handed its times; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::edge {

class VolumeMeter {
 public:
  struct Now {
    std::string boot_id;
    std::chrono::milliseconds since_boot{0};
    base::Timestamp wall;
  };

  explicit VolumeMeter(const Now& now) : begin_(now) {}
  // As it was kept. Throws base::Error(invalid_argument) for what to_text() does not write.
  VolumeMeter(std::string_view kept, const Now& now);
  [[nodiscard]] std::string to_text(const Now& now) const;

  void add(std::uint64_t bytes, const Now& now);
  [[nodiscard]] std::uint64_t in_last(std::chrono::minutes span, const Now& now) const;
  // How long until `bytes` more are within `limit` for the span; 0: they are. More than the limit
  // itself are within it where there were none.
  [[nodiscard]] std::chrono::milliseconds until_fits(std::uint64_t bytes, std::uint64_t limit,
                                                     std::chrono::minutes span,
                                                     const Now& now) const;

  // Bytes count until the end of their slot has left the span.
  static constexpr std::chrono::minutes kSlot{5};
  static constexpr std::chrono::minutes kHour{60};
  static constexpr std::chrono::minutes kDay{24 * 60};

 private:
  struct Slot {
    std::int64_t number = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] std::chrono::milliseconds time(const Now& now) const;

  Now begin_;                            // of this boot, or of this process
  std::chrono::milliseconds offset_{0};  // the meter's time at begin_
  std::deque<Slot> slots_;               // numbers ascending, none older than a day
};

}  // namespace andon::edge
