// SPDX-License-Identifier: Apache-2.0
#include "server/start/operations.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "api/audit/audit.hpp"
#include "api/commands/commands.hpp"
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
#include "api/lambda/lambda.hpp"
#include "api/logs/logs.hpp"
#include "api/results/results.hpp"
#include "api/sagemaker/aliases.hpp"
#include "api/sagemaker/model_states.hpp"
#include "api/sagemaker/sagemaker.hpp"
#include "api/secretsmanager/secretsmanager.hpp"
#include "api/signin/operations.hpp"
#include "api/ssm/ssm.hpp"
#include "api/states/states.hpp"
#include "api/sts/sts.hpp"
#include "api/sts/web_identity.hpp"
#include "api/table/internal_call.hpp"
#include "api/telemetry/telemetry.hpp"
#include "api/upkeep/upkeep.hpp"
#include "base/os/file.hpp"
#include "control/shared/tags.hpp"
#include "server/start/served_addresses.hpp"
#include "server/start/server_parts.hpp"
#include "server/start/server_settings.hpp"

namespace andon::server {
namespace {

// The name of the group, where it is one of ours, with its streams, and is there.
std::optional<std::string> log_group_of(const ServerParts& parts, const std::string& arn) {
  const auto ref = fleet::parse_log_group_arn(arn);
  const bool is_ours = ref && ref->has_streams &&
                       arn == parts.control.arns.log_group(ref->name) + ":*" &&
                       parts.logs.find_group(ref->name);
  return is_ours ? std::optional(ref->name) : std::nullopt;
}

api::LambdaParts lambda_parts(ServerParts& parts) {
  return {
      .functions = parts.functions,
      .iam = parts.iam,
      .authorizer = &parts.authorizer,
      .tags = control::Tags(parts.data.database()),
      .presign = [&parts](const std::string& bucket,
                          const std::string& key) { return parts.presign(bucket, key); },
      .most_at_once = static_cast<std::size_t>(parts.options.functions.at_once),
      .images = parts.options.functions.images.empty()
                    ? api::FunctionImages()
                    : api::FunctionImages::parse(base::read_file(parts.options.functions.images),
                                                 parts.options.functions.images.string())};
}

}  // namespace

std::vector<api::Operation> operations_of(ServerParts& parts) {
  const api::DeviceEndpoints endpoints = endpoints_of(parts.options, parts.ports);
  std::vector<api::Operation> all;
  const auto add = [&all](std::vector<api::Operation> some) {
    std::ranges::move(some, std::back_inserter(all));
  };
  add(api::greengrass_operations(parts.control,
                                 [&parts](const std::string& bucket, const std::string& key) {
                                   return parts.presign(bucket, key);
                                 }));
  add(api::iot_operations(parts.control, endpoints));
  add(api::enrolment_operations(
      parts.control,
      {.endpoints = endpoints,
       .ca_certificate_pem = parts.data.authority().authority().certificate_pem,
       .packages = parts.options.packages},
      &parts.iam.role_aliases));
  add(api::iot_data_operations(
      {.control = parts.control,
       .clock = parts.clock,
       .authorizer = &parts.authorizer,
       .devices = parts.device_refusal(),
       .publish =
           [&parts](const auto& message, wire::Qos qos, const auto& properties, auto told) {
             parts.notifier.publish_told(message, qos, properties, std::move(told));
           },
       .retained = [&parts](const std::string& filter) { return parts.retained.read(filter); }}));
  add(api::iot_job_operations(parts.control, parts.internal_calls, parts.data.objects()));
  add(api::provisioning_operations(parts.control, parts.internal_calls, &parts.authorizer));
  add(api::role_alias_operations(parts.iam.role_aliases, parts.control.arns, &parts.authorizer));
  add(api::consumer_operations(parts.control, [&parts] {
    parts.broker.listen_for_users(parts.ports.mqtt_users);
    return parts.ports.mqtt_users;
  }));
  add(api::sagemaker_operations(parts.registry, parts.control.arns, &parts.model_checks,
                                &parts.authorizer));
  add(parts.sagemaker.operations());
  add(api::model_alias_operations(parts.model_aliases, &parts.authorizer));
  add(api::model_state_operations(parts.registry, parts.model_aliases));
  add(api::job_operations(parts.tasks.jobs()));
  add(api::logs_operations(parts.logs, parts.control.arns));
  add(api::fleet_operations(parts.data.database(), parts.clock, parts.control.arns));
  add(api::result_operations(
      parts.results, parts.control.things,
      [&parts](const std::string& key) {
        return parts.data.objects().head(std::string(api::kUploadBucket), key).has_value();
      },
      &parts.authorizer));
  add(api::command_operations(parts.commands, &parts.authorizer));
  add(api::telemetry_operations({.telemetry = parts.control.telemetry,
                                 .alarms = parts.alarms,
                                 .things = parts.control.things,
                                 .clock = parts.clock}));
  add(api::iam_operations(parts.iam, &parts.audit.log()));
  add(api::password_operations(parts.iam, parts.passwords, &parts.authorizer));
  add(api::own_access_operations(parts.authorizer));
  add(api::console_operations(parts.iam, parts.sessions));
  add(api::upkeep_operations(
      {.storage =
           [&parts] {
             return storage_use(parts.options, parts.data.path(), parts.data.database(),
                                parts.backups.state());
           },
       .backups = [&parts] { return parts.backups.state(); },
       .make_backup = [&parts] { return parts.backups.make(); },
       .remove_backup = [&parts](const std::string& name) { parts.backups.remove(name); },
       .ending_certificates =
           [&parts](std::chrono::days days) { return parts.certificate_ends.within(days); },
       .own_certificates = [&parts] { return parts.certificate_ends.own(); }}));
  add(api::audit_operations(parts.audit.log(), parts.control.arns));
  add(api::sts_operations(parts.iam, parts.authorizer));
  add({api::web_identity_operation(parts.iam, parts.key_sets, parts.clock)});
  add(parts.event_bus.operations());
  add(parts.builds.operations());
  add(api::ssm_operations(parts.parameters, parts.iam, parts.control.arns));
  add(api::secretsmanager_operations(parts.secrets, parts.authorizer));
  add(api::lambda_operations(lambda_parts(parts)));
  add(parts.stacks.operations());
  add(parts.features.operations());
  add(api::states_operations(
      parts.workflow, parts.clock,
      {.has_log_group =
           [&parts](const std::string& arn) { return log_group_of(parts, arn).has_value(); },
       .may_log =
           [&parts](const std::string& role, const std::string& machine, const std::string& group) {
             return parts.task_roles.may_log(role, machine, group);
           },
       .authorizer = &parts.authorizer}));
  api::require_rows(all);
  return all;
}

}  // namespace andon::server
