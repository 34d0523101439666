// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/pipelines/pipelines.hpp"

#include <unistd.h>

#include <cerrno>

#include "api/sagemaker/pipelines/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using workflow::Pipeline;

constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostDescription = 3072;
constexpr std::int64_t kMostAtOnce = 50;

std::string new_name(const json::object& input) {
  std::string name = required_text(input, "PipelineName");
  const bool is_good = name.size() <= kMostNameBytes && base::is_letter_or_digit(name.front()) &&
                       base::is_letter_or_digit(name.back()) && base::is_name_of(name, "-");
  if (!is_good) {
    throw Error(ErrorCode::invalid_argument,
                "PipelineName: must be 1 to 256 letters, digits and '-', the latter not at its "
                "ends");
  }
  return name;
}

std::optional<std::string> bounded_text(const json::object& input, std::string_view key,
                                        std::size_t most) {
  if (!input.contains(key)) return std::nullopt;
  std::string text = text_or_empty(input, key);
  if (text.size() > most) {
    throw Error(ErrorCode::invalid_argument,
                std::string(key) + ": may have at most " + std::to_string(most) + " bytes");
  }
  return text;
}

std::string object_text(const SageMakerPipelines& service, const Caller& caller,
                        const base::JsonReader& place) {
  const std::string bucket = place.required_text("Bucket");
  const std::string key = place.required_text("ObjectKey");
  service.calls.require(caller, "s3:GetObject", "arn:aws:s3:::" + bucket + "/" + key);
  const auto object =
      service.objects.open(bucket, key, place.optional_string("VersionId").value_or(""));
  if (!object) place.fail("ObjectKey", "names no object of that bucket");
  if (object->info.size > workflow::kMostDefinitionBytes) {
    place.fail("ObjectKey", "names an object of more than 1 MiB");
  }
  std::string text(object->info.size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(object->file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw base::system_error("cannot read a pipeline's definition", errno);
    have += static_cast<std::size_t>(got);
  }
  return text;
}

std::optional<std::string> read_definition(const SageMakerPipelines& service,
                                           const OperationContext& context) {
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const bool has_text = reader.has("PipelineDefinition");
  if (has_text && reader.has("PipelineDefinitionS3Location")) {
    reader.fail("PipelineDefinition", "and PipelineDefinitionS3Location exclude each other");
  }
  if (has_text) return reader.required_text("PipelineDefinition");
  if (!reader.has("PipelineDefinitionS3Location")) return std::nullopt;
  return object_text(service, context.caller, reader.child("PipelineDefinitionS3Location"));
}

std::optional<std::size_t> read_parallelism(const json::object& input) {
  const base::JsonReader reader(input, "", {.separator = ": "});
  if (!reader.has("ParallelismConfiguration")) return std::nullopt;
  const auto most = reader.child("ParallelismConfiguration")
                        .optional_integer("MaxParallelExecutionSteps", 1, kMostAtOnce);
  return most ? std::optional(static_cast<std::size_t>(*most)) : std::nullopt;
}

void check_role(const SageMakerPipelines& service, const Caller& caller, const std::string& role,
                const std::string& arn) {
  require_pass_role(service.authorizer, caller, Protocol::aws_json_1_1, role,
                    control::kSageMakerService, arn);
  const control::RoleUse use{.role_arn = role,
                             .session = "pipeline",
                             .service = control::kSageMakerService,
                             .source_arn = arn};
  if (const auto problem = service.calls.role_problem(use)) {
    throw Error(ErrorCode::invalid_argument,
                "RoleArn: " + role + " cannot be taken by sagemaker.amazonaws.com: " + *problem);
  }
}

json::value create(const SageMakerPipelines& service, const OperationContext& context) {
  const json::object& input = context.input;
  Pipeline pipeline;
  pipeline.name = new_name(input);
  pipeline.client_token = required_text(input, "ClientRequestToken");
  pipeline.role = required_text(input, "RoleArn");
  pipeline.display_name =
      bounded_text(input, "PipelineDisplayName", kMostNameBytes).value_or(pipeline.name);
  pipeline.description = bounded_text(input, "PipelineDescription", kMostDescription).value_or("");
  pipeline.most_at_once = read_parallelism(input);
  const control::TagMap tags = read_tags(input);
  const std::string arn = service.pipelines.arn(pipeline.name);
  check_role(service, context.caller, pipeline.role, arn);
  const auto definition = read_definition(service, context);
  if (!definition) {
    throw Error(ErrorCode::invalid_argument,
                "PipelineDefinition or PipelineDefinitionS3Location must be given");
  }
  pipeline.definition = *definition;
  service.pipelines.create(std::move(pipeline));
  if (!tags.empty()) control::Tags(service.tags).set(arn, tags);
  return json::object{{"PipelineArn", arn}};
}

Pipeline require_pipeline(const SageMakerPipelines& service, const std::string& name) {
  auto pipeline = service.pipelines.find(name);
  if (!pipeline) no_resource("Pipeline '" + service.pipelines.arn(name) + "'");
  return *std::move(pipeline);
}

json::value update(const SageMakerPipelines& service, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string name = read_pipeline_name(input);
  const Pipeline before = require_pipeline(service, name);
  workflow::Pipelines::Update change;
  change.display_name = bounded_text(input, "PipelineDisplayName", kMostNameBytes);
  change.description = bounded_text(input, "PipelineDescription", kMostDescription);
  change.definition = read_definition(service, context);
  change.most_at_once = read_parallelism(input);
  const std::string role = text_or_empty(input, "RoleArn");
  if (!role.empty()) change.role = role;
  // Who changes what a pipeline does gives its role away, too.
  if (change.definition || change.role) {
    check_role(service, context.caller, change.role.value_or(before.role),
               service.pipelines.arn(name));
  }
  service.pipelines.update(name, change);
  return json::object{{"PipelineArn", service.pipelines.arn(name)}};
}

json::value describe(const SageMakerPipelines& service, const OperationContext& context) {
  const Pipeline pipeline = require_pipeline(service, read_pipeline_name(context.input));
  json::object output{{"PipelineArn", service.pipelines.arn(pipeline.name)},
                      {"PipelineName", pipeline.name},
                      {"PipelineDisplayName", pipeline.display_name},
                      {"PipelineDefinition", pipeline.definition},
                      {"RoleArn", pipeline.role},
                      {"PipelineStatus", "Active"},
                      {"CreationTime", base::to_epoch_seconds(pipeline.created)},
                      {"LastModifiedTime", base::to_epoch_seconds(pipeline.modified)},
                      {"CreatedBy", json::object()},
                      {"LastModifiedBy", json::object()}};
  put_unless_empty(output, "PipelineDescription", pipeline.description);
  if (pipeline.last_run) output["LastRunTime"] = base::to_epoch_seconds(*pipeline.last_run);
  put_parallelism(output, pipeline.most_at_once);
  return output;
}

json::value remove(const SageMakerPipelines& service, const OperationContext& context) {
  const std::string name = read_pipeline_name(context.input);
  (void)required_text(context.input, "ClientRequestToken");
  (void)require_pipeline(service, name);
  const std::string arn = service.pipelines.arn(name);
  service.pipelines.remove(name);
  control::Tags tags(service.tags);
  std::vector<std::string> keys;
  for (const auto& [key, value] : tags.of(arn)) keys.push_back(key);
  tags.remove(arn, keys);
  return json::object{{"PipelineArn", arn}};
}

json::value list(const SageMakerPipelines& service, const OperationContext& context) {
  workflow::PipelineFilter filter = read_pipeline_filter(context.input);
  filter.prefix = text_or_empty(context.input, "PipelineNamePrefix");
  filter.by_name = word_or_empty(context.input, "SortBy", {"Name", "CreationTime"}) == "Name";
  const control::PageRequest page = read_registry_page(context.input);
  const auto listed = service.pipelines.list(filter, {.limit = page.limit, .after = page.after});
  json::array summaries;
  for (const Pipeline& pipeline : listed.items) {
    json::object summary{{"PipelineArn", service.pipelines.arn(pipeline.name)},
                         {"PipelineName", pipeline.name},
                         {"PipelineDisplayName", pipeline.display_name},
                         {"RoleArn", pipeline.role},
                         {"CreationTime", base::to_epoch_seconds(pipeline.created)},
                         {"LastModifiedTime", base::to_epoch_seconds(pipeline.modified)}};
    put_unless_empty(summary, "PipelineDescription", pipeline.description);
    if (pipeline.last_run) {
      summary["LastExecutionTime"] = base::to_epoch_seconds(*pipeline.last_run);
    }
    summaries.push_back(std::move(summary));
  }
  json::object output{{"PipelineSummaries", std::move(summaries)}};
  put_next_token(output, listed.next);
  return output;
}

}  // namespace

