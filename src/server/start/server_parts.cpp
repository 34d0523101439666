// SPDX-License-Identifier: Apache-2.0
#include "server/start/server_parts.hpp"

#include <algorithm>
#include <utility>

#include "api/iot/provisioning.hpp"
#include "api/iot/role_aliases.hpp"
#include "api/table/presigned_v2.hpp"
#include "base/text/encoding.hpp"
#include "control/devices/fleet_figures.hpp"
#include "control/logs/device_logs.hpp"
#include "server/backup/data_check.hpp"
#include "server/broker/listening_port.hpp"
#include "server/services/model_opener.hpp"
#include "server/start/operations.hpp"
#include "wire/aws/sigv4.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::hours kCredentialsLifetime{1};
constexpr std::chrono::hours kPresignedLifetime{1};
constexpr std::string_view kIotData = "iotdata";

}  // namespace

ServerParts::ServerParts(ServerOptions given)
    : options(checked(std::move(given))),
      telemetry(options),
      data(options, clock),
      api_certificate({options.api_certificate, options.api_key}, clock),
      audit(data, clock, options, telemetry),
      ports(prepare_ports()),
      urls(server_urls(options, ports)),
      control(data.database(), data.objects(), clock, notifier, data.authority().authority(),
              fleet::Arns(options.region), std::chrono::days(options.device_certificate_days),
              consumers_of(options)),
      registry(data.database(), data.objects(), clock),
      model_checks(data.database(), data.objects(), clock,
                   [andon = find_andon()](const base::fs::path& model) {
                     return open_with_andon(andon, model);
                   }),
      model_aliases(data.database(), clock),
      logs(data.logs_database(), clock, log_limits_of(options)),
      log_writer(logs),
      results(data.results_database(), clock, result_limits_of(options)),
      result_intake(results, notifier, clock,
                    [this](const std::string& thing) { return control.rights.may_thing(thing); }),
      commands(
          {.database = data.database(),
           .notifier = notifier,
           .clock = clock,
           .on_ended = [this](const auto& command) { audit.say_ended(command, control.arns); }}),
      alarms({.database = data.database(),
              .results = data.results_database(),
              .outbox = control.outbox,
              .telemetry = control.telemetry,
              .clock = clock,
              .disk = [this] { return room_of(data.path()); },
              .limits = alarm_limits_of(options)}),
      job_log(logs, clock),
      parameters(data.database(), data.sealing_key(), clock, control.arns),
      secrets(data.database(), data.sealing_key(), clock, control.arns),
      iam(data.database(), data.access_keys(), clock, control.arns.account()),
      passwords(data.database(), clock),
      sessions(data.database(), iam, passwords, clock),
      housekeeping({data.database(), control.deployments, control.access, control.enrolment,
                    control.provisioner, control.iot_jobs, data.access_keys(), data.objects(), logs,
                    results, secrets, sessions, control.telemetry},
                   clock, retention_of(options)),
      authorizer(iam, clock, control.arns, &secrets),
      key_sets({.places = options.oidc_keys, .ca_file = options.oidc_ca}, clock),
      internal_calls(iam, authorizer, clock, control.arns,
                     [this](auto scope, auto name) { return find(scope, name); }),
      task_roles(internal_calls, iam, authorizer),
      connections(data.database(), data.sealing_key(), clock),
      function_log(logs),
      functions(function_parts({.options = options,
                                .ports = ports,
                                .data = data.path(),
                                .keeper = find_job_keeper(),
                                .ca_pem = data.authority().authority().certificate_pem},
                               data.database(), data.objects(), iam, function_log, clock)),
      features({.database = data.features_database(),
                .file = data.path() / kFeaturesDatabaseFile,
                .tags = data.database(),
                .objects = data.objects(),
                .calls = internal_calls,
                .authorizer = authorizer,
                .clock = clock,
                .arns = control.arns,
                .limits = feature_limits_of(options),
                .export_after = std::chrono::seconds(options.feature_export_seconds),
                .query_time = std::chrono::seconds(options.query_seconds),
                .queries = data.path() / "queries"}),
      tasks({.control = control,
             .objects = data.objects(),
             .connections = connections,
             .functions = functions,
             .jobs = jobs_of(options, data.path(), job_log),
             .roles = task_roles,
             .http = {.allowed = api::AllowedHosts(options.http_allow), .ca_file = options.http_ca},
             .calls = internal_calls,
             .clock = clock}),
      workflow(data.workflow_database(), tasks.integrations(), &tasks.map_store(), clock,
               {.arns = workflow::Arns(options.region),
                .retention = std::chrono::days(options.keep_executions_days),
                .write_log =
                    [this](const workflow::Execution& execution, const std::string& group_arn,
                           const std::string& stream, base::Timestamp time, std::string line) {
                      const auto group = fleet::parse_log_group_arn(group_arn);
                      if (!group) return;
                      if (!task_roles.may_log(execution.role, execution.machine, group_arn)) {
                        refused_lines.fetch_add(1);
                        return;
                      }
                      log_writer.write(group->name, stream, {time, std::move(line)});
                    }}),
      sagemaker({.database = data.workflow_database(),
                 .workflow = workflow,
                 .tasks = tasks,
                 .objects = data.objects(),
                 .registry = registry,
                 .features = features.features(),
                 .calls = internal_calls,
                 .authorizer = authorizer,
                 .clock = clock,
                 .policy = jobs_of(options, data.path(), job_log).policy,
                 .images = options.jobs.images,
                 .retention = std::chrono::days(options.keep_executions_days)}),
      event_bus({.database = data.database(),
                 .workflow_database = data.workflow_database(),
                 .control = control,
                 .connections = connections,
                 .logs = logs,
                 .objects = data.objects(),
                 .calls = internal_calls,
                 .authorizer = authorizer,
                 .http = tasks.http(),
                 .notifier = notifier,
                 .key = data.sealing_key(),
                 .git = api::GitPlaces(options.git_allow),
                 .git_options = {.home = data.path() / "git", .ca_file = options.http_ca},
                 .mail = mail_options_of(options),
                 .clock = clock,
                 .on_change = [this](api::ChangeKind kind) { changes.note(kind); }}),
      builds({.database = data.database(),
              .objects = data.objects(),
              .iam = iam,
              .calls = internal_calls,
              .authorizer = authorizer,
              .events = event_bus,
              .jobs = tasks.jobs(),
              .policy = jobs_of(options, data.path(), job_log).policy,
              .arns = control.arns,
              .clock = clock,
              .options = options,
              .ports = ports,
              .data = data.path(),
              .ca_pem = data.authority().authority().certificate_pem}),
      authenticator(data.access_keys(), clock, "000000000000",
                    [this](const control::AccessKey& key) { return may_act(key); }),
      operator_s3(data.objects(), authenticator, clock,
                  {.audience = api::S3Audience::operators_and_devices,
                   .region = options.region,
                   .host = options.hosts.front(),
                   .max_device_bytes = device_bytes(),
                   .disk_is_encrypted = options.disk_is_encrypted,
                   .authorizer = &authorizer,
                   .audit = &audit.log()}),
      device_s3(data.objects(), authenticator, clock,
                {.audience = api::S3Audience::devices_only,
                 .region = options.region,
                 .host = options.hosts.front(),
                 .max_device_bytes = device_bytes(),
                 .authorizer = &authorizer,
                 .audit = &audit.log()}),
      stacks({.database = data.database(),
              .calls = internal_calls,
              .s3 = operator_s3,
              .arns = control.arns,
              .clock = clock}),
      sign_in({.iam = iam,
               .passwords = passwords,
               .sessions = sessions,
               .clock = clock,
               .region = options.region,
               .find = [this](auto scope, auto name) { return find(scope, name); },
               .authorizer = &authorizer,
               .audit = &audit.log(),
               .single_sign_on = &single_sign_on,
               .console_url = options.console_url}),
      page_sockets({.sign_in = sign_in,
                    .arns = control.arns,
                    .clock = clock,
                    .broker = mqtt_options_of(options, ports, data.authority()),
                    .frames = live_frames,
                    .authorizer = &authorizer,
                    .audit = &audit.log()}),
      console(sign_in, operator_s3, changes, page_sockets, api::embedded_console()),
      router(operations_of(*this), operator_s3, authenticator,
             {.not_ready_because = [this] { return not_ready_because(); },
              .metrics = [this] { return metrics(); },
              .ca_pem = data.authority().authority().certificate_pem,
              .push = [this](const auto& push) { return event_bus.take_push(push); },
              .max_push_bytes = events::Webhooks::kMostBody,
              .authorizer = &authorizer,
              .devices = device_refusal(),
              .audit = &audit.log(),
              .sign_in = &sign_in,
              .console = &console}),
      device_plane(control, data.objects(), device_plane_options()),
      broker(broker_options(),
             broker_view(control.rights, data.authority(), control.arns, broker_limits)),
      broker_feed(control.rights, data.authority(), broker, control.arns, broker_limits),
      channel(mqtt_options_of(options, ports, data.authority()),
              {.control = control,
               .results = result_intake,
               .commands = commands,
               .notifier = notifier,
               .clock = clock,
               .audit = audit.log(),
               .rules = event_bus.rule_feed(),
               .hook = api::function_hook(internal_calls, control.arns),
               .addresses = note_served_address(data.database(), options, ports, clock.now()),
               .progressed = [this] { changes.note(api::ChangeKind::deployments); }}) {}

