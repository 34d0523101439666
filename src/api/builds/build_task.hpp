// SPDX-License-Identifier: Apache-2.0
// arn:aws:states:::codebuild:startBuild and .sync of state machines: a build is started as the
// machine's role; .sync ends with it. A repeated call finds the build that it made; stopping the
// execution stops it.
#pragma once

#include "api/builds/build_runner.hpp"
#include "api/tasks/task_roles.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class BuildTask final : public workflow::Integration {
 public:
  explicit BuildTask(const TaskRoles& roles) : roles_(roles) {}
  // Before a task is begun.
  void set_runner(BuildRunner& runner) { runner_ = &runner; }

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  void cancel(const workflow::TaskRequest& task) override;

 private:
  [[nodiscard]] base::json::value call(const workflow::TaskRequest& task,
                                       std::string_view operation,
                                       const base::json::object& input) const;
  [[nodiscard]] base::json::object input_of(const workflow::TaskRequest& task) const;

  const TaskRoles& roles_;
  BuildRunner* runner_ = nullptr;
};

}  // namespace andon::api
