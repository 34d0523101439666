// SPDX-License-Identifier: Apache-2.0
#include "server/start/server_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/os/file.hpp"
#include "base/text/id.hpp"
#include "broker/settings/mosquitto.hpp"
#include "server/backup/data_check.hpp"
#include "server/broker/listening_port.hpp"
#include "server/options/option_shapes.hpp"
#include "server/start/function_parts.hpp"
#include "store/objects/named_blobs.hpp"

namespace andon::server {

ServerOptions checked(ServerOptions options) {
  check_server_options(options);
  if (!options.api_certificate.empty() && is_loopback(options.api_address)) {
    refuse("--api-certificate: the API has no TLS on a loopback address; give an --api-address");
  }
  return options;
}

api::DeviceEndpoints endpoints_of(const ServerOptions& options, const Ports& ports) {
  return {.host = options.hosts.front(), .https_port = ports.device, .mqtt_port = ports.mqtt};
}

control::Retention retention_of(const ServerOptions& options) {
  using std::chrono::days;
  return {.deployments = days(options.keep_deployments_days),
          .uploads = days(options.keep_uploads_days),
          .events = days(options.keep_events_days)};
}

WorkflowTasks::Jobs jobs_of(const ServerOptions& options, const base::fs::path& data, JobLog& log) {
  return {.runner = {.directory = data / "jobs",
                     .program = find_job_keeper(),
                     .most_at_once = static_cast<std::size_t>(options.jobs.at_once),
                     .first_user = options.jobs.first_user,
                     .write_line = [&log](const job::JobOrder& order,
                                          std::string line) { log.write(order, std::move(line)); }},
          .policy = {.read_only = options.jobs.paths,
                     .hidden = {data},
                     .ports = options.jobs.ports,
                     .cgroup = options.jobs.cgroup}};
}

control::LogLimits log_limits_of(const ServerOptions& options) {
  control::LogLimits limits{.group_bytes = std::int64_t{options.log_group_mib} << 20U,
                            .total_bytes = std::int64_t{options.logs_mib} << 20U};
  if (options.keep_logs_days > 0) limits.keep = std::chrono::days(options.keep_logs_days);
  return limits;
}

control::ResultLimits result_limits_of(const ServerOptions& options) {
  return {.keep = std::chrono::days(options.keep_results_days),
          .total_bytes = std::int64_t{options.results_mib} << 20U};
}

control::AlarmLimits alarm_limits_of(const ServerOptions& options) {
  return {.disk_free_percent = options.alarm_disk_percent,
          .reject_percent = options.alarm_reject_percent,
          .least_judged = options.alarm_reject_least,
          .certificate = std::chrono::days(options.alarm_certificate_days)};
}

std::optional<control::DiskRoom> room_of(const base::fs::path& directory) {
  std::error_code error;
  const base::fs::space_info space = base::fs::space(directory, error);
  if (error) return std::nullopt;
  return control::DiskRoom{.free_bytes = space.available, .size_bytes = space.capacity};
}

api::MailOptions mail_options_of(const ServerOptions& options) {
  MailLogin login = mail_login_of(options.mail);
  return {.server = {.url = options.mail.url,
                     .user = std::move(login.user),
                     .password = std::move(login.password),
                     .tls = options.mail.is_plain ? wire::SmtpTls::off : wire::SmtpTls::required,
                     .ca_file = options.mail.ca_file},
          .from = options.mail.from,
          .to = options.mail.to};
}

api::SingleSignOnOptions sign_on_options_of(const ServerOptions& options) {
  return {.issuer = options.sign_on.issuer,
          .client_id = options.sign_on.client,
          .client_secret = sign_on_secret_of(options.sign_on),
          .roles = options.sign_on.roles,
          .ca_file = options.oidc_ca};
}

std::vector<std::string> consumers_of(const ServerOptions& options) {
  const auto& names = options.result_consumers;
  if (names.size() == 1 && names.front() == kNoConsumer) return {};
  return names;
}

features::RecordLimits feature_limits_of(const ServerOptions& options) {
  features::RecordLimits limits{.total_bytes = std::int64_t{options.features_mib} << 20U};
  if (options.keep_features_days > 0) {
    limits.keep_offline = std::chrono::days(options.keep_features_days);
  }
  return limits;
}

namespace {

// With what is written and not yet in its place.
std::uint64_t database_bytes(const base::fs::path& file) {
  std::uint64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code absent;
    const auto size = base::fs::file_size(file.string() + suffix, absent);
    if (!absent) bytes += size;
  }
  return bytes;
}

}  // namespace

