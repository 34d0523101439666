// SPDX-License-Identifier: Apache-2.0
#include "api/builds/build_task.hpp"

#include "api/tasks/sdk/sdk_names.hpp"
#include "api/tasks/sdk_task.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using workflow::TaskFailure;

constexpr std::string_view kScope = "codebuild";

const SdkService& service() {
  return *find_sdk_service(kScope);
}

}  // namespace

bool BuildTask::has(const asl::Resource& resource) const {
  return resource.kind == asl::Resource::Kind::service && resource.type == kScope &&
         (resource.action == "startBuild" || resource.action == "startBuild.sync");
}

json::value BuildTask::call(const workflow::TaskRequest& task, std::string_view operation,
                            const json::object& input) const {
  const Caller caller = roles_.caller_of(task);
  try {
    return roles_.calls().call(caller, kScope, operation, input);
  } catch (...) {
    throw sdk_failure("CodeBuild", kScope, std::current_exception());
  }
}

json::object BuildTask::input_of(const workflow::TaskRequest& task) const {
  const auto* parameters = task.parameters->if_object();
  if (parameters == nullptr) {
    throw TaskFailure("States.Runtime", "The parameters of startBuild must be an object");
  }
  json::object input = from_sdk(service(), *parameters);
  if (!input.contains("idempotencyToken")) input["idempotencyToken"] = task.idempotency_token;
  return input;
}

void BuildTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  const json::value started = call(task, "StartBuild", input_of(task));
  const json::value output = to_sdk(service(), started);
  if (task.resource.pattern != asl::Resource::Pattern::sync) {
    reply.succeeded(output);
    return;
  }
  const std::string id(started.at("build").at("id").as_string());
  reply.submitted(output);
  // Its end is looked at as the role, too.
  const std::size_t colon = id.find(':');
  runner_->when_over(id.substr(colon + 1), [this, task, id, reply](const auto& build) {
    try {
      const json::value told =
          to_sdk(service(), call(task, "BatchGetBuilds", {{"ids", json::array{json::string(id)}}}));
      const auto& all = told.at("Builds").as_array();
      if (!build || all.empty()) {
        reply.failed("States.TaskFailed", "the build " + id + " is gone");
        return;
      }
      const json::object one{{"Build", all.front()}};
      if (build->status == "SUCCEEDED") {
        reply.succeeded(one);
      } else {
        reply.failed("States.TaskFailed", base::to_text(one));
      }
    } catch (const TaskFailure& failure) {
      reply.failed(failure.error(), failure.cause());
    } catch (const std::exception& error) {
      reply.failed("States.TaskFailed", error.what());
    }
  });
}

void BuildTask::cancel(const workflow::TaskRequest& task) {
  if (task.resource.pattern != asl::Resource::Pattern::sync) return;
  try {
    // The same call gives the build that it has made.
    const json::value started = call(task, "StartBuild", input_of(task));
    (void)call(task, "StopBuild", {{"id", started.at("build").at("id")}});
  } catch (const TaskFailure& failure) {
    base::log_warning("a build was not stopped with its execution", {{"reason", failure.cause()}});
  }
}

}  // namespace andon::api
