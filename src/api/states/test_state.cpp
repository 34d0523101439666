// SPDX-License-Identifier: Apache-2.0
// TestState. TRACE shows what DEBUG shows: requests and responses of HTTP calls are not kept. A
// mocked result is not compared with the model of the service that it stands for.
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

const json::object& object_at(const json::object& input, std::string_view key) {
  static const json::object none;
  const auto* found = input.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : none;
}

workflow::TestState::Mock read_mock(const json::object& mock) {
  check_members(mock, {secret("result", 262'144), object_rule("errorOutput"),
                       word("fieldValidationMode", {"STRICT", "PRESENT", "NONE"})});
  workflow::TestState::Mock read{.result = maybe_text(mock, "result"), .error = {}};
  const auto* error = mock.if_contains("errorOutput");
  if (error != nullptr && error->is_object()) {
    check_members(error->get_object(), {secret("error", 256), secret("cause", 32'768)});
    read.error = asl::Failure(maybe_text(error->get_object(), "error").value_or(""),
                              maybe_text(error->get_object(), "cause").value_or(""));
  }
  return read;
}

workflow::TestState read_request(const json::object& input) {
  workflow::TestState request;
  request.definition = maybe_text(input, "definition").value_or("");
  request.state_name = maybe_text(input, "stateName").value_or("");
  request.role = maybe_text(input, "roleArn").value_or("");
  request.input = maybe_text(input, "input");
  request.variables = maybe_text(input, "variables");
  request.context = maybe_text(input, "context");
  request.reveals_secrets = flag(input, "revealSecrets");
  const auto* mock = input.if_contains("mock");
  if (mock != nullptr && mock->is_object()) request.mock = read_mock(mock->get_object());
  const json::object& settings = object_at(input, "stateConfiguration");
  constexpr std::int64_t kMost = 1'000'000;
  check_members(
      settings,
      {number("retrierRetryCount", 0, kMost), secret("errorCausedByState", 80, 1),
       number("mapIterationFailureCount", 0, kMost), secret("mapItemReaderData", 262'144)});
  request.retries = optional_number(settings, "retrierRetryCount").value_or(0);
  request.failed_iterations = optional_number(settings, "mapIterationFailureCount");
  request.item_reader_data = maybe_text(settings, "mapItemReaderData");
  return request;
}

json::value answer_of(const asl::StateTrialOutcome& outcome, bool is_inspected) {
  json::object answer{{"status", to_string(outcome.status)}};
  if (outcome.output != nullptr) answer["output"] = base::to_text(*outcome.output);
  if (outcome.error) answer["error"] = *outcome.error;
  if (outcome.cause) answer["cause"] = *outcome.cause;
  put_unless_empty(answer, "nextState", outcome.next);
  if (is_inspected) answer["inspectionData"] = outcome.inspection;
  return answer;
}

void test(const Service& service, const json::object& input, const Answer& answer) {
  const std::string level = maybe_text(input, "inspectionLevel").value_or("INFO");
  service.workflow.trials().start(read_request(input), [answer, is_inspected = level != "INFO"](
                                                           const asl::StateTrialOutcome& outcome,
                                                           const std::exception_ptr& failure) {
    if (failure) {
      answer.fail(as_service_error(failure));
    } else {
      answer.succeed(answer_of(outcome, is_inspected));
    }
  });
}

}  // namespace

std::vector<Operation> test_rows(const Service& service) {
  return {with_pass_role(
      service,
      row_later(
          service, "TestState",
          {needed(secret("definition", 1'048'576, 1)), arn("roleArn"), secret("input", 262'144),
           word("inspectionLevel", {"INFO", "DEBUG", "TRACE"}), flag_rule("revealSecrets"),
           secret("variables", 262'144), secret("stateName", 80, 1), object_rule("mock"),
           secret("context", 262'144), object_rule("stateConfiguration")},
          test),
      [](const Service&, const json::object& input) {
        const auto* role = input.if_contains("roleArn");
        return role != nullptr && role->is_string() ? std::string(role->get_string())
                                                    : std::string();
      })};
}

}  // namespace andon::api::states
