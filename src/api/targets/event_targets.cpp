// SPDX-License-Identifier: Apache-2.0
#include "api/targets/event_targets.hpp"

#include <algorithm>
#include <utility>

#include "api/table/members.hpp"
#include "api/table/service_errors.hpp"
#include "api/tasks/sdk/sdk_names.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/encoding.hpp"
#include "control/iam/role_sessions.hpp"
#include "control/identity/access_keys.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using events::Delivery;
using events::Outcome;
using events::Reply;
using events::TargetKind;

constexpr int kServerError = 500;
constexpr int kTooMany = 429;
constexpr std::size_t kDateLength = 10;

bool is_schedule(const Delivery& delivery) {
  return delivery.source_arn.starts_with("arn:aws:scheduler:");
}

// "rule-name", "group.schedule": of the ARN of what sends.
std::string source_name(const Delivery& delivery) {
  const std::size_t slash = delivery.source_arn.find('/');
  std::string name = delivery.source_arn.substr(slash + 1);
  std::ranges::replace(name, '/', '.');
  return name;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// What a schedule's input says of its run.
std::string with_context(const Delivery& delivery) {
  std::string input = delivery.input;
  if (!is_schedule(delivery)) return input;
  replace_all(input, "<aws.scheduler.schedule-arn>", delivery.source_arn);
  replace_all(input, "<aws.scheduler.scheduled-time>", delivery.event_id);
  replace_all(input, "<aws.scheduler.execution-id>", delivery.token);
  replace_all(input, "<aws.scheduler.attempt-number>", std::to_string(delivery.attempts + 1));
  return input;
}

base::json::object object_of_input(const Delivery& delivery) {
  auto input = base::parse_json(with_context(delivery), "the target's input", {.max_depth = 1000});
  if (auto* object = input.if_object()) return std::move(*object);
  throw Error(ErrorCode::invalid_argument, "the target's input must be a JSON object");
}

// The ARN in an answer of StartExecution or StartBuild; empty: of another operation.
std::string begun_by(const base::json::value& output) {
  const auto* answer = output.if_object();
  if (answer == nullptr) return {};
  if (const auto* build = base::object_at(*answer, "build")) answer = build;
  const std::string execution = text_or_empty(*answer, "executionArn");
  return execution.empty() ? text_or_empty(*answer, "arn") : execution;
}

// The execution that a delivery to a state machine begins; empty: it goes elsewhere.
std::string execution_of(const Delivery& delivery) {
  constexpr std::string_view kMachine = ":stateMachine:";
  const std::string arn = delivery.target_arn();
  const std::size_t at = arn.find(kMachine);
  if (at == std::string::npos) return {};
  const std::string name = arn.substr(at + kMachine.size());  // with a version or an alias
  return arn.substr(0, at) + ":execution:" + name.substr(0, name.find(':')) + ":" + delivery.token;
}

}  // namespace

Outcome outcome_of(const std::exception_ptr& failure, std::string_view service) {
  const auto of = [](const ServiceError& error) {
    const std::string& code = error.code();
    const bool is_denied = code.starts_with("AccessDenied") || error.http_status() == 403;
    const bool is_absent = code.find("NotFound") != std::string::npos ||
                           code.find("DoesNotExist") != std::string::npos;
    const bool may_pass = error.http_status() >= kServerError || error.http_status() == kTooMany ||
                          code.find("Throttl") != std::string::npos ||
                          code.find("LimitExceeded") != std::string::npos ||
                          code.find("ResourceConflict") != std::string::npos;
    return Outcome{may_pass ? Outcome::Kind::failed : Outcome::Kind::refused,
                   is_denied   ? "NO_PERMISSIONS"
                   : is_absent ? "NO_RESOURCE"
                   : may_pass  ? "THROTTLING"
                               : code,
                   code + ": " + error.what()};
  };
  try {
    std::rethrow_exception(failure);
  } catch (const ServiceError& error) {
    return of(error);
  } catch (const workflow::Refusal& refusal) {
    return of(ServiceError(400, refusal.code(), refusal.message()));
  } catch (const Error& error) {
    // It is not here, and will not be while the server runs.
    if (error.code() == ErrorCode::unsupported) {
      return {Outcome::Kind::refused, "NO_RESOURCE", error.message()};
    }
    return of(translate(service, error));
  } catch (const std::exception& error) {
    return {Outcome::Kind::failed, "INTERNAL_ERROR", error.what()};
  }
}

Outcome outcome_of_call(const Delivery& delivery, std::string_view service,
                        const base::json::value& output, const std::exception_ptr& failure) {
  if (!failure) return {Outcome::Kind::delivered, {}, {}, begun_by(output)};
  Outcome outcome = outcome_of(failure, service);
  if (outcome.code != "ExecutionAlreadyExists") return outcome;
  // It was begun by an attempt whose answer was lost.
  return {Outcome::Kind::delivered, {}, {}, execution_of(delivery)};
}

Caller EventTargets::caller_of(const Delivery& delivery) const {
  return parts_.calls.as_role(
      {.role_arn = delivery.role_arn(),
       .session = source_name(delivery),
       .service = is_schedule(delivery) ? control::kSchedulerService : control::kEventsService,
       .source_arn = delivery.source_arn});
}

