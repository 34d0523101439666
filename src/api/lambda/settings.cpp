// SPDX-License-Identifier: Apache-2.0
// Tags, reserved concurrency, how events are handled.
#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;
using functions::EventConfig;

// Of a function, as TagResource names it.
std::string tagged(const LambdaParts& parts, const json::object& input) {
  const std::string arn = required_text(input, "Resource");
  const auto ref = functions::parse_function_ref(arn);
  const auto& registry = parts.functions.registry;
  const std::string own = functions::function_arn(registry.arns(), ref.name);
  if (!arn.starts_with("arn:") || !ref.qualifier.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "Resource: must be the ARN of a function, without a qualifier");
  }
  if (!registry.has(ref.name)) throw functions::function_not_found(registry.arns(), ref.name);
  return own;
}

json::value tag(const LambdaParts& parts, const OperationContext& context) {
  const std::string arn = tagged(parts, context.input);
  control::Tags(parts.tags).set(arn, text_map(context.input, "Tags"));
  return nullptr;
}

json::value untag(const LambdaParts& parts, const OperationContext& context) {
  const std::string arn = tagged(parts, context.input);
  std::vector<std::string> keys;
  const auto* given = context.input.if_contains("tagKeys");
  if (given != nullptr && given->is_string()) {
    keys.emplace_back(given->get_string());
  } else {
    keys = base::JsonReader(context.input, "", {.separator = ": "}).strings("tagKeys");
  }
  control::Tags(parts.tags).remove(arn, keys);
  return nullptr;
}

json::value list_tags(const LambdaParts& parts, const OperationContext& context) {
  return json::object{{"Tags", to_object(parts.tags.of(tagged(parts, context.input)))}};
}

json::value put_concurrency(const LambdaParts& parts, const OperationContext& context) {
  const auto count = optional_number(context.input, "ReservedConcurrentExecutions").value_or(0);
  if (count > static_cast<std::int64_t>(parts.most_at_once)) {
    throw Error(ErrorCode::invalid_argument,
                "Specified ReservedConcurrentExecutions for function is more than the " +
                    std::to_string(parts.most_at_once) +
                    " calls that this server runs at once (andon-server --functions)");
  }
  parts.functions.registry.reserve(read_name(context.input), count);
  return json::object{{"ReservedConcurrentExecutions", count}};
}

json::value get_concurrency(const LambdaParts& parts, const OperationContext& context) {
  json::object output;
  if (const auto count = parts.functions.registry.reserved(read_name(context.input))) {
    output["ReservedConcurrentExecutions"] = *count;
  }
  return output;
}

json::value delete_concurrency(const LambdaParts& parts, const OperationContext& context) {
  parts.functions.registry.reserve(read_name(context.input), std::nullopt);
  return nullptr;
}

std::optional<std::string> read_destination(const LambdaParts& parts, const json::object& input,
                                            std::string_view side, const std::string& function) {
  const auto* config = input.if_contains("DestinationConfig");
  const auto* object = config == nullptr ? nullptr : config->if_object();
  const auto* given = object == nullptr ? nullptr : object->if_contains(side);
  const auto* inner = given == nullptr ? nullptr : given->if_object();
  if (inner == nullptr) return std::nullopt;
  const std::string arn = text_or_empty(*inner, "Destination");
  if (arn.empty()) return std::nullopt;
  const std::string place = "DestinationConfig." + std::string(side) + ".Destination";
  check_destination(parts, place, arn);
  const bool is_function = arn.starts_with("arn:aws:lambda:");
  if (is_function && functions::parse_function_ref(arn).name == function) {
    throw Error(ErrorCode::invalid_argument, place + ": a function cannot be its own destination");
  }
  return arn;
}

EventConfig read_config(const LambdaParts& parts, const json::object& input) {
  const auto ref = read_ref(input);
  return {.function = ref.name,
          .qualifier = ref.qualifier.empty() ? std::string(functions::kLatest) : ref.qualifier,
          .most_retries = optional_number(input, "MaximumRetryAttempts"),
          .most_age_s = optional_number(input, "MaximumEventAgeInSeconds"),
          .on_success = read_destination(parts, input, "OnSuccess", ref.name),
          .on_failure = read_destination(parts, input, "OnFailure", ref.name),
          .modified = {}};
}