std::string read_pipeline_name(const json::object& input) {
  std::string text = required_text(input, "PipelineName");
  constexpr std::string_view kBefore = ":pipeline/";
  const std::size_t at = text.find(kBefore);
  if (text.starts_with("arn:") && at != std::string::npos) return text.substr(at + kBefore.size());
  return text;
}

std::string read_execution_id(const json::object& input) {
  const std::string arn = required_text(input, "PipelineExecutionArn");
  constexpr std::string_view kBefore = "/execution/";
  const std::size_t at = arn.find(kBefore);
  if (!arn.starts_with("arn:") || arn.find(":pipeline/") == std::string::npos ||
      at == std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "PipelineExecutionArn: '" + arn.substr(0, 200) +
                                                 "' is not the ARN of a pipeline's execution");
  }
  return arn.substr(at + kBefore.size());
}

workflow::PipelineFilter read_pipeline_filter(const json::object& input) {
  workflow::PipelineFilter filter;
  filter.created_after = read_time(input, "CreatedAfter");
  filter.created_before = read_time(input, "CreatedBefore");
  if (word_or_empty(input, "SortOrder", {"Ascending", "Descending"}) == "Ascending") {
    filter.order = store::SortOrder::ascending;
  }
  return filter;
}

json::array page_of(const json::array& all, const json::object& input, json::object& output) {
  const control::PageRequest page = read_registry_page(input);
  std::size_t from = 0;
  if (!page.after.empty()) {
    const auto number = base::parse_integer<std::uint32_t>(page.after);
    if (!number) {
      throw Error(ErrorCode::invalid_argument,
                  "NextToken: is not one that this list gave; start anew without it");
    }
    from = *number;
  }
  json::array some;
  for (std::size_t i = from; i < all.size() && some.size() < page.limit; ++i) {
    some.push_back(all[i]);
  }
  if (from + some.size() < all.size()) {
    put_next_token(output, std::to_string(from + some.size()));
  }
  return some;
}

void put_parallelism(json::object& output, const std::optional<std::size_t>& most_at_once) {
  if (!most_at_once) return;
  output["ParallelismConfiguration"] = json::object{{"MaxParallelExecutionSteps", *most_at_once}};
}

void no_resource(const std::string& what) {
  throw ServiceError(400, "ResourceNotFound", what + " does not exist.");
}

std::vector<Operation> sagemaker_pipeline_operations(const SageMakerPipelines& service) {
  const auto bind = [&](auto function) {
    return
        [service, function](const OperationContext& context) { return function(service, context); };
  };
  std::vector<Operation> rows{
      sagemaker_row("CreatePipeline", bind(create)),
      sagemaker_row("UpdatePipeline", bind(update)),
      sagemaker_row("DescribePipeline", bind(describe)),
      sagemaker_row("DeletePipeline", bind(remove)),
      sagemaker_row("ListPipelines", bind(list)),
  };
  add_execution_rows(rows, service);
  return rows;
}

}  // namespace andon::api
