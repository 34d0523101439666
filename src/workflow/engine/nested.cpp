// SPDX-License-Identifier: Apache-2.0
#include "workflow/engine/nested.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

enum class Form { plain, sync_text, sync_json, token };

Form form_of(const asl::Resource& resource) {
  if (resource.pattern == asl::Resource::Pattern::task_token) return Form::token;
  if (resource.pattern != asl::Resource::Pattern::sync) return Form::plain;
  return resource.action.ends_with(":2") ? Form::sync_json : Form::sync_text;
}

std::string text_of(const json::object& parameters, std::string_view key) {
  const auto* value = parameters.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  return value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
}

// As AWS forms it: the prefix of the service, its error, what it said.
TaskFailure failure_of(const std::exception_ptr& failure) {
  const auto made = [](const std::string& code, const std::string& message, int status) {
    std::string name = "StepFunctions." + code;
    if (!name.ends_with("Exception")) name += "Exception";
    return TaskFailure(name, message + " (Service: AWSStepFunctions; Status Code: " +
                                 std::to_string(status) + "; Error Code: " + code +
                                 "; Request ID: " + base::random_uuid() + "; Proxy: null)");
  };
  try {
    std::rethrow_exception(failure);
  } catch (const Refusal& refusal) {
    return made(refusal.code(), refusal.message(), 400);
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::permission_denied) {
      // Not one of the model's own errors.
      return TaskFailure("StepFunctions.AWSStepFunctionsException",
                         error.message() +
                             " (Service: AWSStepFunctions; Status Code: 400; Error Code: "
                             "AccessDeniedException; Request ID: " +
                             base::random_uuid() + "; Proxy: null)");
    }
    return made("AWSStepFunctionsException", error.message(), base::http_status(error.code()));
  } catch (const std::exception& error) {
    return made("AWSStepFunctionsException", error.what(), 500);
  }
}

json::object started_of(const Started& started) {
  return {{"ExecutionArn", started.arn}, {"StartDate", base::to_iso8601(started.started)}};
}

json::value data_of(const std::string& text, Form form) {
  if (form == Form::sync_text) return json::string(text);
  return base::parse_json(text, "a stored document", {.max_bytes = 64U << 20U, .max_depth = 1100});
}

json::object description_of(const Execution& child, Form form) {
  json::object told{{"ExecutionArn", child.arn}};
  if (child.cause) told["Cause"] = *child.cause;
  if (child.error) told["Error"] = *child.error;
  told["Input"] = data_of(child.input, form);
  told["InputDetails"] = {{"Included", true}};
  told["Name"] = child.name;
  if (child.output) {
    told["Output"] = data_of(*child.output, form);
    told["OutputDetails"] = {{"Included", true}};
  }
  told["StartDate"] = base::to_epoch_millis(child.started);
  told["StateMachineArn"] = child.machine;
  told["Status"] = asl::to_string(child.status);
  if (child.stopped) told["StopDate"] = base::to_epoch_millis(*child.stopped);
  return told;
}

}  // namespace

bool NestedExecutions::has(const asl::Resource& resource) const {
  constexpr std::string_view kActions[] = {"startExecution", "startExecution.sync",
                                           "startExecution.sync:2",
                                           "startExecution.waitForTaskToken"};
  return resource.kind == asl::Resource::Kind::service && resource.type == "states" &&
         std::ranges::find(kActions, resource.action) != std::end(kActions);
}

StartExecution NestedExecutions::request_of(const TaskRequest& task) const {
  const auto* parameters = task.parameters->if_object();
  if (parameters == nullptr) {
    throw TaskFailure("States.Runtime", "The parameters of startExecution must be an object");
  }
  StartExecution request;
  request.machine_arn = text_of(*parameters, "StateMachineArn");
  request.name = text_of(*parameters, "Name");
  if (request.name.empty()) request.name = task.idempotency_token;
  if (parameters->contains("Input")) request.input = text_of(*parameters, "Input");
  request.trace_header = text_of(*parameters, "TraceHeader");
  return request;
}

void NestedExecutions::start(const TaskRequest& task, const TaskReply& reply) {
  const Form form = form_of(task.resource);
  Workflow& workflow = *workflow_;
  try {
    const StartExecution request = request_of(task);
    may_call_(task, "StartExecution", {{"stateMachineArn", request.machine_arn}});
    if (task.resource.pattern == asl::Resource::Pattern::sync) {
      // Its end is looked at, which tells what DescribeExecution would.
      may_call_(task, "DescribeExecution", {{"executionArn", child_of(request)}});
    }
    workflow.start_nested(
        request, {.execution = task.execution, .branch = -1, .index = task.number},
        [&workflow, form, reply](const Started& started, const std::exception_ptr& failure) {
          if (failure) {
            const TaskFailure told = failure_of(failure);
            reply.failed(told.error(), told.cause());
            return;
          }
          if (form == Form::plain) {
            reply.succeeded(started_of(started));
            return;
          }
          reply.submitted(started_of(started));
          if (form == Form::token) return;
          // It may have ended before a crash: looked up in its own time.
          workflow.driver().pool().post([&workflow, arn = started.arn, form, reply] {
            workflow.driver().when_ended(arn, [form, reply](const Execution& child) {
              if (child.status == asl::Status::succeeded) {
                reply.succeeded(description_of(child, form));
              } else {
                reply.failed("States.TaskFailed",
                             base::to_text(description_of(child, Form::sync_text)));
              }
            });
          });
        });
  } catch (const TaskFailure&) {
    throw;
  } catch (...) {
    throw failure_of(std::current_exception());
  }
}

std::string NestedExecutions::child_of(const StartExecution& request) const {
  // A machine that is not there is refused when it is started.
  const MachineArn machine = read_machine_arn(request.machine_arn);
  return workflow_->arns().execution(machine.name, request.name);
}

void NestedExecutions::cancel(const TaskRequest& task) {
  if (task.resource.pattern != asl::Resource::Pattern::sync) return;
  const StartExecution request = request_of(task);
  const std::string arn = child_of(request);
  try {
    may_call_(task, "StopExecution", {{"executionArn", arn}});
  } catch (const std::exception& error) {
    base::log_warning("a nested execution was not stopped with its parent",
                      {{"execution", arn}, {"reason", std::string(error.what())}});
    return;
  }
  workflow_->stop(arn, std::nullopt, std::nullopt,
                  [](const base::Timestamp&, const std::exception_ptr&) {});
}

}  // namespace andon::workflow
