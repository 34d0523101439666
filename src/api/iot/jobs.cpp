// SPDX-License-Identifier: Apache-2.0
#include "api/iot/jobs.hpp"

#include <array>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/iot/rows.hpp"
#include "api/s3/format/object_url.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/file.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Force;
using control::IotJob;
using control::IotJobs;
using control::JobExecution;
using control::JobPlan;
using control::JobStatus;
using control::TargetSelection;
namespace json = base::json;

constexpr PageLimits kPages{100, 250};
constexpr std::string_view kSchedule = "schedulingConfig";
constexpr std::string_view kWindows = "maintenanceWindows";
constexpr std::array<std::string_view, 5> kConfiguration{"jobExecutionsRolloutConfig",
                                                         "abortConfig", "timeoutConfig",
                                                         "jobExecutionsRetryConfig", kSchedule};
constexpr std::size_t kMostParameters = 10;

struct Parts {
  control::ControlPlane& control;
  const InternalCalls& calls;
  const store::ObjectStore& objects;
};

std::string job_id(const OperationContext& context) {
  return required_text(context.input, "jobId");
}

Force read_force(const json::object& input) {
  return flag(input, "force") ? Force::yes : Force::no;
}

// Of what stands in the wrong state, but of DeleteJob and cancels.
template <typename Act>
auto in_state(Act act) {
  return naming(ErrorCode::failed_precondition, 409, "InvalidStateTransitionException", act);
}

template <typename Act>
auto within_limits(Act act) {
  return naming(ErrorCode::resource_exhausted, 409, "LimitExceededException", act);
}

std::string read_source(const Parts& parts, const OperationContext& context,
                        const std::string& url) {
  const ObjectPlace place = parse_object_url(url, "documentSource");
  parts.calls.require(context.caller, "s3:GetObject",
                      "arn:aws:s3:::" + place.bucket + "/" + place.key);
  const auto object = parts.objects.open(place.bucket, place.key);
  if (!object) {
    throw Error(ErrorCode::invalid_argument,
                "documentSource: there is no object " + place.key + " in bucket " + place.bucket);
  }
  if (object->info.size > control::kMostJobDocumentBytes) {
    throw Error(ErrorCode::invalid_argument, "documentSource: has more than 32768 bytes");
  }
  return base::read_file("/proc/self/fd/" + std::to_string(object->file.get()),
                         control::kMostJobDocumentBytes);
}

json::object read_configuration(const json::object& input) {
  json::object configuration;
  for (const std::string_view member : kConfiguration) {
    const json::value* given = input.if_contains(member);
    if (given != nullptr && !given->is_null()) configuration[member] = *given;
  }
  return configuration;
}

// The maintenance windows of a plan; null where it has none.
const json::value* windows_of(const JobPlan& plan) {
  const json::value* schedule = plan.configuration.if_contains(kSchedule);
  return schedule == nullptr ? nullptr : schedule->as_object().if_contains(kWindows);
}

// Of a schedule a template keeps the windows alone: times lie in the past when it is used.
void keep_windows_only(JobPlan& plan) {
  const json::value* windows = windows_of(plan);
  json::value kept = windows == nullptr ? json::value() : *windows;
  plan.configuration.erase(kSchedule);
  if (!kept.is_null()) plan.configuration[kSchedule] = json::object{{kWindows, std::move(kept)}};
}

// "${NAME}" in the document's texts stands for a parameter.
void fill_in(json::value& value, const std::map<std::string, std::string>& parameters) {
  if (auto* object = value.if_object()) {
    for (auto& member : *object) fill_in(member.value(), parameters);
  } else if (auto* array = value.if_array()) {
    for (json::value& one : *array) fill_in(one, parameters);
  } else if (value.is_string()) {
    std::string text(value.get_string());
    for (const auto& [name, replacement] : parameters) {
      const std::string place = "${" + name + "}";
      for (std::size_t at = text.find(place); at != std::string::npos;
           at = text.find(place, at + replacement.size())) {
        text.replace(at, place.size(), replacement);
        if (text.size() > control::kMostJobDocumentBytes) {
          throw Error(ErrorCode::invalid_argument, "documentParameters: make it too long");
        }
      }
    }
    value = text;
  }
}

