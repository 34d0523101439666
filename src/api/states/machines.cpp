// SPDX-License-Identifier: Apache-2.0
// State machines and tags.
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

using workflow::Machine;
using workflow::MachineType;
using workflow::Refusal;

// What AWS answers where nothing was given.
json::object default_logging() {
  return {{"level", "OFF"}, {"includeExecutionData", false}};
}
json::object default_tracing() {
  return {{"enabled", false}};
}
json::object default_encryption() {
  return {{"type", "AWS_OWNED_KEY"}};
}

const json::object* object_or_null(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : &value->as_object();
}

std::optional<json::object> read_logging(const Service& service, const json::object& input) {
  const json::object* given = object_or_null(input, "loggingConfiguration");
  if (given == nullptr) return std::nullopt;
  check_members(*given, {word("level", {"ALL", "ERROR", "FATAL", "OFF"}),
                         flag_rule("includeExecutionData"), list_rule("destinations")});
  json::object logging = default_logging();
  if (const auto level = maybe_text(*given, "level")) logging["level"] = *level;
  if (const auto* data = given->if_contains("includeExecutionData")) {
    logging["includeExecutionData"] = data->is_null() ? json::value(false) : *data;
  }
  const auto* destinations = given->if_contains("destinations");
  const bool has_list = destinations != nullptr && destinations->is_array();
  const std::size_t count = has_list ? destinations->get_array().size() : 0;
  const auto refuse = [](const std::string& why) {
    throw Refusal("InvalidLoggingConfiguration", "Invalid Logging Configuration: " + why);
  };
  const bool is_off = logging.at("level").as_string() == "OFF";
  if ((!is_off && count != 1) || count > 1) refuse("Must specify exactly one Log Destination.");
  if (count == 1) {
    const auto* group = base::find_pointer(*destinations, "/0/cloudWatchLogsLogGroup/logGroupArn");
    const bool is_there = group != nullptr && group->is_string() && service.options.has_log_group &&
                          service.options.has_log_group(std::string(group->get_string()));
    if (!is_there) {
      const bool is_group =
          group != nullptr && group->is_string() && !group->get_string().ends_with(":*");
      refuse(is_group ? "Log Destination not found. The ARN of a log group ends in ':*' here."
                      : "Log Destination not found.");
    }
    logging["destinations"] = *destinations;
  } else if (has_list) {
    logging["destinations"] = json::array();
  }
  return logging;
}

std::optional<json::object> read_tracing(const json::object& input) {
  const json::object* given = object_or_null(input, "tracingConfiguration");
  if (given == nullptr) return std::nullopt;
  check_members(*given, {flag_rule("enabled")});
  json::object tracing = default_tracing();
  if (const auto* enabled = given->if_contains("enabled")) tracing["enabled"] = *enabled;
  return tracing;
}

std::optional<json::object> read_encryption(const json::object& input) {
  const json::object* given = object_or_null(input, "encryptionConfiguration");
  if (given == nullptr) return std::nullopt;
  check_members(*given, {needed(word("type", {"AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY"}))});
  if (given->at("type").as_string() != "AWS_OWNED_KEY") {
    throw Refusal("InvalidEncryptionConfiguration",
                  "Invalid Encryption Configuration: there are no customer managed keys here; the "
                  "disk's own encryption keeps the data");
  }
  return default_encryption();
}

std::string unless_null(const json::object& input, std::string_view key) {
  return maybe_text(input, key).value_or("");
}

