// SPDX-License-Identifier: Apache-2.0
// events:putEvents: events that a state puts on a bus. An entry that was refused fails the task, as
// at AWS; the entries beside it are on their way.
#pragma once

#include "api/tasks/task_roles.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class EventsTask final : public workflow::Integration {
 public:
  explicit EventsTask(const TaskRoles& roles) : roles_(roles) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;

 private:
  const TaskRoles& roles_;
};

}  // namespace andon::api
