// SPDX-License-Identifier: Apache-2.0
#include "server/start/server.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "api/audit/audit.hpp"
#include "api/audit/internal_audit.hpp"
#include "api/commands/commands.hpp"
#include "api/console/console.hpp"
#include "api/device/device_plane.hpp"
#include "api/device/device_rights.hpp"
#include "api/greengrass/fleet.hpp"
#include "api/greengrass/greengrass.hpp"
#include "api/iam/iam.hpp"
#include "api/iam/own_access.hpp"
#include "api/iam/passwords.hpp"
#include "api/iot/iot.hpp"
#include "api/iot/jobs.hpp"
#include "api/iot/provisioning.hpp"
#include "api/iot/role_aliases.hpp"
#include "api/iotdata/iot_data.hpp"
#include "api/iotdata/retained_messages.hpp"
#include "api/lambda/lambda.hpp"
#include "api/logs/logs.hpp"
#include "api/results/results.hpp"
#include "api/router.hpp"
#include "api/s3/s3.hpp"
#include "api/s3/settings/form_data.hpp"
#include "api/sagemaker/aliases.hpp"
#include "api/sagemaker/model_states.hpp"
#include "api/sagemaker/sagemaker.hpp"
#include "api/secretsmanager/secretsmanager.hpp"
#include "api/signin/operations.hpp"
#include "api/signin/sign_in.hpp"
#include "api/ssm/ssm.hpp"
#include "api/states/states.hpp"
#include "api/sts/sts.hpp"
#include "api/sts/web_identity.hpp"
#include "api/table/authenticator.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/catalogue/access_rows.hpp"
#include "api/table/catalogue/honoured_members.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/presigned_v2.hpp"
#include "api/tasks/task_roles.hpp"
#include "api/telemetry/telemetry.hpp"
#include "api/upkeep/upkeep.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/sync_name.hpp"
#include "base/text/encoding.hpp"
#include "control/alarms/alarms.hpp"
#include "control/commands/commands.hpp"
#include "control/connections/connections.hpp"
#include "control/control_plane.hpp"
#include "control/housekeeping/housekeeping.hpp"
#include "control/iam/iam.hpp"
#include "control/logs/device_logs.hpp"
#include "control/logs/log_writer.hpp"
#include "control/logs/logs.hpp"
#include "control/models/model_registry.hpp"
#include "control/parameters/parameters.hpp"
#include "control/parameters/secrets.hpp"
#include "control/passwords/passwords.hpp"
#include "control/results/result_intake.hpp"
#include "control/results/results.hpp"
#include "control/sessions/sessions.hpp"
#include "control/shared/background_worker.hpp"
#include "server/backup/backups.hpp"
#include "server/backup/data_check.hpp"
#include "server/broker/broker.hpp"
#include "server/broker/broker_feed.hpp"
#include "server/broker/device_channel.hpp"
#include "server/broker/listening_port.hpp"
#include "server/services/api_certificate.hpp"
#include "server/services/certificate_ends.hpp"
#include "server/services/database_watch.hpp"
#include "server/services/event_bus.hpp"
#include "server/services/feature_service.hpp"
#include "server/services/job_log.hpp"
#include "server/services/model_opener.hpp"
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
#include "wire/aws/sigv4.hpp"
#include "wire/http/http_server.hpp"
#include "wire/websocket/web_socket.hpp"
#include "workflow/engine/workflow.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::hours kCredentialsLifetime{1};
constexpr std::chrono::hours kPresignedLifetime{1};
constexpr unsigned kPrivateDirectory = 0700;
constexpr std::string_view kIotData = "iotdata";
// Whom the command line on this machine believes at an API with a certificate of the plant's.
constexpr const char* kApiTrustFile = "api-ca.pem";
// Nothing is won by looking at who sends so little before it is there.
constexpr std::uint64_t kUnaskedBytes = 16'384;
constexpr std::chrono::seconds kTelemetryWritten{2};
constexpr std::chrono::seconds kAlarmsChecked{10};
constexpr std::chrono::seconds kRefusedPushesKept{10};

}  // namespace

