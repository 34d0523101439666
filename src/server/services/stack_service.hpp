// SPDX-License-Identifier: Apache-2.0
// Stacks, put together: what is known of them, what makes them real, the operations of
// CloudFormation and CodePipeline.
#pragma once

#include <vector>

#include "api/stacks/stack_engine.hpp"
#include "api/table/operation.hpp"
#include "control/stacks/stacks.hpp"

namespace andon::server {

class StackService {
 public:
  struct Parts {
    store::Database& database;
    const api::InternalCalls& calls;
    api::S3Service& s3;
    fleet::Arns arns;
    const base::Clock& clock;
  };
  // All that is referred to outlives this.
  explicit StackService(const Parts& parts);

  void run() { engine_.run(); }
  void stop() { engine_.stop(); }
  [[nodiscard]] std::vector<api::Operation> operations();

 private:
  Parts parts_;
  control::Stacks stacks_;
  api::StackEngine engine_;
};

}  // namespace andon::server
