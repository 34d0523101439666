// SPDX-License-Identifier: Apache-2.0
// How often somebody may try to sign in: of one user from one address five times at once and then
// once in half a minute; from one address, and for one user, more. What succeeds is given back, so
// that only failures count, and counted before it is tried, so that many at once do not get more. A
// table of a fixed size: beyond it, whoever is new shares one place with all that are. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace andon::control {

struct Attempt {
  std::string user;     // a name or the id of a key, as it was sent; or a digest of what was sent
  std::string address;  // "127.0.0.1", "fe80::1"; of IPv6 the first 64 bits count
};

class AttemptLimits {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Throws resource_exhausted, with how long to wait.
  void take(const Attempt& attempt, TimePoint now = std::chrono::steady_clock::now());
  // The attempt was right.
  void give_back(const Attempt& attempt);

  [[nodiscard]] std::size_t size() const;
  static constexpr std::size_t kMost = 10'000;

 private:
  struct Rate {
    double at_once;
    std::chrono::seconds each;
  };
  struct Place {
    double left;
    Rate rate;
    TimePoint filled;
  };
  static void fill(Place& place, TimePoint now);
  void make_room(TimePoint now);
  [[nodiscard]] Place& place_of(const std::string& key, const Rate& rate, TimePoint now);

  mutable std::mutex mutex_;
  std::map<std::string, Place> places_;
  TimePoint swept_{};
};

}  // namespace andon::control
