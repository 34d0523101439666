// SPDX-License-Identifier: Apache-2.0
#include "server/start/telemetry.hpp"

#include <unistd.h>

#include <utility>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "wire/syslog/syslog.hpp"

namespace andon::server {
namespace {

using wire::OtlpSeverity;

OtlpSeverity severity_of(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::debug:
      return OtlpSeverity::debug;
    case base::LogLevel::info:
      return OtlpSeverity::info;
    case base::LogLevel::warning:
      return OtlpSeverity::warning;
    case base::LogLevel::error:
      return OtlpSeverity::error;
  }
  return OtlpSeverity::info;
}

wire::OtlpOptions otlp_options(const ServerOptions& options) {
  wire::OtlpOptions made{.url = options.collector.url,
                         .headers = {},
                         .ca_file = options.collector.ca_file,
                         .resource = {{"service.name", "andon-server"},
                                      {"service.version", ANDON_VERSION},
                                      {"host.name", wire::host_name()},
                                      {"process.pid", std::to_string(getpid())}},
                         .metrics_every = std::chrono::seconds(options.collector.metrics_seconds)};
  if (!options.collector.headers.empty()) {
    made.headers = wire::read_otlp_headers(base::read_file(options.collector.headers));
  }
  return made;
}

}  // namespace

Telemetry::Telemetry(const ServerOptions& options) {
  if (options.collector.url.empty()) return;
  sender_.emplace(otlp_options(options));
  listener_.emplace([this](base::LogLevel level, std::string_view event,
                           std::initializer_list<base::LogField> fields) {
    wire::OtlpLogRecord record{.time = base::SystemClock().now(),
                               .severity = severity_of(level),
                               .scope = "andon.log",
                               .body = std::string(event)};
    for (const base::LogField& field : fields) {
      record.attributes.emplace_back(field.name, field.value);
    }
    sender_->send(std::move(record));
  });
}

void Telemetry::tell(const control::AuditEntry& entry) {
  if (!sender_) return;
  const bool is_ok = entry.event.outcome == control::AuditOutcome::ok;
  sender_->send({.time = entry.event.time,
                 .severity = is_ok ? OtlpSeverity::info : OtlpSeverity::warning,
                 .scope = "andon.audit",
                 .body = entry.content,
                 .attributes = {{"sequence", std::to_string(entry.sequence)},
                                {"hash", entry.hash},
                                {"service", entry.event.service},
                                {"operation", entry.event.operation},
                                {"principal", entry.event.principal}}});
}

void Telemetry::start_metrics(std::function<std::string()> page) {
  if (sender_) sender_->start_metrics(std::move(page));
}

void Telemetry::stop_metrics() {
  if (sender_) sender_->stop_metrics();
}

std::optional<wire::OtlpSender::Counts> Telemetry::counts() const {
  if (!sender_) return std::nullopt;
  return sender_->counts();
}

}  // namespace andon::server
