// SPDX-License-Identifier: Apache-2.0
// Time: the clock that programs are handed, so that tests can turn it, and its text forms.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace andon::base {

// UTC wall-clock time in milliseconds: what is stored and sent.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
};

[[nodiscard]] std::string to_iso8601(Timestamp time);    // 2026-11-22T10:00:00.123Z
[[nodiscard]] std::string to_amz_date(Timestamp time);   // 20261122T100000Z
[[nodiscard]] std::string to_http_date(Timestamp time);  // Sun, 22 Nov 2026 10:00:00 GMT
[[nodiscard]] double to_epoch_seconds(Timestamp time);   // 1795341600.123, as AWS's JSON has it
[[nodiscard]] std::int64_t to_epoch_millis(Timestamp time);
[[nodiscard]] Timestamp from_epoch_millis(std::int64_t millis);

// Both forms of ISO 8601 that andon meets: 2026-11-22T10:00:00[.123]Z and 20261122T100000Z.
[[nodiscard]] std::optional<Timestamp> parse_iso8601(std::string_view text);

}  // namespace andon::base
