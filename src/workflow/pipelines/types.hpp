// SPDX-License-Identifier: Apache-2.0
// Pipelines, their executions and steps as they are kept: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::workflow {

namespace json = base::json;

struct Pipeline {
  std::string name;
  std::string display_name;
  std::string description;
  std::string role;
  std::string definition;
  std::optional<std::size_t> most_at_once;
  std::string machine;       // ARN of its state machine
  std::string client_token;  // that it was made with
  base::Timestamp created;
  base::Timestamp modified;
  std::optional<base::Timestamp> last_run;
};

// In AWS's words: Executing, Stopping, Stopped, Failed, Succeeded.
struct PipelineExecution {
  std::string id;
  std::string pipeline;
  std::string display_name;
  std::string description;
  std::string role;
  std::string definition;
  std::string client_token;
  json::array parameters;  // as given: [{"Name", "Value"}]
  json::object values;     // of all parameters
  std::optional<std::size_t> most_at_once;
  std::string status = "Executing";
  std::string failure_reason;
  std::string machine_execution;  // ARN
  base::Timestamp started;
  base::Timestamp modified;
};

struct StepRecord {
  std::string name;
  std::string status = "Executing";  // Starting, Executing, Stopping, Stopped, Failed, Succeeded
  base::Timestamp started;
  std::optional<base::Timestamp> ended;
  std::string failure_reason;
  json::object metadata;    // {"TrainingJob": {"Arn": ...}}
  json::object properties;  // of what it made, for references; once it has succeeded
  std::int64_t attempts = 1;
  std::string task;  // idempotency token of the task that is at work
};

}  // namespace andon::workflow
