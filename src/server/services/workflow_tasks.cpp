// SPDX-License-Identifier: Apache-2.0
#include "server/services/workflow_tasks.hpp"

#include <algorithm>
#include <utility>

#include "api/tasks/deployment_task.hpp"
#include "api/tasks/events_task.hpp"
#include "api/tasks/lambda_task.hpp"
#include "api/tasks/sdk_task.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::seconds kGlance{1};

// Whether the task that ordered a job still waits for it.
workflow::JobRunner::Standing standing_of(const workflow::Executions& executions,
                                          const job::JobOrder& order) {
  using Standing = workflow::JobRunner::Standing;
  if (!executions.find(order.execution)) return Standing::forgotten;
  const auto tasks = executions.tasks(order.execution);
  const bool is_open = std::ranges::any_of(tasks, [&order](const workflow::TaskRow& task) {
    return task.key.kind == workflow::TaskKind::task && task.key.number == order.task;
  });
  return is_open ? Standing::open : Standing::over;
}

}  // namespace

WorkflowTasks::WorkflowTasks(Parts parts)
    : nested_(std::make_shared<workflow::NestedExecutions>(
          [&roles = parts.roles](const workflow::TaskRequest& task, std::string_view operation,
                                 const workflow::json::object& input) {
            roles.require_operation(roles.caller_of(task), "states", operation, input);
          })),
      map_store_(parts.objects, parts.roles),
      jobs_(std::move(parts.jobs.runner)) {
  control::ControlPlane& control = parts.control;
  const api::TaskRoles& roles = parts.roles;
  integrations_.add(nested_);
  integrations_.add(std::make_shared<api::SdkTask>(roles));
  integrations_.add(std::make_shared<api::ObjectTask>(parts.objects, roles));
  integrations_.add(std::make_shared<api::LambdaTask>(
      parts.functions, [&roles](const workflow::TaskRequest& task, const std::string& function) {
        roles.require(roles.caller_of(task), "lambda:InvokeFunction", function);
      }));
  integrations_.add(
      std::make_shared<api::JobTask>(jobs_, parts.objects, roles, std::move(parts.jobs.policy)));
  integrations_.add(std::make_shared<api::EventsTask>(roles));
  builds_ = std::make_shared<api::BuildTask>(roles);
  integrations_.add(builds_);
  parts.http.require = [&roles](const workflow::TaskRequest& task, std::string_view action,
                                const std::string& resource, const policy::Context& keys) {
    roles.require(roles.caller_of(task), action, resource, keys);
  };
  steps_ = std::make_shared<api::StepTask>(parts.calls, parts.objects, parts.clock);
  integrations_.add(steps_);
  http_ = std::make_shared<api::HttpTask>(parts.connections, std::move(parts.http));
  integrations_.add(http_);
  integrations_.add(
      std::make_shared<api::DeploymentTask>(control, roles, [this](std::function<void()> work) {
        const base::SystemClock clock;
        workflow_->driver().timers().at(clock.now() + kGlance, [this, work = std::move(work)] {
          workflow_->driver().pool().post(work);
        });
      }));
}

void WorkflowTasks::set_engine(workflow::Workflow& workflow, api::BuildRunner& builds,
                               workflow::JobRunner::Ask model_jobs) {
  workflow_ = &workflow;
  nested_->set_engine(workflow);
  builds_->set_runner(builds);
  jobs_.run([&workflow, &builds, model_jobs = std::move(model_jobs)](const job::JobOrder& order) {
    if (const auto standing = builds.standing(order)) return *standing;
    // Executions are numbered from 1 on.
    return order.execution == 0 ? model_jobs(order) : standing_of(workflow.executions(), order);
  });
}

}  // namespace andon::server
