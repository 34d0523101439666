// SPDX-License-Identifier: Apache-2.0
// What a server is made of: its databases, services and feeds, in the order in which they need each
// other; they end in the reverse order. The broker and its connections are up with them; Server
// (server.hpp) starts and stops what runs by itself, and opens the ports. Made and ended by one
// thread; each part says who may call it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/console/changes.hpp"
#include "api/console/console.hpp"
#include "api/console/live_frames.hpp"
#include "api/console/page_sockets.hpp"
#include "api/device/device_mqtt.hpp"
#include "api/device/device_plane.hpp"
#include "api/device/device_rights.hpp"
#include "api/iotdata/retained_messages.hpp"
#include "api/router.hpp"
#include "api/s3/s3.hpp"
#include "api/signin/sign_in.hpp"
#include "api/signin/single_sign_on.hpp"
#include "api/sts/key_sets.hpp"
#include "api/table/authenticator.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/internal_call.hpp"
#include "api/tasks/task_roles.hpp"
#include "base/time/time.hpp"
#include "control/alarms/alarms.hpp"
#include "control/commands/commands.hpp"
#include "control/connections/connections.hpp"
#include "control/control_plane.hpp"
#include "control/discovery/core_trust.hpp"
#include "control/housekeeping/housekeeping.hpp"
#include "control/iam/iam.hpp"
#include "control/logs/log_writer.hpp"
#include "control/logs/logs.hpp"
#include "control/models/model_aliases.hpp"
#include "control/models/model_checks.hpp"
#include "control/models/model_registry.hpp"
#include "control/parameters/parameters.hpp"
#include "control/parameters/secrets.hpp"
#include "control/passwords/passwords.hpp"
#include "control/results/result_intake.hpp"
#include "control/results/results.hpp"
#include "control/sessions/sessions.hpp"
#include "server/backup/backups.hpp"
#include "server/broker/broker.hpp"
#include "server/broker/broker_feed.hpp"
#include "server/broker/device_channel.hpp"
#include "server/options/server_options.hpp"
#include "server/services/api_certificate.hpp"
#include "server/services/certificate_ends.hpp"
#include "server/services/event_bus.hpp"
#include "server/services/feature_service.hpp"
#include "server/services/job_log.hpp"
#include "server/services/sagemaker_service.hpp"
#include "server/services/stack_service.hpp"
#include "server/services/workflow_tasks.hpp"
#include "server/start/audit_trail.hpp"
#include "server/start/build_site.hpp"
#include "server/start/data_directory.hpp"
#include "server/start/function_parts.hpp"
#include "server/start/metrics.hpp"
#include "server/start/served_addresses.hpp"
#include "server/start/server_settings.hpp"
#include "server/start/telemetry.hpp"
#include "workflow/engine/workflow.hpp"

namespace andon::server {

struct ServerParts {
  // Throws what ServerOptions that cannot be served throw, and base::Error.
  explicit ServerParts(ServerOptions given);
  ServerParts(const ServerParts&) = delete;
  ServerParts& operator=(const ServerParts&) = delete;

  [[nodiscard]] base::fs::path spool() const { return data.path() / "spool"; }
  // For Prometheus.
  [[nodiscard]] std::string metrics();
  // An URL by which an object can be read for an hour.
  [[nodiscard]] std::string presign(const std::string& bucket, const std::string& key) const;
  // What a device that calls an operation is refused.
  [[nodiscard]] api::DeviceRefusal device_refusal() const;

  base::SystemClock clock;
  ServerOptions options;
  Telemetry telemetry;
  DataDirectory data;
  ApiCertificate api_certificate;
  AuditTrail audit;
  Ports ports;
  ServerUrls urls;
  api::MqttNotifier notifier;
  api::RetainedMessages retained{mqtt_options_of(options, ports, data.authority())};
  control::ControlPlane control;
  control::CoreTrust core_trust{data.database(), clock};
  control::ModelRegistry registry;
  control::ModelChecks model_checks;
  control::ModelAliases model_aliases;
  control::Logs logs;
  control::LogWriter log_writer;
  control::Results results;
  api::Changes changes{[this] { return results.newest_id(); }};
  control::ResultIntake result_intake;
  control::Commands commands;
  control::Alarms alarms;
  JobLog job_log;
  control::Parameters parameters;
  control::Secrets secrets;
  // Rows of the operation table, once there is one.
  std::function<const api::Operation*(std::string_view, std::string_view)> find_operation;
  control::Iam iam;
  control::Passwords passwords;
  control::Sessions sessions;
  control::Housekeeping housekeeping;
  api::Authorizer authorizer;
  api::KeySets key_sets;
  api::InternalCalls internal_calls;
  api::TaskRoles task_roles;
  std::atomic<std::uint64_t> refused_lines{0};
  control::Connections connections;
  FunctionLog function_log;
  functions::Functions functions;
  FeatureService features;
  WorkflowTasks tasks;
  workflow::Workflow workflow;
  SageMakerService sagemaker;
  EventBus event_bus;
  CertificateEnds certificate_ends{
      {.database = data.database(),
       .clock = clock,
       .own = [this] { return own_certificates(); },
       .accept = [this](store::Transaction& tx,
                        const events::Event& one) { event_bus.accept(tx, one); }}};
  BuildSite builds;
  api::Authenticator authenticator;
  api::S3Service operator_s3;
  api::S3Service device_s3;
  StackService stacks;
  Backups backups{{.data = data.path(),
                   .directory = options.backups.empty() ? data.path() / "backups" : options.backups,
                   .most = static_cast<std::size_t>(options.keep_backups)},
                  clock};
  api::SingleSignOn single_sign_on{sign_on_options_of(options), clock};
  api::SignIn sign_in;
  api::LiveFrames live_frames{api::frame_commands_of(commands)};
  api::PageSockets page_sockets;
  api::Console console;
  api::Router router;
  api::DeviceRights device_rights{control};
  api::DevicePlane device_plane;
  broker::Limits broker_limits;
  Broker broker;
  BrokerFeed broker_feed;
  DeviceChannel channel;

 private:
  [[nodiscard]] base::fs::path broker_directory() const { return data.path() / "mosquitto"; }
  [[nodiscard]] Ports prepare_ports();
  [[nodiscard]] std::vector<OwnCertificate> own_certificates() const;
  [[nodiscard]] std::uint64_t device_bytes() const;
  // Null where the table has no such row, or is not made yet.
  [[nodiscard]] const api::Operation* find(std::string_view scope, std::string_view name) const;
  [[nodiscard]] bool may_act(const control::AccessKey& key) const;
  [[nodiscard]] api::DevicePlaneOptions device_plane_options();
  [[nodiscard]] std::vector<api::DeviceService> device_services();
  [[nodiscard]] BrokerOptions broker_options() const;
  [[nodiscard]] std::string not_ready_because() const;
  [[nodiscard]] TopicCounts topic_counts();
};

}  // namespace andon::server
