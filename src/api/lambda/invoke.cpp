// SPDX-License-Identifier: Apache-2.0
// Calls.
#include <memory>
#include <utility>

#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;
using functions::CallEnd;

constexpr std::size_t kMostPayload = 6'291'456;
constexpr std::size_t kMostContext = 3'583;
constexpr std::size_t kMostDepth = 512;
constexpr int kOk = 200;
constexpr int kAccepted = 202;
constexpr int kNothing = 204;

std::string read_payload(const json::object& input) {
  std::string payload = text_or_empty(input, "Payload");
  if (payload.empty()) return "{}";
  if (payload.size() > kMostPayload) {
    throw ServiceError(413, "RequestTooLargeException",
                       "Request must be smaller than " + std::to_string(kMostPayload) +
                           " bytes for the InvokeFunction operation");
  }
  try {
    (void)base::parse_json(payload, "payload", {.max_depth = kMostDepth});
  } catch (const Error& error) {
    throw ServiceError(400, "InvalidRequestContentException",
                       "Could not parse request body into json: Could not parse payload into "
                       "json: " +
                           error.message());
  }
  return payload;
}

// As the function gets it: JSON of one line, in ASCII where its header can have no more.
std::string read_context(const json::object& input) {
  const std::string given = text_or_empty(input, "ClientContext");
  if (given.empty()) return {};
  const auto text = base::from_base64(given);
  if (given.size() > kMostContext || !text) {
    throw ServiceError(400, "InvalidRequestContentException",
                       "Client context must be the base64 of a JSON object, at most 3583 bytes");
  }
  try {
    const json::value value = base::parse_json(*text, "client context");
    if (value.is_object()) return base::to_text(value);
  } catch (const Error&) {
    // The same refusal.
  }
  throw ServiceError(400, "InvalidRequestContentException",
                     "Client context must be the base64 of a JSON object, at most 3583 bytes");
}

json::object answer_of(const CallEnd& end, const std::string& version, bool wants_log) {
  json::object output{{"StatusCode", kOk}, {"Payload", end.payload}, {"ExecutedVersion", version}};
  if (end.kind == CallEnd::Kind::failed) output["FunctionError"] = "Unhandled";
  if (wants_log) output["LogResult"] = base::to_base64(end.log_tail);
  return output;
}

void invoke(const LambdaParts& parts, const OperationContext& context, const Answer& answer) {
  const json::object& input = context.input;
  const auto ref = read_ref(input);
  const std::string type =
      word_or_empty(input, "InvocationType", {"RequestResponse", "Event", "DryRun"});
  const bool wants_log = word_or_empty(input, "LogType", {"None", "Tail"}) == "Tail";
  std::string payload = read_payload(input);
  std::string client = read_context(input);
  auto& functions = parts.functions;
  const functions::Resolved resolved = functions.invoker.check(ref);
  if (type == "DryRun")
    return answer.succeed(json::object{{"StatusCode", kNothing}, {"Payload", ""}});
  if (type == "Event") {
    if (payload.size() > functions::EventQueue::kMostPayload) {
      throw ServiceError(413, "RequestTooLargeException",
                         std::to_string(payload.size()) +
                             " byte payload is too large for the Event invocation type (limit " +
                             std::to_string(functions::EventQueue::kMostPayload) + " bytes)");
    }
    functions.events.add(
        {.ref = ref, .payload = std::move(payload), .client_context = std::move(client)});
    return answer.succeed(json::object{{"StatusCode", kAccepted}, {"Payload", ""}});
  }
  functions.invoker.invoke(
      resolved,
      {.ref = ref,
       .payload = std::move(payload),
       .client_context = std::move(client),
       .id = base::random_uuid()},
      [answer, version = resolved.version.label(), wants_log](const CallEnd& end) {
        if (auto failure = invocation_failure(end)) return answer.fail(failure);
        answer.succeed(answer_of(end, version, wants_log));
      });
}

}  // namespace

std::vector<Operation> invoke_rows(const Parts& parts) {
  Operation row{"lambda",
                "Invoke",
                Protocol::rest_json,
                "POST",
                "/2015-03-31/functions/{FunctionName}/invocations",
                kOk,
                {}};
  row.later = [parts](const OperationContext& context, const Answer& answer) {
    invoke(*parts, context, answer);
  };
  row.headers = {{"x-amz-invocation-type", "InvocationType"},
                 {"x-amz-log-type", "LogType"},
                 {"x-amz-client-context", "ClientContext"}};
  row.blob = {.input = "Payload",
              .output = "Payload",
              .status = "StatusCode",
              .headers = {{"X-Amz-Function-Error", "FunctionError"},
                          {"X-Amz-Log-Result", "LogResult"},
                          {"X-Amz-Executed-Version", "ExecutedVersion"}}};
  return {row};
}

}  // namespace andon::api::lambda

namespace andon::api {

std::exception_ptr invocation_failure(const functions::CallEnd& end) {
  using functions::CallEnd;
  switch (end.kind) {
    case CallEnd::Kind::answered:
    case CallEnd::Kind::failed:
      return nullptr;
    case CallEnd::Kind::throttled:
      return std::make_exception_ptr(
          ServiceError(429, "TooManyRequestsException", "Rate Exceeded.", end.text));
    case CallEnd::Kind::refused:
      break;
  }
  return std::make_exception_ptr(ServiceError(500, "ServiceException", end.text));
}

}  // namespace andon::api