// Members in the order in which they start; they end in the reverse order.
class Server::Implementation {
 public:
  explicit Implementation(ServerOptions options)
      : options_(checked(std::move(options))),
        telemetry_(options_),
        data_(options_, clock_),
        api_certificate_({options_.api_certificate, options_.api_key}, clock_),
        audit_(data_, clock_, options_, telemetry_),
        ports_(prepare_ports()),
        urls_(server_urls(options_, ports_)),
        control_(data_.database(), data_.objects(), clock_, notifier_,
                 data_.authority().authority(), fleet::Arns(options_.region),
                 std::chrono::days(options_.device_certificate_days), consumers_of(options_)),
        registry_(data_.database(), data_.objects(), clock_),
        model_checks_(data_.database(), data_.objects(), clock_,
                      [andon = find_andon()](const base::fs::path& model) {
                        return open_with_andon(andon, model);
                      }),
        model_aliases_(data_.database(), clock_),
        logs_(data_.logs_database(), clock_, log_limits_of(options_)),
        log_writer_(logs_),
        results_(data_.results_database(), clock_, result_limits_of(options_)),
        result_intake_(
            results_, notifier_, clock_,
            [this](const std::string& thing) { return control_.rights.may_thing(thing); }),
        commands_({.database = data_.database(),
                   .notifier = notifier_,
                   .clock = clock_,
                   .on_ended =
                       [this](const auto& command) { audit_.say_ended(command, control_.arns); }}),
        alarms_({.database = data_.database(),
                 .results = data_.results_database(),
                 .outbox = control_.outbox,
                 .telemetry = control_.telemetry,
                 .clock = clock_,
                 .disk = [this] { return room_of(data_.path()); },
                 .limits = alarm_limits_of(options_)}),
        job_log_(logs_, clock_),
        parameters_(data_.database(), data_.sealing_key(), clock_, control_.arns),
        secrets_(data_.database(), data_.sealing_key(), clock_, control_.arns),
        iam_(data_.database(), data_.access_keys(), clock_, control_.arns.account()),
        passwords_(data_.database(), clock_),
        sessions_(data_.database(), iam_, passwords_, clock_),
        housekeeping_({data_.database(), control_.deployments, control_.access, control_.enrolment,
                       control_.provisioner, control_.iot_jobs, data_.access_keys(),
                       data_.objects(), logs_, results_, secrets_, sessions_, control_.telemetry},
                      clock_, retention_of(options_)),
        authorizer_(iam_, clock_, control_.arns, &secrets_),
        key_sets_({.places = options_.oidc_keys, .ca_file = options_.oidc_ca}, clock_),
        internal_calls_(iam_, authorizer_, clock_, control_.arns,
                        [this](auto scope, auto name) { return find(scope, name); }),
        task_roles_(internal_calls_, iam_, authorizer_),
        connections_(data_.database(), data_.sealing_key(), clock_),
        function_log_(logs_),
        functions_(function_parts({.options = options_,
                                   .ports = ports_,
                                   .data = data_.path(),
                                   .keeper = find_job_keeper(),
                                   .ca_pem = data_.authority().authority().certificate_pem},
                                  data_.database(), data_.objects(), iam_, function_log_, clock_)),
        features_({.database = data_.features_database(),
                   .file = data_.path() / kFeaturesDatabaseFile,
                   .tags = data_.database(),
                   .objects = data_.objects(),
                   .calls = internal_calls_,
                   .authorizer = authorizer_,
                   .clock = clock_,
                   .arns = control_.arns,
                   .limits = feature_limits_of(options_),
                   .export_after = std::chrono::seconds(options_.feature_export_seconds),
                   .query_time = std::chrono::seconds(options_.query_seconds),
                   .queries = data_.path() / "queries"}),
        tasks_({.control = control_,
                .objects = data_.objects(),
                .connections = connections_,
                .functions = functions_,
                .jobs = jobs_of(options_, data_.path(), job_log_),
                .roles = task_roles_,
                .http = {.allowed = api::AllowedHosts(options_.http_allow),
                         .ca_file = options_.http_ca},
                .calls = internal_calls_,
                .clock = clock_}),
        workflow_(data_.workflow_database(), tasks_.integrations(), &tasks_.map_store(), clock_,
                  {.arns = workflow::Arns(options_.region),
                   .retention = std::chrono::days(options_.keep_executions_days),
                   .write_log =
                       [this](const workflow::Execution& execution, const std::string& group_arn,
                              const std::string& stream, base::Timestamp time, std::string line) {
                         const auto group = fleet::parse_log_group_arn(group_arn);
                         if (!group) return;
                         if (!task_roles_.may_log(execution.role, execution.machine, group_arn)) {
                           refused_lines_.fetch_add(1);
                           return;
                         }
                         log_writer_.write(group->name, stream, {time, std::move(line)});
                       }}),
        sagemaker_({.database = data_.workflow_database(),
                    .workflow = workflow_,
                    .tasks = tasks_,
                    .objects = data_.objects(),
                    .registry = registry_,
                    .features = features_.features(),
                    .calls = internal_calls_,
                    .authorizer = authorizer_,
                    .clock = clock_,
                    .policy = jobs_of(options_, data_.path(), job_log_).policy,
                    .images = options_.jobs.images,
                    .retention = std::chrono::days(options_.keep_executions_days)}),
        event_bus_({.database = data_.database(),
                    .workflow_database = data_.workflow_database(),
                    .control = control_,
                    .connections = connections_,
                    .logs = logs_,
                    .objects = data_.objects(),
                    .calls = internal_calls_,
                    .authorizer = authorizer_,
                    .http = tasks_.http(),
                    .notifier = notifier_,
                    .key = data_.sealing_key(),
                    .git = api::GitPlaces(options_.git_allow),
                    .git_options = {.home = data_.path() / "git", .ca_file = options_.http_ca},
                    .mail = mail_options_of(options_),
                    .clock = clock_,
                    .on_change = [this](api::ChangeKind kind) { changes_.note(kind); }}),
        builds_({.database = data_.database(),
                 .objects = data_.objects(),
                 .iam = iam_,
                 .calls = internal_calls_,
                 .authorizer = authorizer_,
                 .events = event_bus_,
                 .jobs = tasks_.jobs(),
                 .policy = jobs_of(options_, data_.path(), job_log_).policy,
                 .arns = control_.arns,
                 .clock = clock_,
                 .options = options_,
                 .ports = ports_,
                 .data = data_.path(),
                 .ca_pem = data_.authority().authority().certificate_pem}),
        authenticator_(data_.access_keys(), clock_, "000000000000",
                       [this](const control::AccessKey& key) { return may_act(key); }),
        operator_s3_(data_.objects(), authenticator_, clock_,
                     {.audience = api::S3Audience::operators_and_devices,
                      .region = options_.region,
                      .host = options_.hosts.front(),
                      .max_device_bytes = device_bytes(),
                      .disk_is_encrypted = options_.disk_is_encrypted,
                      .authorizer = &authorizer_,
                      .audit = &audit_.log()}),
        device_s3_(data_.objects(), authenticator_, clock_,
                   {.audience = api::S3Audience::devices_only,
                    .region = options_.region,
                    .host = options_.hosts.front(),
                    .max_device_bytes = device_bytes(),
                    .authorizer = &authorizer_,
                    .audit = &audit_.log()}),
        stacks_({.database = data_.database(),
                 .calls = internal_calls_,
                 .s3 = operator_s3_,
                 .arns = control_.arns,
                 .clock = clock_}),
        sign_in_({.iam = iam_,
                  .passwords = passwords_,
                  .sessions = sessions_,
                  .clock = clock_,
                  .region = options_.region,
                  .find = [this](auto scope, auto name) { return find(scope, name); },
                  .authorizer = &authorizer_,
                  .audit = &audit_.log(),
                  .single_sign_on = &single_sign_on_,
                  .console_url = options_.console_url}),
        page_sockets_({.sign_in = sign_in_,
                       .arns = control_.arns,
                       .clock = clock_,
                       .broker = mqtt_options_of(options_, ports_, data_.authority()),
                       .frames = live_frames_,
                       .authorizer = &authorizer_,
                       .audit = &audit_.log()}),
        console_(sign_in_, operator_s3_, changes_, page_sockets_, api::embedded_console()),
        router_(operations(), operator_s3_, authenticator_,
                {.not_ready_because = [this] { return not_ready_because(); },
                 .metrics = [this] { return metrics(); },
                 .ca_pem = data_.authority().authority().certificate_pem,
                 .push = [this](const auto& push) { return event_bus_.take_push(push); },
                 .max_push_bytes = events::Webhooks::kMostBody,
                 .authorizer = &authorizer_,
                 .devices = device_refusal(),
                 .audit = &audit_.log(),
                 .sign_in = &sign_in_,
                 .console = &console_}),
        device_plane_(control_, data_.objects(), device_plane_options()),
        broker_(broker_options(),
                broker_view(control_.rights, data_.authority(), control_.arns, broker_limits_)),
        broker_feed_(control_.rights, data_.authority(), broker_, control_.arns, broker_limits_),
        channel_(
            mqtt_options_of(options_, ports_, data_.authority()),
            {.control = control_,
             .results = result_intake_,
             .commands = commands_,
             .notifier = notifier_,
             .clock = clock_,
             .audit = audit_.log(),
             .rules = event_bus_.rule_feed(),
             .hook = api::function_hook(internal_calls_, control_.arns),
             .addresses = note_served_address(data_.database(), options_, ports_, clock_.now())}) {
    base::make_directories(spool(), kPrivateDirectory);
    // The names of what this start has made (ca/, credentials/) last before anybody is answered.
    base::sync_name(data_.path());
    base::sync_directory(data_.path());
    iam_.begin_service_roles(workflow_.machines().roles(), clock_.now());
    sagemaker_.join();
    tasks_.set_engine(workflow_, builds_.runner(),
                      [this](const job::JobOrder& order) { return sagemaker_.standing(order); });
    function_log_.set_bus([this](const std::string& bus, const std::string& record) {
      event_bus_.put_function_record(bus, record);
    });
    operation_ = [this](std::string_view scope, std::string_view name) {
      return router_.find(scope, name);
    };
    api::record_internal_calls(internal_calls_, audit_.log(), authorizer_,
                               [this](std::string_view service, std::string_view operation) {
                                 const auto kind = api::changed_by(service, operation);
                                 if (kind) changes_.note(*kind);
                               });
    builds_.runner().resume();
    workflow_.run();
    sagemaker_.run();
    event_bus_.run();
    stacks_.run();
    features_.features().run();
    device_http_ = listen(
        options_.device_address, ports_.device, device_tls_of(data_.authority()), 0,
        [this](const wire::HttpRequest& head) { return device_plane_.admit(head); },
        [this](wire::HttpRequest& request) { return device_plane_.handle(request); });
    api_http_ = listen(
        options_.api_address, ports_.api, api_tls(), kUnaskedBytes,
        [this](const wire::HttpRequest& head) { return router_.admit(head); },
        [this](wire::HttpRequest& request) { return router_.handle(request); },
        [this](const wire::HttpRequest& start) { return router_.look(start); },
        [this](const wire::HttpRequest& request) { return router_.upgrade(request); });
    audit_.say_started();
    telemetry_.start_metrics([this] { return metrics(); });
    if (const auto given = api_certificate_.identity()) show_api_certificate(*given);
    announce(data_.path(), urls_, api_certificate_.identity() ? kApiTrustFile : "");
    watch_.emplace(data_.path());
    telemetry_writer_.emplace(
        "telemetry",
        [this] {
          control_.telemetry.write();
          return false;
        },
        kTelemetryWritten);
    alarm_watch_.emplace(
        "alarms",
        [this] {
          alarms_.check();
          return false;
        },
        kAlarmsChecked);
    push_keeper_.emplace(
        "webhooks",
        [this] {
          event_bus_.keep_push_outcomes();
          return false;
        },
        kRefusedPushesKept);
  }

