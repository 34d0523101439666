// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/lambda_task.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/lambda/lambda.hpp"
#include "api/table/members.hpp"
#include "api/tasks/sdk_task.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using asl::Resource;
using functions::CallEnd;
using workflow::TaskFailure;
using workflow::TaskReply;

constexpr std::array<std::string_view, 6> kParameters = {
    "FunctionName", "Payload", "Qualifier", "InvocationType", "ClientContext", "LogType"};
constexpr int kOk = 200;
constexpr int kAccepted = 202;
constexpr std::size_t kMostDepth = 512;

// What of lambda:invoke the result has beside the payload.
json::object result_of(int status, json::value payload, const std::string& id,
                       const std::string& version) {
  const std::string length = std::to_string(payload.is_null() ? 0 : base::to_text(payload).size());
  json::object headers{
      {"Content-Length", length}, {"Content-Type", "application/json"}, {"x-amzn-RequestId", id}};
  json::object result;
  if (!version.empty()) {
    headers["X-Amz-Executed-Version"] = version;
    result["ExecutedVersion"] = version;
  }
  json::object all;
  for (const auto& [name, value] : headers) all[name] = json::array{value};
  result["Payload"] = std::move(payload);
  result["SdkHttpMetadata"] = json::object{{"AllHttpHeaders", std::move(all)},
                                           {"HttpHeaders", std::move(headers)},
                                           {"HttpStatusCode", status}};
  result["SdkResponseMetadata"] = json::object{{"RequestId", id}};
  result["StatusCode"] = status;
  return result;
}

json::value read_answer(const std::string& payload) {
  try {
    return base::parse_json(payload, "a function's answer", {.max_depth = kMostDepth});
  } catch (const base::Error& error) {
    throw TaskFailure("Lambda.Unknown", "The function's answer is no JSON: " + error.message());
  }
}

TaskFailure failure_of(const std::string& payload, bool is_bare) {
  json::value value;
  try {
    value = base::parse_json(payload, "a function's error", {.max_depth = kMostDepth});
  } catch (const base::Error&) {
    // It names no type.
  }
  const auto* object = value.if_object();
  const auto* type = object == nullptr ? nullptr : object->if_contains("errorType");
  if (type == nullptr || !type->is_string() || type->get_string().empty()) {
    return TaskFailure("Lambda.Unknown",
                       "The cause could not be determined because Lambda did not return an error "
                       "type. Returned payload: " +
                           payload);
  }
  return TaskFailure(std::string(type->get_string()), is_bare ? payload : base::to_text(value));
}

// With the code in its text, as this integration alone has it.
std::string cause_of(const std::string& message, const char* status, const char* code) {
  return message + " (Service: AWSLambda; Status Code: " + status + "; Error Code: " + code +
         "; Request ID: " + base::random_uuid() + "; Proxy: null)";
}

void tell(const TaskReply& reply, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const TaskFailure& told) {
    reply.failed(told.error(), told.cause());
  } catch (...) {
    const TaskFailure told = sdk_failure("Lambda", "lambda", failure);
    reply.failed(told.error(), told.cause());
  }
}

}  // namespace

struct LambdaTask::Wanted {
  functions::FunctionRef ref;
  std::string payload;
  std::string client_context;
  bool is_bare = false;
  bool is_event = false;
  bool is_dry = false;
  bool wants_log = false;
};

bool LambdaTask::has(const Resource& resource) const {
  return resource.kind == Resource::Kind::lambda ||
         (resource.type == "lambda" &&
          (resource.action == "invoke" || resource.action == "invoke.waitForTaskToken"));
}

