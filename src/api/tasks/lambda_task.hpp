// SPDX-License-Identifier: Apache-2.0
// Functions called by state machines: by their bare ARNs and by lambda:invoke, with or without
// .waitForTaskToken. What a function raised fails the task by its errorType, with the payload as
// the cause, so that Retry and Catch name it as they do in AWS. A call that is repeated after a
// crash is made again.
#pragma once

#include <functional>
#include <string>

#include "functions/functions.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class LambdaTask final : public workflow::Integration {
 public:
  // Throws where the task's role may not call the function of this ARN; null: nobody is asked.
  using Authorize = std::function<void(const workflow::TaskRequest&, const std::string& arn)>;
  LambdaTask(functions::Functions& functions, Authorize authorize)
      : functions_(functions), authorize_(std::move(authorize)) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;

 private:
  struct Wanted;
  [[nodiscard]] Wanted read(const workflow::TaskRequest& task) const;

  functions::Functions& functions_;
  const Authorize authorize_;
};

}  // namespace andon::api