  ~Implementation() {
    withdraw_announcement(data_.path());
    push_keeper_.reset();
    alarm_watch_.reset();
    telemetry_writer_.reset();
    telemetry_.stop_metrics();
    changes_.stop();
    page_sockets_.stop();
    live_frames_.stop();
    stacks_.stop();
    features_.features().stop();
    function_log_.set_bus({});
    event_bus_.stop();
    workflow_.stop();
    tasks_.jobs().stop();
    functions_.stop();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] const ServerUrls& urls() const { return urls_; }
  [[nodiscard]] base::fs::path operator_key_file() const { return data_.operator_key_file(); }
  std::optional<std::string> first_sign_in() {
    const auto token = sessions_.first_link();
    return token ? std::optional(urls_.api + api::console_link_path(*token)) : std::nullopt;
  }
  void check_alive() {
    data_.database().read([](store::Transaction& tx) { return tx.query_one("SELECT 1"); });
  }
  void look_at_certificate() {
    if (const auto changed = api_certificate_.look_again()) show_api_certificate(*changed);
  }
  void leave_jobs_running() { tasks_.jobs().leave_running(); }
  void do_housekeeping() {
    housekeeping_.run();
    certificate_ends_.tell();
    workflow_.sweep();
    sagemaker_.sweep();
    features_.features().sweep();
  }

