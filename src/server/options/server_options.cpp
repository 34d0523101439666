// SPDX-License-Identifier: Apache-2.0
#include "server/options/server_options.hpp"

#include <CLI/CLI.hpp>
#include <iterator>

#include "api/endpoints/allowed_hosts.hpp"
#include "api/git/git_places.hpp"
#include "base/text/ascii.hpp"
#include "fleet/messages/job_message.hpp"
#include "fleet/names/topic.hpp"
#include "server/options/option_shapes.hpp"
#include "wire/http/url.hpp"
#include "wire/syslog/syslog.hpp"

namespace andon::server {
namespace {

constexpr std::size_t kMaxHosts = 100;

bool is_host(const std::string& text) {
  return text.size() <= 253 && base::is_name_of(text, "-.:");
}

void check_hosts(const std::vector<std::string>& hosts) {
  if (hosts.empty() || hosts.size() > kMaxHosts) refuse("--host must name 1 to 100 hosts");
  for (const std::string& host : hosts) {
    if (!is_host(host)) refuse("--host '" + host + "' is not a host name or an IP address");
  }
}

void check_consumers(const std::vector<std::string>& names) {
  if (names.size() > fleet::kMaxResultConsumers) {
    refuse("--result-consumers may name at most " + std::to_string(fleet::kMaxResultConsumers));
  }
  for (const std::string& name : names) {
    if (!fleet::is_consumer_name(name)) {
      refuse("--result-consumers '" + name + "' is not a name of 1 to 64 of [a-zA-Z0-9_-]");
    }
    if (name == kNoConsumer && names.size() > 1) refuse("--result-consumers none stands alone");
  }
}

void check_console_url(const std::string& url) {
  if (url.empty()) return;
  const auto read = wire::read_url(url);
  if (!read || url.ends_with('/') || read->path != "/" || !read->query.empty()) {
    refuse("--console-url '" + url + "' must be https://HOST[:PORT], without a path");
  }
}

void check_ports(const ServerOptions& options) {
  const std::uint16_t ports[] = {options.api_port, options.device_port, options.mqtt_port,
                                 options.mqtt_users_port};
  for (std::size_t i = 0; i < std::size(ports); ++i) {
    for (std::size_t j = i + 1; j < std::size(ports); ++j) {
      if (ports[i] != 0 && ports[i] == ports[j]) {
        refuse(
            "--api-port, --device-port, --mqtt-port and --mqtt-users-port must differ; two are " +
            std::to_string(ports[i]));
      }
    }
  }
}

}  // namespace

void add_server_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--data", options.data, "Data directory; made if absent")
      ->type_name("DIR")
      ->required();
  add_value_with_default(app, "--api-address", options.api_address, "ADDRESS",
                         "Where the operator API listens; TLS unless it is a loopback address");
  add_value_with_default(app, "--api-port", options.api_port, "PORT",
                         "Its port; 0 is any free one");
  add_value(app, "--api-certificate", options.api_certificate, "FILE",
            "PEM file with the plant's own certificate for --api-address, and those between it and "
            "its authority; read again when it changes, and on SIGHUP. Else the server's own CA "
            "signs");
  add_value(app, "--api-key", options.api_key, "FILE",
            "PEM file with its private key, without a password, which only its owner and group may "
            "read");
  add_value_with_default(app, "--device-address", options.device_address, "ADDRESS",
                         "Where devices are listened for (HTTPS and MQTT, both with mutual TLS)");
  add_value_with_default(app, "--device-port", options.device_port, "PORT",
                         "HTTPS port for devices; 0 is any free one");
  add_value_with_default(app, "--mqtt-port", options.mqtt_port, "PORT",
                         "MQTT port for devices; 0 is any free one");
  add_value_with_default(
      app, "--mqtt-users-port", options.mqtt_users_port, "PORT",
      "MQTT port for consumers with name and password (TLS); listened on once there is "
      "such a consumer; 0 is any free one");
  add_value_with_default(
      app, "--host", options.hosts, "NAME",
      "Names and addresses by which this server is reached; devices are given the first");
  add_value_with_default(app, "--region", options.region, "REGION",
                         "AWS region that ARNs are written with");
  const auto add_days = [&app](const char* name, int& days, const char* help) {
    add_number(app, name, days, {"DAYS", 1, 36'500}, help);
  };
  add_days("--device-certificate-days", options.device_certificate_days,
           "How long a device's certificate is good; the agent renews it when a third is left");
  add_days("--keep-deployments", options.keep_deployments_days,
           "How long deployments are kept that a newer one has replaced, with their jobs");
  add_days("--keep-uploads", options.keep_uploads_days,
           "How long a multipart upload may take before it is aborted");
  add_days("--keep-events", options.keep_events_days,
           "How long word of changes is kept for parts of the server that have not read it");
  app.add_flag("--disk-encrypted", options.disk_is_encrypted,
               "The disk that --data lies on is encrypted: uploads that ask for encryption at rest "
               "(x-amz-server-side-encryption AES256 or aws:kms, without a key of their own) are "
               "taken, and not refused");
  add_job_options(app, options.jobs);
  add_function_options(app, options.functions);
  add_number(app, "--device-uploads", options.device_uploads_gib, {"GIB", 1, 1'000'000},
             "How much one device may have in bucket andon-uploads");
  add_days("--keep-executions", options.keep_executions_days,
           "How long executions of state machines are kept after their end, with their histories");
  add_number(app, "--keep-logs", options.keep_logs_days, {"DAYS", 0, 36'500},
             "How long log events are kept of groups that have no retention of their own; 0 is "
             "until there is no room");
  const auto add_mib = [&app](const char* name, int& mib, const char* help) {
    add_number(app, name, mib, {"MIB", 1, 1'048'576}, help);
  };
  add_mib("--log-group-mib", options.log_group_mib,
          "Room for the events of one log group; its oldest go first");
  add_mib("--logs-mib", options.logs_mib,
          "Room for all log events; the oldest of the largest group go first");
  add_days("--keep-results", options.keep_results_days,
           "How long results of devices are kept, with what was said of them");
  add_mib("--results-mib", options.results_mib,
          "Room for all results; the oldest of the device with most go first");
  add_number(app, "--keep-features", options.keep_features_days, {"DAYS", 0, 36'500},
             "How long rows of feature groups' offline stores are kept for queries once they "
             "are in S3; 0 is until there is no room");
  add_mib("--features-mib", options.features_mib,
          "Room for the feature store; rows that are in S3 go first, then nothing more is taken");
  add_number(app, "--feature-export", options.feature_export_seconds, {"SECONDS", 1, 86'400},
             "How long a row of an offline store waits for its object in S3");
  add_number(app, "--query-seconds", options.query_seconds, {"SECONDS", 1, 86'400},
             "How long a query (Athena) may run");
  add_days("--keep-audit", options.keep_audit_days, "How long entries of the audit log are kept");
  add_mib("--audit-mib", options.audit_mib, "Room for the audit log; its oldest entries go first");
  add_value(app, "--backups", options.backups, "DIR",
            "Where the backups go that the API is asked for (andon backup create): a directory, "
            "best on another disk; else `backups` below --data");
  add_number(app, "--keep-backups", options.keep_backups, {"COUNT", 1, 1000},
             "How many of these are kept; the oldest go");
  add_number(app, "--alarm-disk", options.alarm_disk_percent, {"PERCENT", 0, 99},
             "An alarm is raised where less than this is free of the server's or a device's disk; "
             "0: none");
  add_number(app, "--alarm-rejects", options.alarm_reject_percent, {"PERCENT", 0, 99},
             "An alarm is raised where a device has rejected more than this of its parts within "
             "an hour; 0: none");
  add_number(app, "--alarm-rejects-of", options.alarm_reject_least, {"COUNT", 1, 1'000'000},
             "Of fewer parts within the hour nothing is said");
  add_number(app, "--alarm-certificate", options.alarm_certificate_days, {"DAYS", 0, 3650},
             "An alarm is raised where a device's certificate ends within so many days; 0: none");
  add_value(app, "--audit-syslog", options.audit_syslog, "TARGET",
            "Where each entry of the audit log is told, too: unix:/dev/log, udp:HOST:PORT or "
            "tcp:HOST:PORT (RFC 5424)");
  add_collector_options(app, options.collector);
  add_mail_options(app, options.mail);
  add_value_with_default(
      app, "--result-consumers", options.result_consumers, "NAME",
      "Who must have stored a result before its device forgets it: `server` is the "
      "server's own store; `none` alone: it is enough that a subscriber has it");
  add_value(app, "--http-allow", options.http_allow, "HOST",
            "Hosts that workflows may call (http:invoke): HOST, HOST:PORT, *.DOMAIN, or with "
            "http:// before it");
  add_value(app, "--git-allow", options.git_allow, "PLACE",
            "Repositories that builds may fetch and that may be watched: HOST, HOST:PORT, "
            "*.DOMAIN, http://HOST, or a directory (file:///DIRECTORY/...)");
  app.add_option_function<std::vector<std::string>>(
         "--oidc-keys",
         [&options](const std::vector<std::string>& given) {
           for (const std::string& one : given) {
             const std::size_t equals = one.find('=');
             if (!one.starts_with("https://") || equals == std::string::npos ||
                 equals + 1 == one.size()) {
               throw CLI::ValidationError("--oidc-keys",
                                          "must be ISSUER=FILE or ISSUER=URL, where "
                                          "the issuer begins with https://");
             }
             options.oidc_keys[one.substr(0, equals)] = one.substr(equals + 1);
           }
         },
         "Where the key set (JWKS) of an OpenID provider is, ISSUER=FILE or ISSUER=URL; else it is "
         "found by the issuer's discovery document")
      ->type_name("ISSUER=PLACE");
  add_value(app, "--oidc-ca", options.oidc_ca, "FILE",
            "PEM file with the authorities that are believed there; else the system's");
  add_sign_on_options(app, options.sign_on);
  add_value(app, "--console-url", options.console_url, "URL",
            "How people reach the console, where a proxy stands before it: https://HOST; else as "
            "the browser asks");
  add_value(app, "--http-ca", options.http_ca, "FILE",
            "PEM file with the authorities that are believed there; else the system's");
  add_value(app, "--packages", options.packages, "DIR",
            "Repository of Debian packages (./dev package --repository DIR), which anybody may "
            "read at https://HOST:PORT/packages/ of the device port; it may come later");
  add_value_with_default(app, "--mosquitto", options.mosquitto, "PROGRAM", "The broker's program");
}

void check_server_options(const ServerOptions& options) {
  check_job_options(options.jobs);
  check_function_options(options.functions);
  check_hosts(options.hosts);
  if (options.api_certificate.empty() != options.api_key.empty()) {
    refuse("--api-certificate and --api-key go together; one of them is missing");
  }
  if (options.region.empty() || options.region.find_first_not_of(
                                    "abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    refuse("--region '" + options.region + "' is not a region's name, such as us-east-1");
  }
  check_consumers(options.result_consumers);
  if (options.git_allow.size() > kMaxHosts) refuse("--git-allow may name at most 100 places");
  check_option("--git-allow", [&] { (void)api::GitPlaces(options.git_allow); });
  if (options.http_allow.size() > kMaxHosts) refuse("--http-allow may name at most 100 hosts");
  check_option("--http-allow", [&] { (void)api::AllowedHosts(options.http_allow); });
  check_option("--audit-syslog", [&] {
    if (!options.audit_syslog.empty()) (void)wire::parse_syslog_target(options.audit_syslog);
  });
  check_collector_options(options.collector);
  check_mail_options(options.mail);
  check_console_url(options.console_url);
  check_sign_on_options(options.sign_on);
  check_is_file("--http-ca", options.http_ca);
  check_is_file("--oidc-ca", options.oidc_ca);
  check_ports(options);
}

}  // namespace andon::server
