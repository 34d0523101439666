// SPDX-License-Identifier: Apache-2.0
// Executions of pipelines: started, stopped, tried again, looked at.
#include <algorithm>

#include "api/sagemaker/pipelines/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using workflow::PipelineExecution;

PipelineExecution require_execution(const SageMakerPipelines& service, const json::object& input) {
  const std::string id = read_execution_id(input);
  auto execution = service.pipelines.find_execution(id);
  if (!execution) {
    no_resource("Pipeline execution '" + required_text(input, "PipelineExecutionArn") + "'");
  }
  return *std::move(execution);
}

std::string pipeline_arn(const SageMakerPipelines& service, const std::string& id) {
  const auto execution = service.pipelines.find_execution(id);
  return execution ? service.pipelines.execution_arn(*execution) : std::string();
}

workflow::Pipelines::Told answer_with_arn(const SageMakerPipelines& service, const Answer& answer) {
  return [service, answer](const std::string& id, const std::exception_ptr& failure) {
    if (failure) {
      answer.fail(failure);
    } else {
      answer.succeed(json::object{{"PipelineExecutionArn", pipeline_arn(service, id)}});
    }
  };
}

void start(const SageMakerPipelines& service, const OperationContext& context,
           const Answer& answer) {
  const json::object& input = context.input;
  const base::JsonReader reader(input, "", {.separator = ": "});
  workflow::Pipelines::Start request;
  request.pipeline = read_pipeline_name(input);
  request.client_token = required_text(input, "ClientRequestToken");
  request.display_name = text_or_empty(input, "PipelineExecutionDisplayName").substr(0, 82);
  request.description = text_or_empty(input, "PipelineExecutionDescription").substr(0, 3072);
  if (const json::array* parameters = reader.optional_array("PipelineParameters")) {
    if (parameters->size() > 200) reader.fail("PipelineParameters", "has more than 200");
    request.parameters = *parameters;
  }
  if (!service.pipelines.find(request.pipeline)) {
    no_resource("Pipeline '" + service.pipelines.arn(request.pipeline) + "'");
  }
  service.pipelines.start(request, answer_with_arn(service, answer));
}

void stop(const SageMakerPipelines& service, const OperationContext& context,
          const Answer& answer) {
  (void)required_text(context.input, "ClientRequestToken");
  const PipelineExecution execution = require_execution(service, context.input);
  service.pipelines.stop(execution.id, answer_with_arn(service, answer));
}

void retry(const SageMakerPipelines& service, const OperationContext& context,
           const Answer& answer) {
  const std::string token = required_text(context.input, "ClientRequestToken");
  const PipelineExecution execution = require_execution(service, context.input);
  service.pipelines.retry(execution.id, token, answer_with_arn(service, answer));
}

json::value describe(const SageMakerPipelines& service, const OperationContext& context) {
  const PipelineExecution execution = require_execution(service, context.input);
  json::object output{{"PipelineArn", service.pipelines.arn(execution.pipeline)},
                      {"PipelineExecutionArn", service.pipelines.execution_arn(execution)},
                      {"PipelineExecutionDisplayName", execution.display_name},
                      {"PipelineExecutionStatus", execution.status},
                      {"CreationTime", base::to_epoch_seconds(execution.started)},
                      {"LastModifiedTime", base::to_epoch_seconds(execution.modified)},
                      {"CreatedBy", json::object()},
                      {"LastModifiedBy", json::object()}};
  put_unless_empty(output, "PipelineExecutionDescription", execution.description);
  put_unless_empty(output, "FailureReason", execution.failure_reason);
  put_parallelism(output, execution.most_at_once);
  return output;
}

json::value describe_definition(const SageMakerPipelines& service,
                                const OperationContext& context) {
  const PipelineExecution execution = require_execution(service, context.input);
  return json::object{{"PipelineDefinition", execution.definition},
                      {"CreationTime", base::to_epoch_seconds(execution.started)}};
}