JobPlan read_plan(const Parts& parts, const OperationContext& context, JobPlan plan) {
  const json::object& input = context.input;
  const std::string document = text_or_empty(input, "document");
  const std::string source = text_or_empty(input, "documentSource");
  if (!document.empty() && !source.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "document and documentSource: only one of them can be given");
  }
  if (!document.empty()) plan.document = document;
  if (!source.empty()) {
    plan.document = read_source(parts, context, source);
    plan.document_source = source;
  }
  if (plan.document.empty()) {
    throw Error(ErrorCode::invalid_argument, "document: is missing, and so is documentSource");
  }
  const std::string description = text_or_empty(input, "description");
  if (!description.empty()) plan.description = description;
  const json::value* windows = windows_of(plan);
  const json::value inherited = windows == nullptr ? json::value() : *windows;
  for (auto& [key, value] : read_configuration(input)) plan.configuration[key] = value;
  if (!inherited.is_null()) {
    plan.configuration[kSchedule].as_object().emplace(kWindows, inherited);
  }
  return plan;
}

json::value named(const Parts& parts, const IotJob& job) {
  json::object output{{"jobArn", parts.control.iot_jobs.job_arn(job.id)}, {"jobId", job.id}};
  put_unless_empty(output, "description", job.plan.description);
  return output;
}

control::JobTemplate require_template(const Parts& parts, const std::string& id) {
  auto found = parts.control.iot_jobs.find_template(id);
  if (!found) throw Error(ErrorCode::not_found, "there is no job template \"" + id + "\"");
  return *std::move(found);
}

std::string template_of_arn(const Parts& parts, const std::string& arn) {
  const std::string prefix = parts.control.iot_jobs.template_arn("");
  if (!arn.starts_with(prefix)) {
    throw Error(ErrorCode::not_found, "jobTemplateArn: there is no template " + arn);
  }
  return arn.substr(prefix.size());
}

json::value create(const Parts& parts, const OperationContext& context) {
  control::NewIotJob wanted;
  wanted.id = job_id(context);
  wanted.targets = text_list(context.input, "targets");
  if (word_or_empty(context.input, "targetSelection", {"SNAPSHOT", "CONTINUOUS"}) == "CONTINUOUS") {
    wanted.selection = TargetSelection::continuous;
  }
  wanted.template_arn = text_or_empty(context.input, "jobTemplateArn");
  if (!wanted.template_arn.empty()) {
    wanted.plan = require_template(parts, template_of_arn(parts, wanted.template_arn)).plan;
  }
  wanted.plan = read_plan(parts, context, std::move(wanted.plan));
  const auto parameters = text_map(context.input, "documentParameters");
  if (parameters.size() > kMostParameters) {
    throw Error(ErrorCode::invalid_argument, "documentParameters: are more than 10");
  }
  if (!parameters.empty()) {
    json::value document = base::parse_json(wanted.plan.document, "document");
    fill_in(document, parameters);
    wanted.plan.document = base::to_text(document);
  }
  const IotJob job = within_limits([&] { return parts.control.iot_jobs.create(wanted); });
  if (context.input.contains("tags")) {
    parts.control.tags.set(job.arn, read_iot_tags(context.input));
  }
  return named(parts, job);
}

void put_configuration(json::object& output, const JobPlan& plan) {
  for (const auto& [key, value] : plan.configuration) output[key] = value;
  put_unless_empty(output, "description", plan.description);
}

std::string to_minute(base::Timestamp time) {
  return base::to_iso8601(time).substr(0, std::string_view("2030-01-31T06:00").size());
}

json::object summary(const IotJob& job) {
  json::object output{{"jobArn", job.arn},
                      {"jobId", job.id},
                      {"targetSelection", to_string(job.selection)},
                      {"status", to_string(job.state)},
                      {"createdAt", base::to_epoch_seconds(job.created)},
                      {"lastUpdatedAt", base::to_epoch_seconds(job.updated)}};
  if (job.completed) output["completedAt"] = base::to_epoch_seconds(*job.completed);
  return output;
}