api::StorageUse storage_use(const ServerOptions& options, const base::fs::path& data,
                            const store::Database& index, const api::BackupsState& backups) {
  const auto mib = [](int count) { return static_cast<std::uint64_t>(count) << 20U; };
  const auto size = [&](const char* file) { return database_bytes(data / file); };
  api::StorageUse use;
  use.stores = {{.name = "registry",
                 .bytes = size(kDatabaseFile),
                 .kept = {{"deployments", options.keep_deployments_days, "--keep-deployments"},
                          {"uploads", options.keep_uploads_days, "--keep-uploads"},
                          {"events", options.keep_events_days, "--keep-events"}}},
                {.name = "objects", .bytes = store::named_bytes(index)},
                {.name = "workflows",
                 .bytes = size(kWorkflowDatabaseFile),
                 .kept = {{"executions", options.keep_executions_days, "--keep-executions"}}},
                {.name = "results",
                 .bytes = size(kResultsDatabaseFile),
                 .limit_bytes = mib(options.results_mib),
                 .limit_option = "--results-mib",
                 .kept = {{"results", options.keep_results_days, "--keep-results"}}},
                {.name = "logs",
                 .bytes = size(kLogsDatabaseFile),
                 .limit_bytes = mib(options.logs_mib),
                 .limit_option = "--logs-mib",
                 .kept = {{"logs", options.keep_logs_days, "--keep-logs"}}},
                {.name = "features",
                 .bytes = size(kFeaturesDatabaseFile),
                 .limit_bytes = mib(options.features_mib),
                 .limit_option = "--features-mib",
                 .kept = {{"features", options.keep_features_days, "--keep-features"}}},
                {.name = "audit",
                 .bytes = size(kAuditDatabaseFile),
                 .limit_bytes = mib(options.audit_mib),
                 .limit_option = "--audit-mib",
                 .kept = {{"audit", options.keep_audit_days, "--keep-audit"}}}};
  api::StoreUse copies{.name = "backups"};
  for (const api::BackupFacts& one : backups.backups) copies.bytes += one.bytes;
  use.stores.push_back(std::move(copies));
  std::error_code error;
  const base::fs::space_info space = base::fs::space(data, error);
  if (!error) {
    use.free_bytes = space.available;
    use.size_bytes = space.capacity;
  }
  return use;
}

std::string host_of(const std::string& url) {
  return url.substr(url.find("://") + 3);
}

wire::TlsServerOptions tls_of(const Authority& authority) {
  return {.certificate_chain_pem = base::read_file(authority.server().certificate),
          .private_key_pem = base::read_file(authority.server().private_key),
          .client_ca_pem = {}};
}

wire::TlsServerOptions device_tls_of(const Authority& authority) {
  wire::TlsServerOptions tls = tls_of(authority);
  tls.client_ca_pem = authority.authority().certificate_pem;
  return tls;
}

BrokerOptions broker_options_of(const ServerOptions& options, const Ports& ports,
                                const base::fs::path& directory, const Authority& authority,
                                BrokerUsers users) {
  return {.directory = directory,
          .address = options.device_address,
          .port = ports.mqtt,
          .ca_file = authority.ca_file(),
          .certificate_file = authority.server().certificate,
          .private_key_file = authority.server().private_key,
          .program = options.mosquitto,
          .module = broker::find_broker_module(),
          .users_port = users == BrokerUsers::some ? ports.mqtt_users : std::uint16_t{0}};
}

wire::MqttOptions mqtt_options_of(const ServerOptions& options, const Ports& ports,
                                  const Authority& authority) {
  wire::MqttOptions mqtt;
  mqtt.host = options.device_address == "0.0.0.0" ? "127.0.0.1"
              : options.device_address == "::"    ? "::1"
                                                  : options.device_address;
  mqtt.port = ports.mqtt;
  // Not to be guessed: who connects with the id of another pushes it out.
  mqtt.client_id = "andon-server-" + base::random_uuid();
  mqtt.ca_file = authority.ca_file();
  mqtt.certificate_file = authority.server_client().certificate;
  mqtt.private_key = authority.server_client().private_key;
  mqtt.reconnect_minimum = std::chrono::milliseconds{50};
  mqtt.reconnect_maximum = std::chrono::milliseconds{2'000};
  return mqtt;
}

}  // namespace andon::server