// Before members are checked: what is no text is refused by that.
std::string given_text(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// Who changes what a machine does gives its role away, too.
std::string role_after_update(const Service& service, const json::object& input) {
  if (auto given = given_text(input, "roleArn"); !given.empty()) return given;
  const std::string arn = given_text(input, "stateMachineArn");
  if (given_text(input, "definition").empty() || arn.empty()) return {};
  return service.workflow.machines().describe(arn).settings.role;
}

// Once it stands in the machine, each line is looked at again.
void check_may_log(const Service& service, const std::string& role, const std::string& machine_arn,
                   const json::object& logging) {
  const json::value settings = logging;
  const auto* group =
      base::find_pointer(settings, "/destinations/0/cloudWatchLogsLogGroup/logGroupArn");
  if (group == nullptr || logging.at("level").as_string() == "OFF" || !service.options.may_log) {
    return;
  }
  if (service.options.may_log(role, machine_arn, std::string(group->as_string()))) return;
  throw ServiceError(400, "AccessDeniedException",
                     "The state machine IAM Role is not authorized to access the Log Destination");
}

json::value create(const Service& service, const json::object& input) {
  workflow::NewMachine machine;
  machine.name = unless_null(input, "name");
  machine.definition = unless_null(input, "definition");
  machine.type =
      unless_null(input, "type") == "EXPRESS" ? MachineType::express : MachineType::standard;
  machine.settings.role = unless_null(input, "roleArn");
  machine.settings.logging = read_logging(service, input).value_or(default_logging());
  machine.settings.tracing = read_tracing(input).value_or(default_tracing());
  machine.settings.encryption = read_encryption(input).value_or(default_encryption());
  check_may_log(service, machine.settings.role, service.workflow.arns().machine(machine.name),
                machine.settings.logging);
  machine.tags = read_tags(input);
  machine.publish = flag(input, "publish");
  machine.version_description = unless_null(input, "versionDescription");
  const auto created = service.workflow.machines().create(machine);
  json::object output{{"stateMachineArn", created.arn}, {"creationDate", seconds(created.created)}};
  put_unless_empty(output, "stateMachineVersionArn", created.version_arn);
  return output;
}

json::value update(const Service& service, const json::object& input) {
  workflow::MachineUpdate update;
  update.definition = maybe_text(input, "definition");
  update.role = maybe_text(input, "roleArn");
  update.logging = read_logging(service, input);
  update.tracing = read_tracing(input);
  update.encryption = read_encryption(input);
  update.publish = flag(input, "publish");
  update.version_description = unless_null(input, "versionDescription");
  if (update.logging || update.role) {
    const std::string arn = unless_null(input, "stateMachineArn");
    const Machine before = service.workflow.machines().describe(arn);
    check_may_log(service, update.role.value_or(before.settings.role), before.arn,
                  update.logging.value_or(before.settings.logging));
  }
  const auto updated =
      service.workflow.machines().update(unless_null(input, "stateMachineArn"), update);
  json::object output{{"updateDate", seconds(updated.updated)}};
  put_unless_empty(output, "revisionId", updated.revision_id);
  put_unless_empty(output, "stateMachineVersionArn", updated.version_arn);
  return output;
}

void put_settings(json::object& output, const Machine& machine) {
  output["loggingConfiguration"] = machine.settings.logging;
  output["tracingConfiguration"] = machine.settings.tracing;
  output["encryptionConfiguration"] = machine.settings.encryption;
  put_unless_empty(output, "revisionId", machine.revision_id);
}

json::value describe(const Service& service, const json::object& input) {
  const Machine machine =
      service.workflow.machines().describe(unless_null(input, "stateMachineArn"));
  const bool with_data = unless_null(input, "includedData") != "METADATA_ONLY";
  json::object output{
      {"stateMachineArn", machine.version_arn.empty() ? machine.arn : machine.version_arn},
      {"name", machine.name},
      {"status", machine.is_deleting ? "DELETING" : "ACTIVE"},
      {"definition", with_data ? machine.definition : ""},
      {"roleArn", machine.settings.role},
      {"type", to_string(machine.type)},
      {"creationDate", seconds(machine.created)}};
  put_settings(output, machine);
  put_unless_empty(output, "description", machine.description);
  return output;
}

json::value describe_for_execution(const Service& service, const json::object& input) {
  const std::string arn = unless_null(input, "executionArn");
  workflow::check_standard_execution_arn(arn);
  const workflow::Execution execution = service.workflow.executions().require(arn);
  const auto machine = service.workflow.machines().find_revision(execution.revision);
  if (!machine) {
    throw Refusal("ExecutionDoesNotExist", "Execution Does Not Exist: '" + arn + "'");
  }
  const bool with_data = unless_null(input, "includedData") != "METADATA_ONLY";
  const std::string name = execution.machine.substr(execution.machine.rfind(':') + 1);
  const std::size_t slash = name.find('/');
  json::object output{{"stateMachineArn", execution.machine},
                      {"name", name.substr(0, slash)},
                      {"definition", with_data ? machine->definition : ""},
                      {"roleArn", machine->settings.role},
                      {"updateDate", seconds(machine->updated)}};
  put_settings(output, *machine);
  put_unless_empty(output, "mapRunArn", execution.map_run);
  if (slash != std::string::npos) output["label"] = name.substr(slash + 1);
  return output;
}

json::value list(const Service& service, const json::object& input) {
  const auto listed =
      service.workflow.machines().list(read_page(service, "ListStateMachines", input));
  json::array machines;
  for (const Machine& machine : listed.items) {
    machines.push_back(json::object{{"stateMachineArn", machine.arn},
                                    {"name", machine.name},
                                    {"type", to_string(machine.type)},
                                    {"creationDate", seconds(machine.created)}});
  }
  json::object output{{"stateMachines", std::move(machines)}};
  put_next(service, "ListStateMachines", output, listed.next);
  return output;
}

json::value remove(const Service& service, const json::object& input) {
  service.workflow.delete_machine(unless_null(input, "stateMachineArn"));
  return json::object();
}

json::value tag(const Service& service, const json::object& input) {
  service.workflow.tag(unless_null(input, "resourceArn"), read_tags(input));
  return json::object();
}

json::value untag(const Service& service, const json::object& input) {
  std::vector<std::string> keys;
  for (const json::value& key : input.at("tagKeys").as_array()) {
    if (key.is_string()) keys.emplace_back(key.get_string());
  }
  service.workflow.untag(unless_null(input, "resourceArn"), keys);
  return json::object();
}

json::value list_tags(const Service& service, const json::object& input) {
  json::array tags;
  for (const auto& [key, value] : service.workflow.tags(unless_null(input, "resourceArn"))) {
    tags.push_back(json::object{{"key", key}, {"value", value}});
  }
  return json::object{{"tags", std::move(tags)}};
}

}  // namespace

