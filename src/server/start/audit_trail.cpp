// SPDX-License-Identifier: Apache-2.0
#include "server/start/audit_trail.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "fleet/command/command_request.hpp"
#include "server/backup/data_check.hpp"

namespace andon::server {
namespace {

using control::AuditEntry;
using control::AuditEvent;
using control::AuditLog;

// A larger one is told without what makes it large.
constexpr std::size_t kMostSyslogBytes = 32'768;

wire::SyslogMessage to_syslog(const AuditEntry& entry) {
  std::string text = "{\"hash\":\"" + entry.hash + "\",";
  if (entry.content.size() <= kMostSyslogBytes) {
    text += "\"entry\":" + entry.content + "}";
  } else {
    text += "\"sequence\":" + std::to_string(entry.sequence) +
            ",\"leftOut\":" + std::to_string(entry.content.size()) + "}";
  }
  return {.severity = entry.event.outcome == control::AuditOutcome::ok
                          ? wire::SyslogSeverity::notice
                          : wire::SyslogSeverity::warning,
          .time = entry.event.time,
          .id = "audit",
          .text = std::move(text)};
}

control::AuditOptions audit_options(const DataDirectory& data, const ServerOptions& options,
                                    std::optional<wire::SyslogSender>& syslog,
                                    Telemetry& telemetry) {
  control::AuditOptions made{.key = data.audit_key(),
                             .limits = {.keep = std::chrono::days(options.keep_audit_days),
                                        .total_bytes = std::int64_t{options.audit_mib} << 20U},
                             .anchor_file = data.path() / kAuditAnchorFile};
  made.on_recorded = [&syslog, &telemetry](const AuditEntry& entry) {
    if (syslog) syslog->send(to_syslog(entry));
    telemetry.tell(entry);
  };
  return made;
}

std::optional<wire::SyslogSender> syslog_of(const ServerOptions& options) {
  if (options.audit_syslog.empty()) return std::nullopt;
  return std::optional<wire::SyslogSender>(
      std::in_place, wire::parse_syslog_target(options.audit_syslog), "andon-server");
}

AuditEvent of_server(base::Timestamp now, std::string_view operation) {
  return {.time = now,
          .via = std::string(control::audit_via::kServer),
          .principal = "server",
          .name = "server",
          .service = "andon",
          .operation = std::string(operation)};
}

std::int64_t newest(const AuditLog& log, std::string_view operation) {
  const auto page = log.list({.filter = {.operation = std::string(operation)}, .limit = 1});
  return page.entries.empty() ? 0 : page.entries.front().sequence;
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t user = getuid();
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

}  // namespace

AuditTrail::AuditTrail(DataDirectory& data, const base::Clock& clock, const ServerOptions& options,
                       Telemetry& telemetry)
    : syslog_(syslog_of(options)),
      log_(data.audit_database(), clock, audit_options(data, options, syslog_, telemetry)) {}

AuditTrail::~AuditTrail() {
  if (is_started_) say(of_server(log_.now(), "StopServer"));
}

// A full disk neither keeps the server from starting nor from ending.
void AuditTrail::say(AuditEvent event) {
  const std::string operation = event.operation;
  try {
    log_.write(std::move(event));
  } catch (const base::Error& error) {
    base::log_error("what the server says of itself is not in its audit log yet",
                    {{"operation", operation}, {"reason", error.message()}});
  }
}

void AuditTrail::say_started() {
  AuditEvent event = of_server(log_.now(), "StartServer");
  // What was changed in the moment before may lack its entry.
  if (newest(log_, "StartServer") > newest(log_, "StopServer")) {
    event.detail = "the server before did not end in order";
  }
  is_started_ = true;
  say(std::move(event));
}

void AuditTrail::say_ended(const control::CommandRecord& command, const fleet::Arns& arns) {
  AuditEvent event = of_server(log_.now(), "EndCommand");
  event.principal = command.asker.principal;
  event.name = command.asker.name;
  event.principal_arn = command.asker.principal_arn;
  // As the call that began it has them.
  const bool is_free_hand = fleet::is_free_hand(fleet::command_kind(command.kind));
  event.resources = {"arn:aws:andon:" + arns.region() + ":" + arns.account() + ":" +
                     (is_free_hand ? "thing/" : "command/" + command.kind + "/") + command.thing};
  if (command.outcome.status != control::CommandStatus::succeeded) {
    event.outcome = control::AuditOutcome::error;
    event.error_code = command.outcome.error_code;
  }
  event.detail = command.what + ": " + std::string(to_string(command.outcome.status)) +
                 ", command " + command.id;
  log_.submit(std::move(event), [](const std::exception_ptr&) {});
}

std::optional<wire::SyslogSender::Counts> AuditTrail::syslog() const {
  if (!syslog_) return std::nullopt;
  return syslog_->counts();
}

void record_local_command(const base::fs::path& data, std::string_view operation,
                          const base::fs::path& other) {
  if (!base::fs::exists(data / kAuditDatabaseFile) || !base::fs::exists(data / kAuditKeyFile)) {
    return;
  }
  const auto database =
      store::open_sqlite(data / kAuditDatabaseFile, {.absent = store::IfAbsent::refuse});
  const base::SystemClock clock;
  AuditLog log(*database, clock,
               {.key = read_audit_key(data), .anchor_file = data / kAuditAnchorFile});
  const std::string user = user_name();
  AuditEvent event = of_server(clock.now(), operation);
  event.via = control::audit_via::kLocal;
  event.principal = "local/" + user;
  event.name = user;
  event.resources = {base::fs::absolute(other).string()};
  log.write(std::move(event));
}

}  // namespace andon::server