json::value describe(const Parts& parts, const OperationContext& context) {
  const IotJob job = parts.control.iot_jobs.require(job_id(context));
  json::object output = summary(job);
  put_configuration(output, job.plan);
  output["targets"] = to_array(job.targets);
  output["forceCanceled"] = job.is_force_canceled;
  put_unless_empty(output, "reasonCode", job.reason_code);
  put_unless_empty(output, "comment", job.comment);
  put_unless_empty(output, "jobTemplateArn", job.template_arn);
  json::object details{{"numberOfCanceledThings", job.counts.canceled},
                       {"numberOfSucceededThings", job.counts.succeeded},
                       {"numberOfFailedThings", job.counts.failed},
                       {"numberOfRejectedThings", job.counts.rejected},
                       {"numberOfQueuedThings", job.counts.queued},
                       {"numberOfInProgressThings", job.counts.in_progress},
                       {"numberOfRemovedThings", 0},
                       {"numberOfTimedOutThings", job.counts.timed_out}};
  if (job.next_window) {
    json::array rollouts;
    rollouts.emplace_back(json::object{{"startTime", to_minute(*job.next_window)}});
    output["scheduledJobRollouts"] = std::move(rollouts);
  }
  if (job.is_rolling_out) details["processingTargets"] = to_array(job.targets);
  output["jobProcessDetails"] = std::move(details);
  json::object all{{"job", std::move(output)}};
  put_unless_empty(all, "documentSource", job.plan.document_source);
  return all;
}

json::value list(const Parts& parts, const OperationContext& context) {
  IotJobs::Filter filter;
  const std::string state =
      word_or_empty(context.input, "status",
                    {"IN_PROGRESS", "CANCELED", "COMPLETED", "DELETION_IN_PROGRESS", "SCHEDULED"});
  json::array jobs;
  filter.state = control::parse_iot_job_state(state);
  const std::string selection =
      word_or_empty(context.input, "targetSelection", {"SNAPSHOT", "CONTINUOUS"});
  if (!selection.empty()) {
    filter.selection =
        selection == "SNAPSHOT" ? TargetSelection::snapshot : TargetSelection::continuous;
  }
  filter.group = text_or_empty(context.input, "thingGroupName");
  const auto found = parts.control.iot_jobs.list(filter, read_page(context.input, kPages));
  for (const IotJob& job : found.items) jobs.emplace_back(summary(job));
  json::object output{{"jobs", std::move(jobs)}};
  put_next(output, found.next);
  return output;
}

json::value update(const Parts& parts, const OperationContext& context) {
  const base::JsonReader reader(context.input, "");
  parts.control.iot_jobs.update(job_id(context), reader.optional_string("description"),
                                read_configuration(context.input));
  return json::object{};
}

json::value associate(const Parts& parts, const OperationContext& context) {
  return named(parts, parts.control.iot_jobs.add_targets(job_id(context),
                                                         text_list(context.input, "targets"),
                                                         text_or_empty(context.input, "comment")));
}

json::value cancel(const Parts& parts, const OperationContext& context) {
  return named(parts,
               parts.control.iot_jobs.cancel(
                   job_id(context), {.reason_code = text_or_empty(context.input, "reasonCode"),
                                     .comment = text_or_empty(context.input, "comment"),
                                     .force = read_force(context.input)}));
}

json::value remove(const Parts& parts, const OperationContext& context) {
  in_state([&] { parts.control.iot_jobs.remove(job_id(context), read_force(context.input)); });
  return json::object{};
}

json::value get_document(const Parts& parts, const OperationContext& context) {
  return json::object{{"document", parts.control.iot_jobs.require(job_id(context)).plan.document}};
}

json::object times_of(const JobExecution& execution) {
  json::object output{{"status", to_string(execution.status)},
                      {"queuedAt", base::to_epoch_seconds(execution.queued)},
                      {"lastUpdatedAt", base::to_epoch_seconds(execution.updated)},
                      {"executionNumber", execution.execution_number}};
  if (execution.started) output["startedAt"] = base::to_epoch_seconds(*execution.started);
  return output;
}

