// SPDX-License-Identifier: Apache-2.0
// What the options say to each part of the server, in that part's own words. Pure but for the files
// that they name; used at the start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/device/device_plane.hpp"
#include "api/signin/single_sign_on.hpp"
#include "api/targets/mailer.hpp"
#include "api/upkeep/upkeep.hpp"
#include "control/alarms/alarms.hpp"
#include "control/housekeeping/housekeeping.hpp"
#include "control/logs/logs.hpp"
#include "control/results/results.hpp"
#include "features/features.hpp"
#include "server/broker/authority.hpp"
#include "server/broker/broker.hpp"
#include "server/options/server_options.hpp"
#include "server/services/job_log.hpp"
#include "server/services/workflow_tasks.hpp"
#include "server/start/ports.hpp"
#include "store/sql/database.hpp"
#include "wire/http/http_server.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::server {

// The same options; throws where two of them do not go together.
[[nodiscard]] ServerOptions checked(ServerOptions options);
[[nodiscard]] api::DeviceEndpoints endpoints_of(const ServerOptions& options, const Ports& ports);
[[nodiscard]] control::Retention retention_of(const ServerOptions& options);
// `log` must outlive the jobs.
[[nodiscard]] WorkflowTasks::Jobs jobs_of(const ServerOptions& options, const base::fs::path& data,
                                          JobLog& log);
[[nodiscard]] control::LogLimits log_limits_of(const ServerOptions& options);
[[nodiscard]] control::ResultLimits result_limits_of(const ServerOptions& options);
[[nodiscard]] control::AlarmLimits alarm_limits_of(const ServerOptions& options);
// Of the disk that `directory` is on; nothing where it does not say.
[[nodiscard]] std::optional<control::DiskRoom> room_of(const base::fs::path& directory);
[[nodiscard]] features::RecordLimits feature_limits_of(const ServerOptions& options);
[[nodiscard]] api::MailOptions mail_options_of(const ServerOptions& options);
[[nodiscard]] api::SingleSignOnOptions sign_on_options_of(const ServerOptions& options);
[[nodiscard]] std::vector<std::string> consumers_of(const ServerOptions& options);
// What the server keeps, what that takes, and for how long.
[[nodiscard]] api::StorageUse storage_use(const ServerOptions& options, const base::fs::path& data,
                                          const store::Database& index,
                                          const api::BackupsState& backups);
// "http://127.0.0.1:8080" -> "127.0.0.1:8080".
[[nodiscard]] std::string host_of(const std::string& url);

[[nodiscard]] wire::TlsServerOptions tls_of(const Authority& authority);
[[nodiscard]] wire::TlsServerOptions device_tls_of(const Authority& authority);

enum class BrokerUsers { none, some };  // with passwords
[[nodiscard]] BrokerOptions broker_options_of(const ServerOptions& options, const Ports& ports,
                                              const base::fs::path& directory,
                                              const Authority& authority, BrokerUsers users);
// Of the server's own connection to its broker.
[[nodiscard]] wire::MqttOptions mqtt_options_of(const ServerOptions& options, const Ports& ports,
                                                const Authority& authority);

}  // namespace andon::server
