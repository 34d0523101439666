// SPDX-License-Identifier: Apache-2.0
// What andon-server can be told, as flags, environment variables and in a YAML file.
// Plain values; filled before any thread is started.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "server/options/collector_options.hpp"
#include "server/options/function_options.hpp"
#include "server/options/job_options.hpp"
#include "server/options/mail_options.hpp"
#include "server/options/sign_on_options.hpp"

namespace CLI {
class App;
}

namespace andon::server {

// Alone in result_consumers: nobody.
inline constexpr std::string_view kNoConsumer = "none";

struct ServerOptions {
  base::fs::path data;  // the data directory
  std::string api_address = "127.0.0.1";
  base::fs::path api_certificate;  // PEM, the plant's own with its chain; empty: the server's own
  base::fs::path api_key;          // PEM, of that
  std::string device_address = "0.0.0.0";  // of the device plane and of MQTT
  std::uint16_t api_port = 8080;  // 0, for each port: any free one, the same at the next start
  std::uint16_t device_port = 8443;
  std::uint16_t mqtt_port = 8883;
  std::uint16_t mqtt_users_port = 8884;  // listened on once there is a user with a password
  // Names and addresses by which the server is reached; the first is the one given to devices.
  std::vector<std::string> hosts = {"localhost"};
  std::string region = "us-east-1";
  std::string mosquitto = "mosquitto";  // program name or path
  int device_certificate_days = 90;
  // How long what is over is kept, in days.
  int keep_deployments_days = 90;
  int keep_uploads_days = 7;
  int keep_events_days = 7;
  bool disk_is_encrypted = false;
  JobOptions jobs;
  FunctionOptions functions;
  // What one device may have in bucket andon-uploads, in GiB.
  int device_uploads_gib = 100;
  int keep_executions_days = 90;
  int keep_logs_days = 0;  // of groups without a retention of their own; 0: until there is no room
  int log_group_mib = 256;
  int logs_mib = 1024;
  int keep_results_days = 90;
  int results_mib = 10'240;
  int keep_features_days = 0;  // rows of offline stores; 0: until there is no room
  int features_mib = 10'240;
  int feature_export_seconds = 60;
  int query_seconds = 300;
  int keep_audit_days = 365;
  int audit_mib = 1024;
  int keep_backups = 7;
  // When an alarm is raised; 0: never.
  int alarm_disk_percent = 10;    // less of a disk is free, the server's or a device's
  int alarm_reject_percent = 20;  // more of a device's parts were rejected within the hour
  int alarm_reject_least = 50;    // of at least so many
  int alarm_certificate_days = 14;
  base::fs::path backups;    // where backups go; empty: below `data`
  std::string audit_syslog;  // "udp:host:514"; empty: none
  CollectorOptions collector;
  // Whose word devices wait for before they forget a result; "server" is the server's own store.
  std::vector<std::string> result_consumers = {"server"};
  MailServerOptions mail;
  std::vector<std::string> http_allow;  // hosts that workflows may call
  std::vector<std::string> git_allow;   // hosts and directories of repositories
  base::fs::path packages;  // a repository of Debian packages, for /packages/; empty: none
  std::string http_ca;      // PEM, whom to believe there; empty: the system's store
  // Of OpenID providers: issuer -> file or URL of its key set; others are found by discovery.
  std::map<std::string, std::string> oidc_keys;
  SignOnOptions sign_on;    // to the console
  std::string console_url;  // how people reach the console, where it is not as they ask for it
  std::string oidc_ca;      // PEM, whom to believe there; empty: the system's store
};

void add_server_options(CLI::App& app, ServerOptions& options);

// Throws invalid_argument for what no single option's check can see.
void check_server_options(const ServerOptions& options);

}  // namespace andon::server