Ports ServerParts::prepare_ports() {
  withdraw_announcement(data.path());
  end_leftover_broker(broker_directory());
  return choose_ports(options);
}

const api::Operation* ServerParts::find(std::string_view scope, std::string_view name) const {
  return find_operation ? find_operation(scope, name) : nullptr;
}

std::string ServerParts::presign(const std::string& bucket, const std::string& key) const {
  // The account may have got another key since the start.
  const auto keys = iam.keys.list_of(std::string(control::kOperatorPrincipal));
  const auto good =
      std::ranges::find_if(keys, [](const control::AccessKey& one) { return !one.is_disabled; });
  const control::AccessKey& signer = good != keys.end() ? *good : data.operator_key();
  const std::string target = "/" + bucket + "/" + base::percent_encode(key, base::Slash::keep);
  return urls.api + wire::presign("GET", host_of(urls.api), target, {signer.id, signer.secret, {}},
                                  {options.region, "s3"}, clock.now(), kPresignedLifetime);
}

std::uint64_t ServerParts::device_bytes() const {
  return static_cast<std::uint64_t>(options.device_uploads_gib) << 30U;
}

// The temporary keys of a device end with the certificate that they were given for, those of
// users and roles with them.
bool ServerParts::may_act(const control::AccessKey& key) const {
  if (key.certificate.empty() && iam.principals.find(key.principal)) return true;
  return key.expires && control.rights.may(key.certificate).may;
}