 private:
  [[nodiscard]] base::fs::path spool() const { return data_.path() / "spool"; }
  [[nodiscard]] base::fs::path broker_directory() const { return data_.path() / "mosquitto"; }

  Ports prepare_ports() {
    withdraw_announcement(data_.path());
    end_leftover_broker(broker_directory());
    return choose_ports(options_);
  }

  std::vector<api::Operation> operations() {
    const api::DeviceEndpoints endpoints = endpoints_of(options_, ports_);
    std::vector<api::Operation> all;
    const auto add = [&all](std::vector<api::Operation> some) {
      std::ranges::move(some, std::back_inserter(all));
    };
    add(api::greengrass_operations(control_,
                                   [this](const std::string& bucket, const std::string& key) {
                                     return presign(bucket, key);
                                   }));
    add(api::iot_operations(control_, endpoints));
    add(api::enrolment_operations(
        control_,
        {.endpoints = endpoints,
         .ca_certificate_pem = data_.authority().authority().certificate_pem,
         .packages = options_.packages},
        &iam_.role_aliases));
    add(api::iot_data_operations(
        {.control = control_,
         .clock = clock_,
         .authorizer = &authorizer_,
         .devices = device_refusal(),
         .publish =
             [this](const auto& message, wire::Qos qos, const auto& properties, auto told) {
               notifier_.publish_told(message, qos, properties, std::move(told));
             },
         .retained = [this](const std::string& filter) { return retained_.read(filter); }}));
    add(api::iot_job_operations(control_, internal_calls_, data_.objects()));
    add(api::provisioning_operations(control_, internal_calls_, &authorizer_));
    add(api::role_alias_operations(iam_.role_aliases, control_.arns, &authorizer_));
    add(api::consumer_operations(control_, [this] {
      broker_.listen_for_users(ports_.mqtt_users);
      return ports_.mqtt_users;
    }));
    add(api::sagemaker_operations(registry_, control_.arns, &model_checks_, &authorizer_));
    add(sagemaker_.operations());
    add(api::model_alias_operations(model_aliases_, &authorizer_));
    add(api::model_state_operations(registry_, model_aliases_));
    add(api::job_operations(tasks_.jobs()));
    add(api::logs_operations(logs_, control_.arns));
    add(api::fleet_operations(data_.database(), clock_, control_.arns));
    add(api::result_operations(
        results_, control_.things,
        [this](const std::string& key) {
          return data_.objects().head(std::string(api::kUploadBucket), key).has_value();
        },
        &authorizer_));
    add(api::command_operations(commands_, &authorizer_));
    add(api::telemetry_operations({.telemetry = control_.telemetry,
                                   .alarms = alarms_,
                                   .things = control_.things,
                                   .clock = clock_}));
    add(api::iam_operations(iam_, &audit_.log()));
    add(api::password_operations(iam_, passwords_, &authorizer_));
    add(api::own_access_operations(authorizer_));
    add(api::console_operations(iam_, sessions_));
    add(api::upkeep_operations(
        {.storage =
             [this] {
               return storage_use(options_, data_.path(), data_.database(), backups_.state());
             },
         .backups = [this] { return backups_.state(); },
         .make_backup = [this] { return backups_.make(); },
         .remove_backup = [this](const std::string& name) { backups_.remove(name); },
         .ending_certificates =
             [this](std::chrono::days days) { return certificate_ends_.within(days); },
         .own_certificates = [this] { return certificate_ends_.own(); }}));
    add(api::audit_operations(audit_.log(), control_.arns));
    add(api::sts_operations(iam_, authorizer_));
    add({api::web_identity_operation(iam_, key_sets_, clock_)});
    add(event_bus_.operations());
    add(builds_.operations());
    add(api::ssm_operations(parameters_, iam_, control_.arns));
    add(api::secretsmanager_operations(secrets_, authorizer_));
    add(api::lambda_operations(lambda_parts()));
    add(stacks_.operations());
    add(features_.operations());
    add(api::states_operations(
        workflow_, clock_,
        {.has_log_group = [this](const std::string& arn) { return log_group_of(arn).has_value(); },
         .may_log =
             [this](const std::string& role, const std::string& machine, const std::string& group) {
               return task_roles_.may_log(role, machine, group);
             },
         .authorizer = &authorizer_}));
    api::require_rows(all);
    return all;
  }

