// SPDX-License-Identifier: Apache-2.0
// arn:andon:states:::deployment:run.sync: a deployment whose task ends when the deployment has,
// with what became of it on each device. Parameters are those of greengrassv2:createDeployment.
// Looked at once a second; a deployment costs no thread meanwhile. Stopping the execution cancels
// it.
#pragma once

#include <functional>

#include "api/tasks/task_roles.hpp"
#include "control/control_plane.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class DeploymentTask final : public workflow::Integration {
 public:
  // Calls `work` a second later, on a thread that it may take its time on.
  using Later = std::function<void(std::function<void()> work)>;
  DeploymentTask(control::ControlPlane& control, const TaskRoles& roles, Later later)
      : control_(control), roles_(roles), later_(std::move(later)) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  void resume(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  void cancel(const workflow::TaskRequest& task) override;

 private:
  enum class Asked : std::uint8_t { now, before };  // whether the role must allow it, or has
  [[nodiscard]] control::Deployment create(const workflow::TaskRequest& task, Asked asked);
  void watch(const std::string& id, const workflow::TaskReply& reply);

  control::ControlPlane& control_;
  const TaskRoles& roles_;
  const Later later_;
};

}  // namespace andon::api
