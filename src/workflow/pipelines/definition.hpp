// SPDX-License-Identifier: Apache-2.0
// Pipelines in SageMaker's form: the definition (version 2020-12-01) read and checked, its
// expressions and conditions evaluated, the state machine that it becomes (translation.hpp), and
// what is kept of pipelines and their executions (pipelines.hpp). This header: the definition.
// Pure; any thread. What is wrong, or not done here, is refused by name with its place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::workflow {

namespace json = base::json;

struct PipelineParameter {
  enum class Type : std::uint8_t { string, integer, real, boolean };
  std::string name;
  Type type = Type::string;
  std::optional<json::value> standard;
  json::array choices;  // EnumValues; empty: any
};

enum class StepType : std::uint8_t { processing, training, register_model, condition, fail };
[[nodiscard]] std::string_view to_string(StepType type);

struct PropertyFile {
  std::string name;
  std::string output;  // of the processing step
  std::string path;    // below it
};

struct RetryPolicy {
  std::vector<std::string> errors;
  std::int64_t interval_s = 1;
  double backoff = 2;
  std::int64_t attempts = 5;  // at most; ExpireAfterMin is counted into attempts
};

struct PipelineStep {
  std::string name;
  std::string display_name;
  std::string description;
  StepType type = StepType::processing;
  json::object arguments;            // with expressions
  std::vector<std::string> depends;  // DependsOn
  std::vector<PropertyFile> files;
  std::vector<RetryPolicy> retries;
  std::vector<PipelineStep> if_steps;  // of a condition
  std::vector<PipelineStep> else_steps;
  // Steps whose results the step, or one inside of it, refers to, beside `depends`.
  std::set<std::string> refers;
};

struct PipelineDefinition {
  std::vector<PipelineParameter> parameters;
  std::vector<PipelineStep> steps;

  // The step of that name, inside conditions, too. Null: there is none.
  [[nodiscard]] const PipelineStep* find(std::string_view name) const;
  [[nodiscard]] const PipelineParameter* parameter(std::string_view name) const;
};

inline constexpr std::size_t kMostDefinitionBytes = 1U << 20U;
inline constexpr std::size_t kMostSteps = 50;

// Throws base::Error: invalid_argument, unsupported.
[[nodiscard]] PipelineDefinition parse_pipeline(std::string_view text);

// Values of an execution: those given, as texts, and the standard ones. Throws base::Error
// (invalid_argument) for one that is unknown, missing, or of another type.
[[nodiscard]] json::object parameter_values(const PipelineDefinition& definition,
                                            const std::map<std::string, std::string>& given);

// Steps in the order in which they may run: those of one group need nothing of each other. Throws
// base::Error(invalid_argument) where they wait for each other in a circle.
[[nodiscard]] std::vector<std::vector<const PipelineStep*>> in_order(
    const std::vector<PipelineStep>& steps);

}  // namespace andon::workflow
