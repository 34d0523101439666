// SPDX-License-Identifier: Apache-2.0
// How many of the parts that a device has judged within the last hour it rejects (verdict NG), by
// device. It reads each result once, in the order in which they came. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct RejectRate {
  std::int64_t judged = 0;  // results with a verdict
  std::int64_t rejected = 0;
  [[nodiscard]] double percent() const {
    constexpr double kPercent = 100;
    return judged == 0 ? 0 : kPercent * static_cast<double>(rejected) / static_cast<double>(judged);
  }
};

class RejectRates {
 public:
  static constexpr std::chrono::minutes kWindow{60};

  // `results` is the results' own database, and outlives this.
  explicit RejectRates(const store::Database& results) : results_(results) {}

  // Of each device that has judged a part within the window before `now`.
  [[nodiscard]] std::map<std::string, RejectRate> count(base::Timestamp now);

 private:
  struct Minute {
    std::int64_t minute = 0;
    RejectRate rate;
  };
  void read_new(base::Timestamp now);

  const store::Database& results_;
  std::int64_t last_id_ = -1;  // nothing has been read
  std::map<std::string, std::deque<Minute>> things_;
};

}  // namespace andon::control
