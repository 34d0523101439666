// SPDX-License-Identifier: Apache-2.0
// How many refused calls get an entry each: a few at once and one every five seconds of one source,
// and one a second of all; the others are counted, and one entry a minute says how many. So nobody
// who is refused can push the rest of the log out. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time/quota.hpp"

namespace andon::control {

class RefusalLimits {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  enum class Who : std::uint8_t { known, unknown };  // who has signed with a good key, or has not
  // Whether this one gets an entry. `source` is an address or a principal.
  [[nodiscard]] bool take(Who who, const std::string& source, TimePoint now);

  struct LeftOut {
    std::uint64_t count = 0;
    std::vector<std::string> sources;  // some of them
  };
  // Once a minute, where some were left out since the last time.
  [[nodiscard]] std::optional<LeftOut> left_out(TimePoint now);

 private:
  struct Class {
    base::Quota all;
    std::map<std::string, base::Quota> sources;
  };
  Class known_;
  Class unknown_;
  LeftOut left_out_;
  TimePoint told_{};
};

}  // namespace andon::control
