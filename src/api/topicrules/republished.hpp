// SPDX-License-Identifier: Apache-2.0
// What topic rules have published of late, and through how many rules it has come, so that rules
// which publish to each other in a circle are found: a message of the broker says nothing of where
// it is from. Bounded; the oldest are forgotten, and each after a minute. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time/time.hpp"

namespace andon::api {

class Republished {
 public:
  static constexpr std::size_t kMost = 20'000;
  static constexpr std::chrono::seconds kKept{60};

  explicit Republished(const base::Clock& clock) : clock_(clock) {}

  // Before it is published.
  void add(std::string_view topic, std::string_view payload, int hops);
  // Of a message that has come: 0 where no rule has published such a one.
  [[nodiscard]] int hops_of(std::string_view topic, std::string_view payload) const;

 private:
  struct Kept {
    int hops = 0;
    base::Timestamp time;
  };
  struct Added {
    std::string key;
    base::Timestamp time;
  };
  void forget_old(base::Timestamp now);

  const base::Clock& clock_;
  mutable std::mutex mutex_;                    // guards what follows
  std::unordered_map<std::string, Kept> kept_;  // by the digest of topic and payload
  std::deque<Added> order_;
};

}  // namespace andon::api
