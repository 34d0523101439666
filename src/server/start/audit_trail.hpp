// SPDX-License-Identifier: Apache-2.0
// The server's audit log with all that belongs to it: its options, the syslog that it is told to,
// and what the server itself says in it: that it started, how, and that it ended. Owned by the
// server; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "control/commands/types.hpp"
#include "fleet/names/arn.hpp"
#include "server/options/server_options.hpp"
#include "server/start/data_directory.hpp"
#include "server/start/telemetry.hpp"
#include "wire/syslog/syslog.hpp"

namespace andon::server {

class AuditTrail {
 public:
  // Directory, clock and telemetry are kept by reference and must outlive it.
  AuditTrail(DataDirectory& data, const base::Clock& clock, const ServerOptions& options,
             Telemetry& telemetry);
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;
  // Says that the server ended.
  ~AuditTrail();

  // The server is ready.
  void say_started();
  // What came of a command to a device, whose beginning is the entry of the call. Does not wait.
  void say_ended(const control::CommandRecord& command, const fleet::Arns& arns);

  [[nodiscard]] control::AuditLog& log() { return log_; }
  [[nodiscard]] const control::AuditLog& log() const { return log_; }
  // Nothing where there is no syslog.
  [[nodiscard]] std::optional<wire::SyslogSender::Counts> syslog() const;

 private:
  void say(control::AuditEvent event);

  std::optional<wire::SyslogSender> syslog_;
  control::AuditLog log_;
  bool is_started_ = false;
};

// A command that somebody ran on a data directory, beside its server or without one: "Backup". Data
// that no server with an audit log has had yet is left alone. Throws where it cannot be recorded.
void record_local_command(const base::fs::path& data, std::string_view operation,
                          const base::fs::path& other);

}  // namespace andon::server
