// SPDX-License-Identifier: Apache-2.0
// What the broker has refused, for the server's audit log: gathered, bounded, and given as one
// message at a time. What is beyond the bound is counted. Not thread-safe: the broker has one
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/quota.hpp"

namespace andon::broker {

// Nobody can publish there but the broker itself.
inline constexpr std::string_view kRefusalsTopic = "$SYS/broker/andon/refusals";

// "connect", "publish", "subscribe"; texts as they came.
struct Refusal {
  std::string_view kind;
  std::string_view client_id;
  std::string_view address;
  std::string_view principal;    // its name, where it is known
  std::string_view fingerprint;  // of its certificate, where it has one
  std::string_view topic;
  std::string_view reason;
};

class RefusalReport {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void add(const Refusal& refusal, std::int64_t time_ms, TimePoint now);
  // {"refusals": [...], "leftOut": 7}; nothing where there is nothing to say.
  [[nodiscard]] std::optional<std::string> take();

 private:
  std::vector<std::string> told_;  // JSON objects
  std::uint64_t left_out_ = 0;
  base::Quota quota_;
};

}  // namespace andon::broker
