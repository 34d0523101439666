// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/jobs/jobs.hpp"

#include <algorithm>

#include "api/sagemaker/jobs/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using workflow::ModelJob;
using workflow::ModelJobFilter;
using workflow::ModelJobKind;

bool is_training(ModelJobKind kind) {
  return kind == ModelJobKind::training;
}

std::string_view name_member(ModelJobKind kind) {
  return is_training(kind) ? "TrainingJobName" : "ProcessingJobName";
}

std::string read_name(const json::object& input, ModelJobKind kind) {
  constexpr std::size_t kMost = 63;
  std::string name = required_text(input, name_member(kind));
  const bool is_good = name.size() <= kMost && base::is_letter_or_digit(name.front()) &&
                       base::is_letter_or_digit(name.back()) && base::is_name_of(name, "-");
  if (!is_good) {
    throw Error(ErrorCode::invalid_argument,
                std::string(name_member(kind)) +
                    ": must be 1 to 63 letters, digits and '-', the latter not at its ends");
  }
  return name;
}

}  // namespace

void keep_members(json::object& output, const json::object& request,
                  std::initializer_list<std::string_view> members) {
  for (const std::string_view member : members) {
    const json::value* value = request.if_contains(member);
    if (value != nullptr && !value->is_null()) output[member] = *value;
  }
}

json::value create_model_job(const SageMakerJobs& service, ModelJobKind kind,
                             const OperationContext& context) {
  const std::string name = read_name(context.input, kind);
  const std::string role = required_text(context.input, "RoleArn");
  const std::string arn = service.jobs.arn(kind, name);
  const control::TagMap tags = read_tags(context.input);
  require_pass_role(service.authorizer, context.caller, Protocol::aws_json_1_1, role,
                    control::kSageMakerService, arn);
  const control::RoleUse use{
      .role_arn = role, .session = name, .service = control::kSageMakerService, .source_arn = arn};
  if (const auto problem = service.calls.role_problem(use)) {
    throw Error(ErrorCode::invalid_argument,
                "RoleArn: Could not assume role " + role +
                    ". Please ensure that the role exists and allows principal "
                    "'sagemaker.amazonaws.com' to assume the role. (" +
                    *problem + ")");
  }
  json::object request = context.input;
  request.erase("Tags");
  try {
    (void)service.jobs.create(kind, name, std::move(request));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists) throw;
    throw ServiceError(400, "ResourceInUse", error.message());
  }
  if (!tags.empty()) control::Tags(service.tags).set(arn, tags);
  return json::object{{is_training(kind) ? "TrainingJobArn" : "ProcessingJobArn", arn}};
}

ModelJob require_model_job(const SageMakerJobs& service, ModelJobKind kind,
                           const json::object& input) {
  const std::string name = required_text(input, name_member(kind));
  auto job = service.jobs.find(kind, name);
  if (!job) {
    throw ServiceError(400, "ValidationException",
                       is_training(kind)
                           ? "Requested resource not found."
                           : "Could not find requested job with name: " + name.substr(0, 100));
  }
  return *std::move(job);
}

json::value stop_model_job(const SageMakerJobs& service, ModelJobKind kind,
                           const OperationContext& context) {
  const ModelJob job = require_model_job(service, kind, context.input);
  if (!service.jobs.stop(kind, job.name).value_or(false)) {
    throw ServiceError(
        400, "ValidationException",
        "The request was rejected because the " + std::string(to_string(kind)) +
            " job is in status " +
            std::string(to_string(service.jobs.find(kind, job.name).value_or(job).status)) + ".");
  }
  return nullptr;
}

json::value list_model_jobs(const SageMakerJobs& service, ModelJobKind kind,
                            const OperationContext& context, std::string_view list,
                            const std::function<json::object(const ModelJob&)>& summary) {
  const json::object& input = context.input;
  ModelJobFilter filter{.kind = kind};
  filter.created_after = read_time(input, "CreationTimeAfter");
  filter.created_before = read_time(input, "CreationTimeBefore");
  filter.modified_after = read_time(input, "LastModifiedTimeAfter");
  filter.modified_before = read_time(input, "LastModifiedTimeBefore");
  filter.name_contains = text_or_empty(input, "NameContains");
  filter.status = workflow::parse_model_job_status(word_or_empty(
      input, "StatusEquals", {"InProgress", "Completed", "Failed", "Stopping", "Stopped"}));
  const std::string sort = word_or_empty(input, "SortBy", {"Name", "CreationTime", "Status"});
  if (sort == "Name") filter.sort = ModelJobFilter::Sort::by_name;
  if (sort == "Status") filter.sort = ModelJobFilter::Sort::by_status;
  if (word_or_empty(input, "SortOrder", {"Ascending", "Descending"}) == "Descending") {
    filter.order = store::SortOrder::descending;
  }
  const control::PageRequest page = read_registry_page(input);
  const auto listed = service.jobs.list(filter, {.limit = page.limit, .after = page.after});
  json::array summaries;
  for (const ModelJob& job : listed.items) summaries.push_back(summary(job));
  json::object output{{list, std::move(summaries)}};
  put_next_token(output, listed.next);
  return output;
}

json::object describe_model_job(const ModelJob& job) {
  return is_training(job.kind) ? describe_training_job(job) : describe_processing_job(job);
}

std::vector<Operation> sagemaker_job_operations(const SageMakerJobs& service) {
  std::vector<Operation> rows;
  add_training_rows(rows, service);
  add_processing_rows(rows, service);
  add_labeling_rows(rows);
  return rows;
}

}  // namespace andon::api