json::value describe_execution(const Parts& parts, const OperationContext& context) {
  const std::string id = job_id(context);
  const std::string thing = required_text(context.input, "thingName");
  const auto execution = parts.control.iot_jobs.execution(id, thing);
  const auto number = optional_number(context.input, "executionNumber");
  if (!execution || (number && *number != execution->execution_number)) {
    throw Error(ErrorCode::not_found,
                "job \"" + id + "\" has no such execution on thing \"" + thing + "\"");
  }
  json::object output = times_of(*execution);
  output["jobId"] = id;
  output["thingArn"] = parts.control.arns.thing(thing);
  output["versionNumber"] = execution->version;
  output["forceCanceled"] = false;
  if (!execution->status_details.empty()) {
    output["statusDetails"] = {{"detailsMap", to_object(execution->status_details)}};
  }
  if (const auto deadline = parts.control.iot_jobs.deadline(*execution)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(*deadline - base::SystemClock().now());
    output["approximateSecondsBeforeTimedOut"] = std::max<std::int64_t>(0, left.count());
  }
  return json::object{{"execution", std::move(output)}};
}

std::optional<JobStatus> read_status(const json::object& input) {
  const std::string status = word_or_empty(
      input, "status",
      {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "CANCELED"});
  return fleet::parse_job_status(status);
}

json::value executions_of(const Parts& parts, const OperationContext& context) {
  const auto found = parts.control.iot_jobs.executions_of(
      job_id(context), read_status(context.input), read_page(context.input, kPages));
  json::array summaries;
  for (const JobExecution& execution : found.items) {
    summaries.emplace_back(json::object{{"thingArn", parts.control.arns.thing(execution.thing)},
                                        {"jobExecutionSummary", times_of(execution)}});
  }
  json::object output{{"executionSummaries", std::move(summaries)}};
  put_next(output, found.next);
  return output;
}

json::value executions_on(const Parts& parts, const OperationContext& context) {
  const auto found = parts.control.iot_jobs.executions_on(required_text(context.input, "thingName"),
                                                          read_status(context.input),
                                                          read_page(context.input, kPages));
  json::array summaries;
  for (const JobExecution& execution : found.items) {
    summaries.emplace_back(
        json::object{{"jobId", execution.job_id}, {"jobExecutionSummary", times_of(execution)}});
  }
  json::object output{{"executionSummaries", std::move(summaries)}};
  put_next(output, found.next);
  return output;
}

json::value cancel_execution(const Parts& parts, const OperationContext& context) {
  in_state([&] {
    parts.control.iot_jobs.cancel_execution(
        job_id(context), required_text(context.input, "thingName"),
        {.force = read_force(context.input),
         .expected_version = optional_number(context.input, "expectedVersion"),
         .details = text_map(context.input, "statusDetails")});
  });
  return json::object{};
}

json::value remove_execution(const Parts& parts, const OperationContext& context) {
  in_state([&] {
    parts.control.iot_jobs.remove_execution(
        job_id(context), required_text(context.input, "thingName"),
        optional_number(context.input, "executionNumber").value_or(0), read_force(context.input));
  });
  return json::object{};
}

json::value create_template(const Parts& parts, const OperationContext& context) {
  JobPlan plan;
  if (const std::string arn = text_or_empty(context.input, "jobArn"); !arn.empty()) {
    const std::string prefix = parts.control.iot_jobs.job_arn("");
    if (!arn.starts_with(prefix)) throw Error(ErrorCode::not_found, "jobArn: there is no such job");
    plan = parts.control.iot_jobs.require(arn.substr(prefix.size())).plan;
    keep_windows_only(plan);
  }
  const std::string id = required_text(context.input, "jobTemplateId");
  plan = read_plan(parts, context, std::move(plan));
  if (const json::value* given = context.input.if_contains(kWindows)) {
    plan.configuration[kSchedule] = json::object{{kWindows, *given}};
  }
  const auto made = within_limits([&] {
    return naming(ErrorCode::already_exists, 409, "ConflictException",
                  [&] { return parts.control.iot_jobs.create_template(id, plan); });
  });
  if (context.input.contains("tags")) {
    parts.control.tags.set(made.arn, read_iot_tags(context.input));
  }
  return json::object{{"jobTemplateArn", made.arn}, {"jobTemplateId", made.id}};
}