void EventTargets::send(const Delivery& delivery, const Reply& reply) {
  const auto ref = events::target_ref(delivery.target_arn());
  if (!ref) {
    reply({Outcome::Kind::refused, "NO_RESOURCE", "it is no target of this server"});
    return;
  }
  try {
    switch (ref->kind) {
      case TargetKind::state_machine:
        start_execution(delivery, reply);
        return;
      case TargetKind::build_project:
        start_build(delivery, ref->resource, reply);
        return;
      case TargetKind::function:
        invoke(delivery, reply);
        return;
      case TargetKind::operation:
        operate(delivery, ref->resource, reply);
        return;
      case TargetKind::log_group:
        write_log(delivery, ref->resource, reply);
        return;
      case TargetKind::topic:
        publish(delivery, ref->resource, reply);
        return;
      case TargetKind::api_destination:
        call_endpoint(delivery, ref->resource, reply);
        return;
      case TargetKind::mail:
        mail(delivery, ref->resource, reply);
        return;
      case TargetKind::bus:
        put_on_bus(delivery, ref->resource, reply);
        return;
    }
  } catch (...) {
    reply(outcome_of(std::current_exception(), "events"));
  }
}

void EventTargets::call(const Delivery& delivery, std::string_view service,
                        std::string_view operation, const base::json::object& input,
                        const Reply& reply) const {
  const Operation* row = parts_.calls.find(service, operation);
  if (row == nullptr) {
    throw Error(ErrorCode::unsupported, "this server has no operation " + std::string(service) +
                                            ":" + std::string(operation));
  }
  // Before there is an Answer, which a throw would leave without one.
  const Caller caller = caller_of(delivery);
  parts_.calls.call(caller, *row, input,
                    Answer([reply, delivery, name = std::string(service)](
                               const base::json::value& output, const std::exception_ptr& failure) {
                      reply(outcome_of_call(delivery, name, output, failure));
                    }));
}

void EventTargets::start_execution(const Delivery& delivery, const Reply& reply) const {
  call(delivery, "states", "StartExecution",
       {{"stateMachineArn", delivery.target_arn()},
        {"name", delivery.token},
        {"input", with_context(delivery)}},
       reply);
}

void EventTargets::start_build(const Delivery& delivery, const std::string& project,
                               const Reply& reply) const {
  // What the target says itself may be members of StartBuild; the event alone is none.
  base::json::object input;
  if (delivery.target.contains("Input") || delivery.target.contains("InputTransformer")) {
    input = object_of_input(delivery);
  }
  input["projectName"] = project;
  input["idempotencyToken"] = delivery.token;
  call(delivery, "codebuild", "StartBuild", input, reply);
}

void EventTargets::invoke(const Delivery& delivery, const Reply& reply) const {
  const Operation* row = parts_.calls.find("lambda", "Invoke");
  if (row == nullptr) {
    throw Error(ErrorCode::unsupported, "this server has no functions");
  }
  const base::json::object input{{"FunctionName", delivery.target_arn()},
                                 {"InvocationType", "Event"},
                                 {"Payload", with_context(delivery)}};
  // Functions are invoked in the name of the account where the target names no role.
  const Caller caller = delivery.role_arn().empty()
                            ? Caller{.access_key_id = {},
                                     .principal = std::string(control::kOperatorPrincipal),
                                     .account_id = parts_.queue.arns().account(),
                                     .region = parts_.queue.arns().region()}
                            : caller_of(delivery);
  parts_.calls.call(caller, *row, input,
                    Answer([reply](const base::json::value&, const std::exception_ptr& failure) {
                      reply(failure ? outcome_of(failure, "lambda") : Outcome{});
                    }));
}

void EventTargets::operate(const Delivery& delivery, const std::string& resource,
                           const Reply& reply) const {
  // aws-sdk:SERVICE:action
  const std::size_t colon = resource.find(':');
  const SdkService* service = find_sdk_service(resource.substr(0, colon));
  if (service == nullptr || colon == std::string::npos) {
    throw Error(ErrorCode::unsupported,
                "this server has no service '" + resource.substr(0, colon) + "'");
  }
  call(delivery, service->scope, operation_of_action(resource.substr(colon + 1)),
       from_sdk(*service, object_of_input(delivery)), reply);
}

void EventTargets::write_log(const Delivery& delivery, const std::string& group,
                             const Reply& reply) const {
  const control::LogLine line{parts_.clock.now(), with_context(delivery)};
  put_log_line(parts_.logs, group, source_name(delivery), line);
  reply({});
}

void EventTargets::publish(const Delivery& delivery, const std::string& topic,
                           const Reply& reply) const {
  if (!delivery.role_arn().empty()) {
    parts_.calls.require(caller_of(delivery), "iot:Publish", delivery.target_arn());
  }
  parts_.publish(topic, with_context(delivery), [reply](bool has_arrived) {
    reply(has_arrived ? Outcome{}
                      : Outcome{Outcome::Kind::failed, "TIMEOUT", "the broker has not taken it"});
  });
}

