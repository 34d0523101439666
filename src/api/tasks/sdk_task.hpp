// SPDX-License-Identifier: Apache-2.0
// arn:aws:states:::aws-sdk:SERVICE:action for every operation of our own table, called in process
// as the machine's role. A call that is repeated after a crash carries the same client token, where
// the operation takes one.
#pragma once

#include <exception>
#include <string_view>

#include "api/table/operation.hpp"
#include "api/tasks/task_roles.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class SdkTask final : public workflow::Integration {
 public:
  explicit SdkTask(const TaskRoles& roles) : roles_(roles) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;

 private:
  [[nodiscard]] const Operation* find(const asl::Resource& resource) const;

  const TaskRoles& roles_;
};

// What an operation threw, as Step Functions names it.
[[nodiscard]] workflow::TaskFailure sdk_failure(std::string_view prefix, std::string_view scope,
                                                const std::exception_ptr& failure);

}  // namespace andon::api