api::DeviceRefusal ServerParts::device_refusal() const {
  return [this](const api::Caller& device, std::string_view action, const std::string& resource) {
    return device_rights.refusal(device, action, resource);
  };
}

api::DevicePlaneOptions ServerParts::device_plane_options() {
  return {.endpoints = endpoints_of(options, ports),
          .ca_certificate_pem = data.authority().authority().certificate_pem,
          .issue_credentials =
              [this](const std::string& thing, const std::string& certificate,
                     const std::string& alias) {
                auto key = api::take_role_alias(iam, control, alias, thing, certificate);
                if (!key) {
                  key = data.access_keys().create_temporary("thing/" + thing, kCredentialsLifetime,
                                                            certificate);
                }
                return api::TemporaryCredentials{key->id, key->secret, key->session_token,
                                                 key->expires.value()};
              },
          .role_alias_of =
              [this](const std::string& thing) {
                return iam.role_aliases.given_to(thing).value_or("");
              },
          .on_enrolled = [this] { broker_feed.tell_now(); },
          .services = device_services(),
          .s3 = [this](wire::HttpRequest& request) { return device_s3.handle(request); },
          .admit_s3 = [this](const wire::HttpRequest& head) { return device_s3.admit(head); },
          .put_logs =
              [this](const std::string& thing, const fleet::DeviceLogs& lines) {
                control::put_device_logs(logs, control.arns.region(), thing, lines);
              },
          .audit = &audit.log(),
          .core_trust = &core_trust,
          .packages = options.packages};
}

// AWS IoT's data plane, for requests without a signature (a signed one is for S3, whatever its
// path); and agents read the secrets that their components may have, with their temporary
// credentials.
std::vector<api::DeviceService> ServerParts::device_services() {
  return {{.has =
               [this](const wire::HttpRequest& head) {
                 return !api::is_signed(head) && router.has_operation(kIotData, head);
               },
           .answer =
               [this](const api::Caller& device, const wire::HttpRequest& request) {
                 return router.handle_device(std::string(kIotData), device, request);
               }},
          {.has =
               [](const wire::HttpRequest& head) {
                 return api::Router::asks_for(head, "secretsmanager", "GetSecretValue");
               },
           .admit = [this](const wire::HttpRequest& head) { return router.admit(head); },
           .answer = [this](const api::Caller&,
                            const wire::HttpRequest& request) { return router.handle(request); }}};
}

BrokerOptions ServerParts::broker_options() const {
  return broker_options_of(options, ports, broker_directory(), data.authority(),
                           control.consumers.has_users() ? BrokerUsers::some : BrokerUsers::none);
}

std::vector<OwnCertificate> ServerParts::own_certificates() const {
  const Authority& authority = data.authority();
  std::vector<OwnCertificate> all{{"server", base::read_file(authority.server().certificate)},
                                  {"ca", authority.authority().certificate_pem}};
  if (const auto given = api_certificate.identity()) {
    all.push_back({"api", given->certificate_chain_pem});
  }
  return all;
}

std::string ServerParts::not_ready_because() const {
  if (!broker.is_running()) return "the MQTT broker is being started again";
  if (!channel.is_connected()) return "the connection to the MQTT broker is being made";
  return {};
}

TopicCounts ServerParts::topic_counts() {
  const api::RuleFeed::Counts rules = event_bus.rule_feed().counts();
  return {.messages = rules.taken,
          .dropped = rules.dropped,
          .failed = rules.failed,
          .shadows = control.shadows.count()};
}

std::string ServerParts::metrics() {
  control::LogWriter::Counts lines = log_writer.counts();
  const control::LogWriter::Counts of_jobs = job_log.counts();
  const control::LogWriter::Counts of_functions = function_log.counts();
  lines.written += of_jobs.written + of_functions.written;
  lines.dropped += of_jobs.dropped + of_functions.dropped + refused_lines.load();
  return metrics_text(workflow, tasks.jobs().gauges(), lines, results, result_intake.counts(),
                      {parameters.count(), secrets.count()}, audit, telemetry.counts(),
                      channel.broker_counters(),
                      control::fleet_figures(data.database(), clock.now()), alarms.list(),
                      topic_counts(), data.path());
}

}  // namespace andon::server
