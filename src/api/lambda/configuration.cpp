// SPDX-License-Identifier: Apache-2.0
// What may be said of a function, and what it is where nothing is said.
#include <algorithm>

#include "api/lambda/rows.hpp"
#include "api/table/internal_call.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/ascii.hpp"
#include "control/logs/logs.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostEnvironment = 4'096;

#if defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
constexpr std::string_view kArchitecture = "x86_64";
#endif

const std::vector<MemberRule>& rules_of_configuration() {
  static const std::vector<MemberRule> all = {
      rules::text("Runtime", 1, 64),           rules::text("Role", 1, 10'000),
      rules::text("Handler", 0, 128),          rules::text("Description", 0, 256),
      rules::number("Timeout", 1, 900),        rules::number("MemorySize", 128, 10'240),
      rules::object_rule("Environment"),       rules::object_rule("DeadLetterConfig"),
      rules::object_rule("TracingConfig"),     rules::object_rule("EphemeralStorage"),
      rules::object_rule("LoggingConfig"),     rules::object_rule("SnapStart"),
      rules::list_rule("Architectures", 1, 1), rules::list_rule("Layers"),
      rules::object_rule("ImageConfig")};
  return all;
}

Error wrong(const std::string& message) {
  return Error(ErrorCode::invalid_argument, message);
}

void check_runtime(const std::string& runtime) {
  if (functions::is_known_runtime(runtime)) return;
  throw wrong(
      "Runtime: this server runs python3.N (with its machine's python3), provided, "
      "provided.al2 and provided.al2023 (an executable `bootstrap`), and not '" +
      runtime.substr(0, 64) + "'");
}

// Another machine's programs would not run here.
void check_architectures(const json::value& value) {
  const auto& list = value.as_array();
  if (list.size() == 1 && list[0].is_string() && list[0].get_string() == kArchitecture) return;
  throw wrong("Architectures: this machine is " + std::string(kArchitecture));
}

json::object read_environment(const json::object& given) {
  json::object variables;
  const auto* listed = base::object_at(given, "Variables");
  if (listed == nullptr) return json::object{{"Variables", json::object{}}};
  std::string reserved;
  for (const auto& [name, value] : *listed) {
    const bool fits = name.size() > 1 && base::is_name_of(name, "_") &&
                      std::string_view("0123456789_").find(name[0]) == std::string_view::npos;
    if (functions::is_reserved_variable(name)) {
      reserved.append(reserved.empty() ? "" : ", ").append(name);
    } else if (!fits) {
      throw wrong("Environment.Variables: '" + std::string(name).substr(0, 100) +
                  "' is no name of letters, digits and _ that begins with a letter and has two "
                  "characters or more");
    }
    if (!value.is_string() || value.get_string().find('\0') != std::string_view::npos) {
      throw wrong("Environment.Variables." + std::string(name) + ": must be a text without NUL");
    }
    variables[name] = value;
  }
  if (!reserved.empty()) {
    throw wrong(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not "
        "supported for modification. Reserved keys used in this request: " +
        reserved);
  }
  const std::string text = base::to_text(variables);
  if (text.size() > kMostEnvironment) {
    throw wrong(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit. String measured: " +
        text.substr(0, kMostEnvironment));
  }
  return json::object{{"Variables", std::move(variables)}};
}

json::object read_logging(const json::object& given, const std::string& name) {
  const std::string format = text_or_empty(given, "LogFormat");
  if (!format.empty() && format != "Text") {
    throw wrong("LoggingConfig.LogFormat: this server writes Text; leave it out");
  }
  std::string group = text_or_empty(given, "LogGroup");
  if (group.empty()) group = "/aws/lambda/" + name;
  control::check_log_group_name(group);
  return {{"LogFormat", "Text"}, {"LogGroup", group}};
}

// What is run is the handler that stands here for the image, or the one that is named.
json::object read_image_config(const json::object& given) {
  json::object config;
  if (given.contains("Command")) {
    const auto words = text_list(given, "Command");
    if (words.size() > 1) {
      throw wrong("ImageConfig.Command: must be one word, the handler");
    }
    config["Command"] = to_array(words);
  }
  for (const auto* member : {"EntryPoint", "WorkingDirectory"}) {
    const auto* value = given.if_contains(member);
    const bool is_empty = value == nullptr || value->is_null() ||
                          (value->is_array() && value->get_array().empty()) ||
                          (value->is_string() && value->get_string().empty());
    if (!is_empty) {
      throw wrong(std::string("ImageConfig.") + member +
                  ": this server runs no container images; the handler of Command is run in the "
                  "directory that stands for the image");
    }
  }
  return config;
}

void check_role(const LambdaParts& parts, const Caller& caller, const std::string& role,
                const std::string& arn) {
  require_pass_role(parts.authorizer, caller, Protocol::rest_json, role, control::kFunctionsService,
                    arn);
  try {
    (void)parts.iam.roles.take({.role_arn = role,
                                .session = "check",
                                .service = control::kFunctionsService,
                                .source_arn = arn});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    throw wrong("The role defined for the function cannot be assumed by Lambda. (" +
                error.message() + ")");
  }
}

}  // namespace

void check_destination(const LambdaParts& parts, std::string_view member, const std::string& arn) {
  const auto& arns = parts.functions.registry.arns();
  const auto group = fleet::parse_log_group_arn(arn);
  if (group && (arn == arns.log_group(group->name) || arn == arns.log_group(group->name) + ":*")) {
    return;
  }
  // A bus that is not there takes nothing, as at AWS.
  const std::string bus = "arn:aws:events:" + arns.region() + ":" + arns.account() + ":event-bus/";
  if (arn.starts_with(bus) && arn.size() > bus.size()) return;
  if (arn.starts_with(functions::function_arn(arns, ""))) {
    const auto ref = functions::parse_function_ref(arn);
    (void)parts.functions.registry.find(ref);
    return;
  }
  throw wrong(std::string(member) + ": '" + arn.substr(0, 256) +
              "' is neither a log group, an event bus nor a function of this server; queues and "
              "topics are not supported as destinations");
}

json::object read_configuration(const LambdaParts& parts, const OperationContext& context,
                                const std::string& name) {
  const json::object& input = context.input;
  check_members(input, rules_of_configuration());
  json::object config;
  for (const auto* member :
       {"Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize"}) {
    const auto* value = input.if_contains(member);
    if (value != nullptr && !value->is_null()) config[member] = *value;
  }
  if (config.contains("Runtime")) check_runtime(required_text(input, "Runtime"));
  if (config.contains("Role")) {
    check_role(parts, context.caller, required_text(input, "Role"),
               functions::function_arn(parts.functions.registry.arns(), name));
  }
  if (const auto* given = base::object_at(input, "Environment"))
    config["Environment"] = read_environment(*given);
  if (const auto* given = base::object_at(input, "DeadLetterConfig")) {
    const std::string target = text_or_empty(*given, "TargetArn");
    if (!target.empty()) check_destination(parts, "DeadLetterConfig.TargetArn", target);
    config["DeadLetterConfig"] = json::object{{"TargetArn", target}};
  }
  if (const auto* given = base::object_at(input, "TracingConfig")) {
    config["TracingConfig"] =
        json::object{{"Mode", word_or_empty(*given, "Mode", {"PassThrough", "Active"})}};
    if (text_or_empty(*given, "Mode") != "PassThrough") {
      throw wrong("TracingConfig.Mode: there are no traces here; only PassThrough is supported");
    }
  }
  if (const auto* given = base::object_at(input, "EphemeralStorage")) {
    check_members(*given, {rules::needed(rules::number("Size", 512, 10'240))});
    config["EphemeralStorage"] = *given;
  }
  if (const auto* given = base::object_at(input, "LoggingConfig")) {
    config["LoggingConfig"] = read_logging(*given, name);
  }
  if (const auto* given = base::object_at(input, "SnapStart");
      given != nullptr && text_or_empty(*given, "ApplyOn") != "None") {
    throw wrong("SnapStart.ApplyOn: this server takes no snapshots; only None is supported");
  }
  if (const auto* given = input.if_contains("Layers"); given != nullptr && given->is_array()) {
    config["Layers"] = read_layers(parts, input);
  }
  if (const auto* given = base::object_at(input, "ImageConfig")) {
    config["ImageConfigResponse"] = json::object{{"ImageConfig", read_image_config(*given)}};
  }
  if (const auto* given = input.if_contains("Architectures");
      given != nullptr && given->is_array()) {
    check_architectures(*given);
  }
  return config;
}

void add_defaults(json::object& config, const std::string& name) {
  const std::pair<const char*, json::value> all[] = {
      {"Description", ""},
      {"Timeout", 3},
      {"MemorySize", 128},
      {"TracingConfig", json::object{{"Mode", "PassThrough"}}},
      {"EphemeralStorage", json::object{{"Size", 512}}},
      {"SnapStart", json::object{{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}}},
      {"LoggingConfig", json::object{{"LogFormat", "Text"}, {"LogGroup", "/aws/lambda/" + name}}},
      {"PackageType", "Zip"},
      {"Architectures", json::array{kArchitecture}}};
  for (const auto& [member, value] : all) {
    if (!config.contains(member)) config[member] = value;
  }
}

void check_configuration(const json::object& config) {
  if (config.contains(functions::kImageMember)) {
    for (const auto* member : {"Runtime", "Handler", "Layers"}) {
      if (config.contains(member)) {
        throw wrong(std::string("Please don't provide ") + member +
                    " when the packageType is Image.");
      }
    }
    return;
  }
  if (config.contains("ImageConfigResponse")) {
    throw wrong("ImageConfig: is for functions of PackageType Image");
  }
  if (!config.contains("Runtime")) {
    throw wrong("Runtime is mandatory for functions created with deployment packages.");
  }
  const std::string handler = text_or_empty(config, "Handler");
  const bool is_python = functions::is_python(text_or_empty(config, "Runtime"));
  if (handler.empty() && is_python) {
    throw wrong("Handler is mandatory for functions created with deployment packages.");
  }
  if (handler.find_first_of(" \t\r\n") != std::string::npos) {
    throw wrong("Handler: has a blank in it");
  }
}

}  // namespace andon::api::lambda