json::object describe_config(const LambdaParts& parts, const EventConfig& config) {
  json::object destinations{{"OnSuccess", json::object{}}, {"OnFailure", json::object{}}};
  if (config.on_success) destinations["OnSuccess"] = {{"Destination", *config.on_success}};
  if (config.on_failure) destinations["OnFailure"] = {{"Destination", *config.on_failure}};
  json::object output{{"LastModified", base::to_epoch_seconds(config.modified)},
                      {"FunctionArn", functions::function_arn(parts.functions.registry.arns(),
                                                              config.function, config.qualifier)},
                      {"DestinationConfig", std::move(destinations)}};
  if (config.most_retries) output["MaximumRetryAttempts"] = *config.most_retries;
  if (config.most_age_s) output["MaximumEventAgeInSeconds"] = *config.most_age_s;
  return output;
}

json::value put_config(const LambdaParts& parts, const OperationContext& context) {
  return describe_config(
      parts, parts.functions.settings.put_event_config(read_config(parts, context.input)));
}

json::value change_config(const LambdaParts& parts, const OperationContext& context) {
  return describe_config(
      parts, parts.functions.settings.change_event_config(read_config(parts, context.input)));
}

json::value get_config(const LambdaParts& parts, const OperationContext& context) {
  const auto ref = read_ref(context.input);
  return describe_config(
      parts,
      parts.functions.settings.event_config(
          ref.name, ref.qualifier.empty() ? std::string(functions::kLatest) : ref.qualifier));
}

json::value delete_config(const LambdaParts& parts, const OperationContext& context) {
  const auto ref = read_ref(context.input);
  parts.functions.settings.remove_event_config(
      ref.name, ref.qualifier.empty() ? std::string(functions::kLatest) : ref.qualifier);
  return nullptr;
}

json::value list_configs(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  const auto found =
      parts.functions.settings.event_configs(read_name(context.input), page.after, page.limit);
  json::array configs;
  for (const EventConfig& config : found.configs) configs.push_back(describe_config(parts, config));
  json::object output{{"FunctionEventInvokeConfigs", std::move(configs)}};
  put_marker(output, found.next);
  return output;
}

}  // namespace

std::vector<Operation> setting_rows(const Parts& parts) {
  constexpr const char* kTags = "/2017-03-31/tags/{Resource}";
  constexpr const char* kPutConcurrency = "/2017-10-31/functions/{FunctionName}/concurrency";
  constexpr const char* kGetConcurrency = "/2019-09-30/functions/{FunctionName}/concurrency";
  constexpr const char* kConfig = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
  constexpr const char* kConfigs = "/2019-09-25/functions/{FunctionName}/event-invoke-config/list";
  const std::vector<MemberRule> config = {rules::number("MaximumRetryAttempts", 0, 2),
                                          rules::number("MaximumEventAgeInSeconds", 60, 21'600),
                                          rules::object_rule("DestinationConfig")};
  return {
      row(parts, "TagResource", "POST", kTags, 204, {rules::needed(rules::object_rule("Tags"))},
          tag),
      row(parts, "UntagResource", "DELETE", kTags, 204, {}, untag),
      row(parts, "ListTags", "GET", kTags, 200, {}, list_tags),
      row(parts, "PutFunctionConcurrency", "PUT", kPutConcurrency, 200,
          {rules::needed(rules::number("ReservedConcurrentExecutions", 0, 1'000'000))},
          put_concurrency),
      row(parts, "GetFunctionConcurrency", "GET", kGetConcurrency, 200, {}, get_concurrency),
      row(parts, "DeleteFunctionConcurrency", "DELETE", kPutConcurrency, 204, {},
          delete_concurrency),
      row(parts, "PutFunctionEventInvokeConfig", "PUT", kConfig, 200, config, put_config),
      row(parts, "UpdateFunctionEventInvokeConfig", "POST", kConfig, 200, config, change_config),
      row(parts, "GetFunctionEventInvokeConfig", "GET", kConfig, 200, {}, get_config),
      row(parts, "DeleteFunctionEventInvokeConfig", "DELETE", kConfig, 204, {}, delete_config),
      row(parts, "ListFunctionEventInvokeConfigs", "GET", kConfigs, 200, {}, list_configs)};
}

}  // namespace andon::api::lambda