  [[nodiscard]] api::LambdaParts lambda_parts() {
    return {.functions = functions_,
            .iam = iam_,
            .authorizer = &authorizer_,
            .tags = control::Tags(data_.database()),
            .presign = [this](const std::string& bucket,
                              const std::string& key) { return presign(bucket, key); },
            .most_at_once = static_cast<std::size_t>(options_.functions.at_once),
            .images = options_.functions.images.empty()
                          ? api::FunctionImages()
                          : api::FunctionImages::parse(base::read_file(options_.functions.images),
                                                       options_.functions.images.string())};
  }

  [[nodiscard]] const api::Operation* find(std::string_view scope, std::string_view name) const {
    return operation_ ? operation_(scope, name) : nullptr;
  }

  // The name of the group, where it is one of ours, with its streams, and is there.
  [[nodiscard]] std::optional<std::string> log_group_of(const std::string& arn) const {
    const auto ref = fleet::parse_log_group_arn(arn);
    const bool is_ours = ref && ref->has_streams &&
                         arn == control_.arns.log_group(ref->name) + ":*" &&
                         logs_.find_group(ref->name);
    return is_ours ? std::optional(ref->name) : std::nullopt;
  }

  [[nodiscard]] std::string presign(const std::string& bucket, const std::string& key) const {
    // The account may have got another key since the start.
    const auto keys = iam_.keys.list_of(std::string(control::kOperatorPrincipal));
    const auto good =
        std::ranges::find_if(keys, [](const control::AccessKey& one) { return !one.is_disabled; });
    const control::AccessKey& signer = good != keys.end() ? *good : data_.operator_key();
    const std::string target = "/" + bucket + "/" + base::percent_encode(key, base::Slash::keep);
    return urls_.api + wire::presign("GET", host_of(urls_.api), target,
                                     {signer.id, signer.secret, {}}, {options_.region, "s3"},
                                     clock_.now(), kPresignedLifetime);
  }

