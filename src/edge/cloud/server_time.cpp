// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/server_time.hpp"

#include "base/log/log.hpp"

namespace andon::edge {
namespace {

// Answers have whole seconds and take a while; signatures hold up to a quarter of an hour.
constexpr std::chrono::minutes kWorthAWarning{5};

}  // namespace

base::Timestamp ServerTime::now() const {
  if (!told_) return own_.now();
  return told_->time +
         std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - told_->at);
}

void ServerTime::learn(base::Timestamp server_now) {
  told_ = {server_now, loop_.now()};
  const auto ahead = own_.now() - server_now;
  const bool is_off = std::chrono::abs(ahead) > kWorthAWarning;
  if (is_off && !has_warned_) {
    base::log_warning(
        "this device's clock is not the server's; set it (NTP)",
        {{"aheadSeconds", ahead.count() / 1000}, {"server", base::to_iso8601(server_now)}});
  }
  has_warned_ = is_off;
}

std::optional<std::chrono::milliseconds> ServerTime::own_is_ahead() const {
  if (!told_) return std::nullopt;
  return own_.now() - now();
}

}  // namespace andon::edge
