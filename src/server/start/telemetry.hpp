// SPDX-License-Identifier: Apache-2.0
// What the server tells a collector of OpenTelemetry (--otlp): its own log, entries of the audit
// log, metrics. Without a collector it does nothing. Owned by the server, and made first, so that
// it hears all; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/log/log_listener.hpp"
#include "control/audit/types.hpp"
#include "server/options/server_options.hpp"
#include "wire/otlp/otlp_sender.hpp"

namespace andon::server {

class Telemetry {
 public:
  // Throws for headers that cannot be read.
  explicit Telemetry(const ServerOptions& options);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry() = default;

  // Does not wait.
  void tell(const control::AuditEntry& entry);

  // `page` is asked for until stop_metrics(), which waits for one that is being asked for.
  void start_metrics(std::function<std::string()> page);
  void stop_metrics();

  // Nothing where there is no collector.
  [[nodiscard]] std::optional<wire::OtlpSender::Counts> counts() const;

 private:
  std::optional<wire::OtlpSender> sender_;
  std::optional<base::LogListener> listener_;  // goes before the sender
};

}  // namespace andon::server