  [[nodiscard]] std::uint64_t device_bytes() const {
    return static_cast<std::uint64_t>(options_.device_uploads_gib) << 30U;
  }

  // The temporary keys of a device end with the certificate that they were given for, those of
  // users and roles with them.
  [[nodiscard]] bool may_act(const control::AccessKey& key) const {
    if (key.certificate.empty() && iam_.principals.find(key.principal)) return true;
    return key.expires && control_.rights.may(key.certificate).may;
  }

  [[nodiscard]] api::DeviceRefusal device_refusal() const {
    return [this](const api::Caller& device, std::string_view action, const std::string& resource) {
      return device_rights_.refusal(device, action, resource);
    };
  }

  api::DevicePlaneOptions device_plane_options() {
    return {.endpoints = endpoints_of(options_, ports_),
            .ca_certificate_pem = data_.authority().authority().certificate_pem,
            .issue_credentials =
                [this](const std::string& thing, const std::string& certificate,
                       const std::string& alias) {
                  auto key = api::take_role_alias(iam_, control_, alias, thing, certificate);
                  if (!key) {
                    key = data_.access_keys().create_temporary("thing/" + thing,
                                                               kCredentialsLifetime, certificate);
                  }
                  return api::TemporaryCredentials{key->id, key->secret, key->session_token,
                                                   key->expires.value()};
                },
            .role_alias_of =
                [this](const std::string& thing) {
                  return iam_.role_aliases.given_to(thing).value_or("");
                },
            .on_enrolled = [this] { broker_feed_.tell_now(); },
            .services = device_services(),
            .s3 = [this](wire::HttpRequest& request) { return device_s3_.handle(request); },
            .admit_s3 = [this](const wire::HttpRequest& head) { return device_s3_.admit(head); },
            .put_logs =
                [this](const std::string& thing, const fleet::DeviceLogs& lines) {
                  control::put_device_logs(logs_, control_.arns.region(), thing, lines);
                },
            .audit = &audit_.log(),
            .core_trust = &core_trust_,
            .packages = options_.packages};
  }