void put_log_line(control::Logs& logs, const std::string& group, const std::string& source,
                  const control::LogLine& line) {
  const std::string stream = source + "/" + base::to_iso8601(line.time).substr(0, kDateLength);
  const auto put = [&] { (void)logs.put(group, stream, {line}); };
  try {
    put();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    try {
      logs.create_stream(group, stream);
    } catch (const Error& other) {
      if (other.code() != ErrorCode::already_exists) throw;
    }
    put();
  }
}

Outcome outcome_of_endpoint(const std::string& error, const std::string& cause) {
  // Of the answers of others, those that say "never" are believed.
  constexpr std::string_view kStatus = "States.Http.StatusCode.";
  const std::string status = error.starts_with(kStatus) ? error.substr(kStatus.size()) : "";
  const bool is_final =
      (status.starts_with('4') && status != "429" && status != "408" && status != "409") ||
      error == "States.Permissions" || error == "States.Runtime";
  return {is_final ? Outcome::Kind::refused : Outcome::Kind::failed,
          error == "States.Permissions" ? "NO_PERMISSIONS" : error, cause};
}

base::json::object endpoint_call(const events::Destination& destination, const Delivery& delivery) {
  const auto* parameters = base::object_at(delivery.target, "HttpParameters");
  std::string endpoint = destination.endpoint;
  if (parameters != nullptr) {
    if (const auto* values = parameters->if_contains("PathParameterValues");
        values != nullptr && values->is_array()) {
      std::size_t at = 0;
      for (const base::json::value& value : values->get_array()) {
        at = endpoint.find('*', at);
        if (at == std::string::npos || !value.is_string()) {
          throw Error(ErrorCode::invalid_argument,
                      "PathParameterValues: the endpoint has fewer '*', or one is no text");
        }
        const std::string text = base::percent_encode(value.get_string());
        endpoint.replace(at, 1, text);
        at += text.size();
      }
    }
  }
  base::json::object made{
      {"ApiEndpoint", endpoint},
      {"Method", destination.method},
      {"Authentication", base::json::object{{"ConnectionArn", destination.connection_arn}}}};
  if (parameters != nullptr) {
    if (const auto* headers = base::object_at(*parameters, "HeaderParameters"))
      made["Headers"] = *headers;
    if (const auto* query = base::object_at(*parameters, "QueryStringParameters")) {
      made["QueryParameters"] = *query;
    }
  }
  if (destination.method == "GET" || destination.method == "HEAD") return made;
  try {
    made["RequestBody"] =
        base::parse_json(delivery.input, "the target's input", {.max_depth = 1000});
  } catch (const Error&) {
    made["RequestBody"] = delivery.input;  // a text
  }
  return made;
}

void EventTargets::call_endpoint(const Delivery& delivery, const std::string& resource,
                                 const Reply& reply) const {
  parts_.calls.require(caller_of(delivery), "events:InvokeApiDestination", delivery.target_arn());
  const std::size_t slash = resource.find('/');
  const events::Destination destination =
      parts_.destinations.destination(resource.substr(0, slash));
  if (slash == std::string::npos || destination.id != resource.substr(slash + 1)) {
    throw Error(ErrorCode::not_found, "the API destination was deleted and made anew");
  }
  workflow::TaskRequest task;
  task.execution = -1;  // of no execution
  task.number = delivery.id;
  task.region = parts_.queue.arns().region();
  task.parameters = query::make_data(endpoint_call(destination, delivery));
  try {
    parts_.http.call(
        task, workflow::TaskReply([reply](workflow::TaskReply::Kind kind, const query::Data&,
                                          const std::string& error, const std::string& cause) {
          if (kind != workflow::TaskReply::Kind::failed) {
            reply({});
            return;
          }
          reply(outcome_of_endpoint(error, cause));
        }));
  } catch (const workflow::TaskFailure& failure) {
    const bool is_final = failure.error() != "States.Http.Socket";
    reply({is_final ? Outcome::Kind::refused : Outcome::Kind::failed, failure.error(),
           failure.cause()});
  }
}

void EventTargets::mail(const Delivery& delivery, const std::string& address,
                        const Reply& reply) const {
  if (!delivery.role_arn().empty()) {
    parts_.calls.require(caller_of(delivery), "andon:SendMail", delivery.target_arn());
  }
  parts_.mailer.send(address, delivery, reply);
}

void EventTargets::put_on_bus(const Delivery& delivery, const std::string& bus,
                              const Reply& reply) const {
  events::Envelope event;
  if (const auto* parameters = base::object_at(delivery.target, "EventBridgeParameters")) {
    event = events::envelop({.source = text_or_empty(*parameters, "Source"),
                             .detail_type = text_or_empty(*parameters, "DetailType"),
                             .resources = {delivery.source_arn},
                             .detail = object_of_input(delivery),
                             .time = parts_.clock.now()},
                            parts_.queue.arns());
  } else {
    event.body = object_of_input(delivery);
    event.id = text_or_empty(event.body, "id");
  }
  parts_.queue.accept(bus, event);
  reply({});
}

}  // namespace andon::api