json::value list(const SageMakerPipelines& service, const OperationContext& context) {
  const std::string name = read_pipeline_name(context.input);
  if (!service.pipelines.find(name)) no_resource("Pipeline '" + service.pipelines.arn(name) + "'");
  workflow::PipelineFilter filter = read_pipeline_filter(context.input);
  filter.by_name =
      word_or_empty(context.input, "SortBy", {"CreationTime", "PipelineExecutionArn"}) ==
      "PipelineExecutionArn";
  const control::PageRequest page = read_registry_page(context.input);
  const auto listed =
      service.pipelines.list_executions(name, filter, {.limit = page.limit, .after = page.after});
  json::array summaries;
  for (const PipelineExecution& execution : listed.items) {
    json::object summary{{"PipelineExecutionArn", service.pipelines.execution_arn(execution)},
                         {"StartTime", base::to_epoch_seconds(execution.started)},
                         {"PipelineExecutionStatus", execution.status},
                         {"PipelineExecutionDisplayName", execution.display_name}};
    put_unless_empty(summary, "PipelineExecutionDescription", execution.description);
    put_unless_empty(summary, "PipelineExecutionFailureReason", execution.failure_reason);
    summaries.push_back(std::move(summary));
  }
  json::object output{{"PipelineExecutionSummaries", std::move(summaries)}};
  put_next_token(output, listed.next);
  return output;
}

json::value list_steps(const SageMakerPipelines& service, const OperationContext& context) {
  const PipelineExecution execution = require_execution(service, context.input);
  const auto definition = workflow::parse_pipeline(execution.definition);
  auto steps = service.pipelines.steps(execution.id);
  if (word_or_empty(context.input, "SortOrder", {"Ascending", "Descending"}) != "Ascending") {
    std::ranges::reverse(steps);
  }
  json::array all;
  for (const workflow::StepRecord& step : steps) {
    json::object told{{"StepName", step.name},
                      {"StepStatus", step.status},
                      {"StartTime", base::to_epoch_seconds(step.started)},
                      {"AttemptCount", step.attempts},
                      {"Metadata", step.metadata}};
    if (step.ended) told["EndTime"] = base::to_epoch_seconds(*step.ended);
    put_unless_empty(told, "FailureReason", step.failure_reason);
    if (const workflow::PipelineStep* defined = definition.find(step.name)) {
      put_unless_empty(told, "StepDisplayName", defined->display_name);
      put_unless_empty(told, "StepDescription", defined->description);
    }
    all.push_back(std::move(told));
  }
  json::object output;
  output["PipelineExecutionSteps"] = page_of(all, context.input, output);
  return output;
}

json::value list_parameters(const SageMakerPipelines& service, const OperationContext& context) {
  const PipelineExecution execution = require_execution(service, context.input);
  json::array all;
  for (const auto& one : execution.values) {
    all.push_back({{"Name", one.key()},
                   {"Value", one.value().is_string() ? std::string(one.value().get_string())
                                                     : base::to_text(one.value())}});
  }
  json::object output;
  output["PipelineParameters"] = page_of(all, context.input, output);
  return output;
}

}  // namespace

void add_execution_rows(std::vector<Operation>& rows, const SageMakerPipelines& service) {
  const auto bind = [&](auto function) {
    return
        [service, function](const OperationContext& context) { return function(service, context); };
  };
  const auto add_later = [&](std::string_view name, auto function) {
    Operation row = sagemaker_row(name, {});
    row.later = [service, function](const OperationContext& context, const Answer& answer) {
      function(service, context, answer);
    };
    rows.push_back(std::move(row));
  };
  add_later("StartPipelineExecution", start);
  add_later("StopPipelineExecution", stop);
  add_later("RetryPipelineExecution", retry);
  rows.push_back(sagemaker_row("DescribePipelineExecution", bind(describe)));
  rows.push_back(
      sagemaker_row("DescribePipelineDefinitionForExecution", bind(describe_definition)));
  rows.push_back(sagemaker_row("ListPipelineExecutions", bind(list)));
  rows.push_back(sagemaker_row("ListPipelineExecutionSteps", bind(list_steps)));
  rows.push_back(sagemaker_row("ListPipelineParametersForExecution", bind(list_parameters)));
}

}  // namespace andon::api