  // AWS IoT's data plane, for requests without a signature (a signed one is for S3, whatever its
  // path); and agents read the secrets that their components may have, with their temporary
  // credentials.
  std::vector<api::DeviceService> device_services() {
    return {
        {.has =
             [this](const wire::HttpRequest& head) {
               return !api::is_signed(head) && router_.has_operation(kIotData, head);
             },
         .answer =
             [this](const api::Caller& device, const wire::HttpRequest& request) {
               return router_.handle_device(std::string(kIotData), device, request);
             }},
        {.has =
             [](const wire::HttpRequest& head) {
               return api::Router::asks_for(head, "secretsmanager", "GetSecretValue");
             },
         .admit = [this](const wire::HttpRequest& head) { return router_.admit(head); },
         .answer = [this](const api::Caller&,
                          const wire::HttpRequest& request) { return router_.handle(request); }}};
  }

  [[nodiscard]] BrokerOptions broker_options() const {
    return broker_options_of(
        options_, ports_, broker_directory(), data_.authority(),
        control_.consumers.has_users() ? BrokerUsers::some : BrokerUsers::none);
  }

  void show_api_certificate(const wire::TlsIdentity& given) {
    api_http_->offer(given);
    base::write_file_atomically(
        data_.path() / kApiTrustFile,
        data_.authority().authority().certificate_pem + given.certificate_chain_pem);
  }

  [[nodiscard]] std::vector<OwnCertificate> own_certificates() const {
    const Authority& authority = data_.authority();
    std::vector<OwnCertificate> all{{"server", base::read_file(authority.server().certificate)},
                                    {"ca", authority.authority().certificate_pem}};
    if (const auto given = api_certificate_.identity()) {
      all.push_back({"api", given->certificate_chain_pem});
    }
    return all;
  }

  [[nodiscard]] std::optional<wire::TlsServerOptions> api_tls() const {
    if (is_loopback(options_.api_address)) return std::nullopt;
    return tls_of(data_.authority());
  }

  [[nodiscard]] std::unique_ptr<wire::HttpServer> listen(
      const std::string& address, std::uint16_t port, std::optional<wire::TlsServerOptions> tls,
      std::uint64_t unasked_bytes, wire::HttpAdmit admit, wire::HttpHandler handler,
      wire::HttpLook look = {}, wire::HttpUpgrader upgrade = {}) const {
    wire::HttpServerOptions options;
    options.address = address;
    options.port = port;
    options.tls = std::move(tls);
    options.spool_directory = spool();
    options.admit = std::move(admit);
    options.unasked_body_bytes = unasked_bytes;
    options.look = std::move(look);
    options.look_after_bytes = api::kFormStart;
    options.upgrade = std::move(upgrade);
    options.web_sockets = &wire::web_socket_carrier();
    return std::make_unique<wire::HttpServer>(std::move(options), std::move(handler));
  }

  [[nodiscard]] std::string not_ready_because() const {
    if (!broker_.is_running()) return "the MQTT broker is being started again";
    if (!channel_.is_connected()) return "the connection to the MQTT broker is being made";
    return {};
  }

  [[nodiscard]] TopicCounts topic_counts() {
    const api::RuleFeed::Counts rules = event_bus_.rule_feed().counts();
    return {.messages = rules.taken,
            .dropped = rules.dropped,
            .failed = rules.failed,
            .shadows = control_.shadows.count()};
  }

  [[nodiscard]] std::string metrics() {
    control::LogWriter::Counts lines = log_writer_.counts();
    const control::LogWriter::Counts of_jobs = job_log_.counts();
    const control::LogWriter::Counts of_functions = function_log_.counts();
    lines.written += of_jobs.written + of_functions.written;
    lines.dropped += of_jobs.dropped + of_functions.dropped + refused_lines_.load();
    return metrics_text(workflow_, tasks_.jobs().gauges(), lines, results_, result_intake_.counts(),
                        {parameters_.count(), secrets_.count()}, audit_, telemetry_.counts(),
                        channel_.broker_counters(),
                        control::fleet_figures(data_.database(), clock_.now()), alarms_.list(),
                        topic_counts(), data_.path());
  }