json::object summary(const control::JobTemplate& one) {
  json::object output{{"jobTemplateArn", one.arn},
                      {"jobTemplateId", one.id},
                      {"createdAt", base::to_epoch_seconds(one.created)}};
  put_unless_empty(output, "description", one.plan.description);
  return output;
}

json::value describe_template(const Parts& parts, const OperationContext& context) {
  const auto one = require_template(parts, required_text(context.input, "jobTemplateId"));
  json::object output = summary(one);
  put_configuration(output, one.plan);
  if (const json::value* windows = windows_of(one.plan)) output[kWindows] = *windows;
  output.erase(kSchedule);
  output["document"] = one.plan.document;
  put_unless_empty(output, "documentSource", one.plan.document_source);
  return output;
}

json::value list_templates(const Parts& parts, const OperationContext& context) {
  const auto found = parts.control.iot_jobs.list_templates(read_page(context.input, kPages));
  json::array templates;
  for (const auto& one : found.items) templates.emplace_back(summary(one));
  json::object output{{"jobTemplates", std::move(templates)}};
  put_next(output, found.next);
  return output;
}

json::value remove_template(const Parts& parts, const OperationContext& context) {
  parts.control.iot_jobs.remove_template(required_text(context.input, "jobTemplateId"));
  return json::object{};
}

// AWS's own templates are for AWS's agents; there are none here.
json::value list_managed(const Parts& /*parts*/, const OperationContext& context) {
  (void)read_page(context.input, kPages);
  return json::object{{"managedJobTemplates", json::array{}}};
}

}  // namespace

std::vector<Operation> iot_job_operations(control::ControlPlane& control,
                                          const InternalCalls& calls,
                                          const store::ObjectStore& objects) {
  using Function = json::value (*)(const Parts&, const OperationContext&);
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       Function function) {
    return rest_row("iot", name, method, path, Parts{control, calls, objects}, function);
  };
  constexpr std::string_view kJob = "/jobs/{jobId}";
  constexpr std::string_view kTemplate = "/job-templates/{jobTemplateId}";
  return {
      row("CreateJob", "PUT", kJob, create),
      row("DescribeJob", "GET", kJob, describe),
      row("ListJobs", "GET", "/jobs", list),
      row("UpdateJob", "PATCH", kJob, update),
      row("AssociateTargetsWithJob", "POST", "/jobs/{jobId}/targets", associate),
      row("CancelJob", "PUT", "/jobs/{jobId}/cancel", cancel),
      row("DeleteJob", "DELETE", kJob, remove),
      row("GetJobDocument", "GET", "/jobs/{jobId}/job-document", get_document),
      row("DescribeJobExecution", "GET", "/things/{thingName}/jobs/{jobId}", describe_execution),
      row("ListJobExecutionsForJob", "GET", "/jobs/{jobId}/things", executions_of),
      row("ListJobExecutionsForThing", "GET", "/things/{thingName}/jobs", executions_on),
      row("CancelJobExecution", "PUT", "/things/{thingName}/jobs/{jobId}/cancel", cancel_execution),
      row("DeleteJobExecution", "DELETE",
          "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}", remove_execution),
      row("CreateJobTemplate", "PUT", kTemplate, create_template),
      row("DescribeJobTemplate", "GET", kTemplate, describe_template),
      row("ListJobTemplates", "GET", "/job-templates", list_templates),
      row("DeleteJobTemplate", "DELETE", kTemplate, remove_template),
      row("ListManagedJobTemplates", "GET", "/managed-job-templates", list_managed),
  };
}

}  // namespace andon::api