std::vector<Operation> machine_rows(const Service& service) {
  const MemberRule definition = secret("definition", 1'048'576, 1);
  const MemberRule type = word("type", {"STANDARD", "EXPRESS"});
  const MemberRule machine = needed(arn("stateMachineArn"));
  const MemberRule included = word("includedData", {"ALL_DATA", "METADATA_ONLY"});
  const auto settings = [](std::vector<MemberRule> rules) {
    for (const char* name :
         {"loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"}) {
      rules.push_back(object_rule(name));
    }
    rules.push_back(flag_rule("publish"));
    rules.push_back(text("versionDescription", 0, 256));
    return rules;
  };
  return {with_pass_role(service,
                         row(service, "CreateStateMachine",
                             settings({needed(name_rule()), needed(definition),
                                       needed(arn("roleArn")), type, list_rule("tags")}),
                             create),
                         [](const Service&, const json::object& input) {
                           return given_text(input, "roleArn");
                         }),
          with_pass_role(service,
                         row(service, "UpdateStateMachine",
                             settings({machine, definition, arn("roleArn")}), update),
                         role_after_update),
          row(service, "DescribeStateMachine", {machine, included}, describe),
          row(service, "DescribeStateMachineForExecution", {needed(arn("executionArn")), included},
              describe_for_execution),
          row(service, "ListStateMachines", with_page({}), list),
          row(service, "DeleteStateMachine", {machine}, remove),
          row(service, "TagResource", {needed(arn("resourceArn")), needed(list_rule("tags"))}, tag),
          row(service, "UntagResource", {needed(arn("resourceArn")), needed(list_rule("tagKeys"))},
              untag),
          row(service, "ListTagsForResource", {needed(arn("resourceArn"))}, list_tags)};
}

}  // namespace andon::api::states
