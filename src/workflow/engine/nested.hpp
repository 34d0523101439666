// SPDX-License-Identifier: Apache-2.0
// arn:aws:states:::states:startExecution, plain, .sync, .sync:2 and .waitForTaskToken: state
// machines that start others. A call that is repeated after a crash finds the execution that it
// made; stopping the parent of a .sync child stops the child.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "workflow/engine/workflow.hpp"

namespace andon::workflow {

class NestedExecutions final : public Integration {
 public:
  // The engine is made after its integrations: set before it runs.
  void set_engine(Workflow& workflow) { workflow_ = &workflow; }
  // Whether the task's role may call an operation of "states" with this input: throws base::Error
  // (permission_denied), or TaskFailure where it has no role to speak of.
  using MayCall = std::function<void(const TaskRequest& task, std::string_view operation,
                                     const json::object& input)>;
  explicit NestedExecutions(MayCall may_call) : may_call_(std::move(may_call)) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const TaskRequest& task, const TaskReply& reply) override;
  void cancel(const TaskRequest& task) override;

 private:
  [[nodiscard]] StartExecution request_of(const TaskRequest& task) const;
  [[nodiscard]] std::string child_of(const StartExecution& request) const;

  const MayCall may_call_;
  Workflow* workflow_ = nullptr;
};

}  // namespace andon::workflow