  base::SystemClock clock_;
  ServerOptions options_;
  Telemetry telemetry_;
  DataDirectory data_;
  ApiCertificate api_certificate_;
  AuditTrail audit_;
  Ports ports_;
  ServerUrls urls_;
  api::MqttNotifier notifier_;
  api::RetainedMessages retained_{mqtt_options_of(options_, ports_, data_.authority())};
  control::ControlPlane control_;
  control::CoreTrust core_trust_{data_.database(), clock_};
  control::ModelRegistry registry_;
  control::ModelChecks model_checks_;
  control::ModelAliases model_aliases_;
  control::Logs logs_;
  control::LogWriter log_writer_;
  control::Results results_;
  api::Changes changes_{[this] { return results_.newest_id(); }};
  control::ResultIntake result_intake_;
  control::Commands commands_;
  control::Alarms alarms_;
  JobLog job_log_;
  control::Parameters parameters_;
  control::Secrets secrets_;
  // Rows of the operation table, once there is one.
  std::function<const api::Operation*(std::string_view, std::string_view)> operation_;
  control::Iam iam_;
  control::Passwords passwords_;
  control::Sessions sessions_;
  control::Housekeeping housekeeping_;
  api::Authorizer authorizer_;
  api::KeySets key_sets_;
  api::InternalCalls internal_calls_;
  api::TaskRoles task_roles_;
  std::atomic<std::uint64_t> refused_lines_{0};
  control::Connections connections_;
  FunctionLog function_log_;
  functions::Functions functions_;
  FeatureService features_;
  WorkflowTasks tasks_;
  workflow::Workflow workflow_;
  SageMakerService sagemaker_;
  EventBus event_bus_;
  CertificateEnds certificate_ends_{
      {.database = data_.database(),
       .clock = clock_,
       .own = [this] { return own_certificates(); },
       .accept = [this](store::Transaction& tx,
                        const events::Event& one) { event_bus_.accept(tx, one); }}};
  BuildSite builds_;
  api::Authenticator authenticator_;
  api::S3Service operator_s3_;
  api::S3Service device_s3_;
  StackService stacks_;
  Backups backups_{
      {.data = data_.path(),
       .directory = options_.backups.empty() ? data_.path() / "backups" : options_.backups,
       .most = static_cast<std::size_t>(options_.keep_backups)},
      clock_};
  api::SingleSignOn single_sign_on_{sign_on_options_of(options_), clock_};
  api::SignIn sign_in_;
  api::LiveFrames live_frames_{api::frame_commands_of(commands_)};
  api::PageSockets page_sockets_;
  api::Console console_;
  api::Router router_;
  api::DeviceRights device_rights_{control_};
  api::DevicePlane device_plane_;
  broker::Limits broker_limits_;
  Broker broker_;
  BrokerFeed broker_feed_;
  DeviceChannel channel_;
  std::unique_ptr<wire::HttpServer> device_http_;
  std::unique_ptr<wire::HttpServer> api_http_;
  std::optional<DatabaseWatch> watch_;
  // Last: they use what is above.
  std::optional<control::BackgroundWorker> telemetry_writer_;
  std::optional<control::BackgroundWorker> alarm_watch_;
  std::optional<control::BackgroundWorker> push_keeper_;
};

Server::Server(ServerOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}

Server::~Server() = default;

const ServerUrls& Server::urls() const {
  return implementation_->urls();
}

base::fs::path Server::operator_key_file() const {
  return implementation_->operator_key_file();
}

std::optional<std::string> Server::first_sign_in() {
  return implementation_->first_sign_in();
}

void Server::check_alive() const {
  implementation_->check_alive();
}

void Server::look_at_certificate() {
  implementation_->look_at_certificate();
}

void Server::leave_jobs_running() {
  implementation_->leave_jobs_running();
}

void Server::do_housekeeping() {
  implementation_->do_housekeeping();
}

}  // namespace andon::server