LambdaTask::Wanted LambdaTask::read(const workflow::TaskRequest& task) const {
  Wanted wanted;
  if (task.resource.kind == Resource::Kind::lambda) {
    wanted.is_bare = true;
    wanted.ref = functions::parse_function_ref(task.resource.text);
    wanted.payload = base::to_text(*task.parameters);
    return wanted;
  }
  const auto* parameters = task.parameters->if_object();
  if (parameters == nullptr) {
    throw TaskFailure("States.Runtime", "The parameters of lambda:invoke must be an object");
  }
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(kParameters, std::string_view(name)) == kParameters.end()) {
      throw TaskFailure("States.Runtime", "The parameter '" + std::string(name) +
                                              "' is not supported by lambda:invoke here");
    }
  }
  wanted.ref = functions::parse_function_ref(required_text(*parameters, "FunctionName"),
                                             text_or_empty(*parameters, "Qualifier"));
  const auto* payload = parameters->if_contains("Payload");
  wanted.payload = payload == nullptr ? "{}" : base::to_text(*payload);
  const std::string type =
      word_or_empty(*parameters, "InvocationType", {"RequestResponse", "Event", "DryRun"});
  wanted.is_event = type == "Event";
  wanted.is_dry = type == "DryRun";
  wanted.wants_log = word_or_empty(*parameters, "LogType", {"None", "Tail"}) == "Tail";
  if (const std::string context = text_or_empty(*parameters, "ClientContext"); !context.empty()) {
    const auto text = base::from_base64(context);
    const json::value value = base::parse_json(text.value_or(""), "ClientContext");
    wanted.client_context = base::to_text(value);
  }
  return wanted;
}

void LambdaTask::start(const workflow::TaskRequest& task, const TaskReply& reply) {
  try {
    Wanted wanted = read(task);
    const auto& arns = functions_.registry.arns();
    // First: who may not call it is not told whether it is there.
    if (authorize_) {
      authorize_(task, functions::function_arn(arns, wanted.ref.name, wanted.ref.qualifier));
    }
    const functions::Resolved function = functions_.invoker.check(wanted.ref);
    const bool waits = task.resource.pattern == Resource::Pattern::task_token;
    const std::string id = base::random_uuid();
    const auto succeed = [reply, waits](json::value output) {
      if (waits) {
        reply.submitted(std::move(output));
      } else {
        reply.succeeded(std::move(output));
      }
    };
    if (wanted.is_dry) {
      constexpr int kNothing = 204;
      return succeed(result_of(kNothing, "", id, {}));
    }
    if (wanted.is_event) {
      functions_.events.add({.ref = wanted.ref,
                             .payload = std::move(wanted.payload),
                             .client_context = std::move(wanted.client_context)});
      return succeed(result_of(kAccepted, "", id, {}));
    }
    functions_.invoker.invoke(
        function,
        {.ref = wanted.ref,
         .payload = std::move(wanted.payload),
         .client_context = std::move(wanted.client_context),
         .id = id},
        [reply, succeed, id, is_bare = wanted.is_bare, wants_log = wanted.wants_log,
         version = function.version.label()](const CallEnd& end) {
          try {
            if (const auto failure = invocation_failure(end)) std::rethrow_exception(failure);
            if (end.kind == CallEnd::Kind::failed) throw failure_of(end.payload, is_bare);
            json::value answer = read_answer(end.payload);
            if (is_bare) return succeed(std::move(answer));
            json::object result = result_of(kOk, std::move(answer), id, version);
            if (wants_log) result["LogResult"] = base::to_base64(end.log_tail);
            succeed(std::move(result));
          } catch (...) {
            tell(reply, std::current_exception());
          }
        });
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::not_found) {
      reply.failed("Lambda.ResourceNotFoundException",
                   cause_of(error.what(), "404", "ResourceNotFoundException"));
    } else if (error.code() == base::ErrorCode::permission_denied) {
      reply.failed("Lambda.AWSLambdaException",
                   cause_of(error.what(), "403", "AccessDeniedException"));
    } else {
      tell(reply, std::current_exception());
    }
  } catch (...) {
    tell(reply, std::current_exception());
  }
}

}  // namespace andon::api
