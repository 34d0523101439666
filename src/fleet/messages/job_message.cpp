// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/job_message.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "fleet/names/topic.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxDetailBytes = 1024;  // that andon's agent sends
constexpr std::size_t kMaxDetails = 10;
constexpr std::size_t kMaxTakenDetailBytes = 4096;
constexpr std::size_t kMaxDetailKeyBytes = 128;
constexpr std::string_view kResultConsumers = "resultConsumers";
constexpr std::string_view kAskForConsumers = "includeResultConsumers";

constexpr std::array<std::pair<JobRejection, std::string_view>, 9> kRejections{{
    {JobRejection::invalid_topic, "InvalidTopic"},
    {JobRejection::invalid_json, "InvalidJson"},
    {JobRejection::invalid_request, "InvalidRequest"},
    {JobRejection::invalid_state_transition, "InvalidStateTransition"},
    {JobRejection::resource_not_found, "ResourceNotFound"},
    {JobRejection::version_mismatch, "VersionMismatch"},
    {JobRejection::internal_error, "InternalError"},
    {JobRejection::request_throttled, "RequestThrottled"},
    {JobRejection::terminal_state_reached, "TerminalStateReached"},
}};

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorCode::invalid_argument, std::move(message));
}

// It becomes part of a topic.
bool is_job_id(std::string_view id) {
  return id.size() <= 64 && base::is_name_of(id, "_-");
}

json::object to_object(const JobDetails& details) {
  json::object object;
  for (const auto& [key, value] : details) object[key] = value;
  return object;
}

// Whole entries only, so that what is left can be read.
void shorten(std::vector<std::string>& list) {
  while (!list.empty() && base::to_text(to_array(list)).size() > kMaxDetailBytes) list.pop_back();
}

JobDetails read_status_details(const json::object& object) {
  if (object.size() > kMaxDetails) refuse("statusDetails: more than 10 members");
  JobDetails details;
  for (const auto& member : object) {
    if (!member.value().is_string()) refuse("statusDetails: every value must be text");
    const std::string_view value = member.value().get_string();
    if (member.key().size() > kMaxDetailKeyBytes || value.size() > kMaxTakenDetailBytes) {
      refuse("statusDetails: a value is longer than 4096 bytes");
    }
    details.emplace(std::string(member.key()), std::string(value));
  }
  return details;
}

std::optional<std::vector<std::string>> read_result_consumers(const base::JsonReader& reader) {
  if (!reader.has(kResultConsumers)) return std::nullopt;
  std::vector<std::string> consumers = reader.strings(kResultConsumers, kMaxResultConsumers + 1);
  if (consumers.size() > kMaxResultConsumers || !std::ranges::all_of(consumers, is_consumer_name)) {
    refuse("job message: resultConsumers must be at most " + std::to_string(kMaxResultConsumers) +
           " names of 1 to 64 of a-z A-Z 0-9 _ -");
  }
  return consumers;
}

}  // namespace

std::int64_t to_job_seconds(base::Timestamp time) {
  return base::to_epoch_millis(time) / 1000;
}

json::object summarize(const JobExecution& execution) {
  json::object object{{"jobId", execution.job_id},
                      {"queuedAt", to_job_seconds(execution.queued)},
                      {"lastUpdatedAt", to_job_seconds(execution.updated)},
                      {"versionNumber", execution.version},
                      {"executionNumber", execution.execution_number}};
  if (execution.started) object["startedAt"] = to_job_seconds(*execution.started);
  return object;
}

json::object to_json(const JobExecution& execution, const std::optional<json::object>& document) {
  json::object object = summarize(execution);
  object["thingName"] = execution.thing;
  object["status"] = to_string(execution.status);
  if (!execution.status_details.empty()) {
    object["statusDetails"] = to_object(execution.status_details);
  }
  if (document) object["jobDocument"] = *document;
  return object;
}

// "timestamp", seconds since 1970; nothing where it is absent or no such time.
std::optional<base::Timestamp> read_moment(const base::JsonReader& reader) {
  constexpr double kMost = 1e11;
  const auto seconds = reader.optional_number("timestamp");
  if (!seconds || !(*seconds > 0 && *seconds < kMost)) return std::nullopt;
  return base::from_epoch_millis(static_cast<std::int64_t>(*seconds * 1000));
}

NextJob parse_next_job(std::string_view payload) {
  const json::value value = base::parse_json(payload, "job message", kFromServer);
  const base::JsonReader reader(value, "job message");
  NextJob next;
  next.client_token = reader.optional_string("clientToken").value_or("");
  next.result_consumers = read_result_consumers(reader);
  next.sent = read_moment(reader);
  if (!reader.has("execution")) return next;
  const json::value* raw = reader.object().if_contains("execution");
  if (raw->is_object() && raw->get_object().empty()) return next;  // as AWS writes "none"
  const base::JsonReader execution = reader.child("execution");
  Job job;
  job.job_id = execution.string("jobId");
  if (!is_job_id(job.job_id)) {
    refuse("job message: execution.jobId is not 1 to 64 of a-z A-Z 0-9 _ -");
  }
  job.queued_at = execution.integer("queuedAt");
  // One without a document is taken as well, so that its failure is reported.
  if (const json::value* document = execution.object().if_contains("jobDocument")) {
    job.document =
        document->is_string() ? std::string(document->get_string()) : base::to_text(*document);
  }
  next.job = std::move(job);
  return next;
}

json::object make_job_question(std::string_view thing, std::string_view job_id,
                               std::string_view client_token) {
  return {{"jobId", job_id},
          {"thingName", thing},
          {"includeJobDocument", true},
          {kAskForConsumers, true},
          {"clientToken", client_token}};
}

JobQuestion read_job_question(const json::object& request) {
  const base::JsonReader reader(request, "");
  return {reader.optional_bool("includeJobDocument").value_or(true),
          reader.optional_bool(kAskForConsumers).value_or(false)};
}

void put_result_consumers(json::object& answer, const std::vector<std::string>& consumers) {
  answer[kResultConsumers] = to_array(consumers);
}

json::object make_job_update(std::string_view thing, std::string_view job_id,
                             const DeploymentOutcome& outcome) {
  json::object update{
      {"jobId", job_id}, {"thingName", thing}, {"status", to_string(outcome.status)}};
  DeploymentDetails details = outcome.details;
  details.failure_cause = cut_text(std::move(details.failure_cause), kMaxDetailBytes);
  shorten(details.error_stack);
  shorten(details.error_types);
  const JobDetails texts = to_job_details(details);
  if (!texts.empty()) update["statusDetails"] = to_object(texts);
  return update;
}

// Of AWS's timers the one of the whole job counts here.
void refuse_step_timeout(const base::JsonReader& reader) {
  if (!reader.has("stepTimeoutInMinutes")) return;
  refuse("stepTimeoutInMinutes: this server has no timeouts of steps, only timeoutConfig of a job");
}

JobUpdate read_job_update(const json::object& request) {
  const base::JsonReader reader(request, "");
  refuse_step_timeout(reader);
  const std::string text = reader.string("status");
  const auto status = parse_job_status(text);
  const bool is_for_devices = status && *status != JobStatus::queued &&
                              *status != JobStatus::timed_out && *status != JobStatus::canceled;
  if (!is_for_devices) {
    refuse("status: \"" + cut_text(text, 64) +
           "\" must be IN_PROGRESS, SUCCEEDED, FAILED or REJECTED");
  }
  JobUpdate update;
  update.status = *status;
  update.expected_version = reader.optional_integer("expectedVersion");
  if (const json::object* details = reader.optional_object("statusDetails")) {
    update.status_details = read_status_details(*details);
  }
  update.include_execution_state = reader.optional_bool("includeJobExecutionState").value_or(false);
  update.include_document = reader.optional_bool("includeJobDocument").value_or(false);
  return update;
}

JobDetails read_start_details(const json::object& request) {
  const base::JsonReader reader(request, "");
  refuse_step_timeout(reader);
  const json::object* details = reader.optional_object("statusDetails");
  return details == nullptr ? JobDetails{} : read_status_details(*details);
}

std::string_view to_string(JobRejection rejection) {
  for (const auto& [value, name] : kRejections) {
    if (value == rejection) return name;
  }
  throw Error(ErrorCode::internal, "a job rejection has no name");
}

std::optional<JobRejection> parse_job_rejection(std::string_view text) {
  for (const auto& [value, name] : kRejections) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool is_final(JobRejection rejection) {
  return rejection != JobRejection::internal_error && rejection != JobRejection::request_throttled;
}

json::object make_rejection(JobRejection rejection, std::string_view message) {
  return {{"code", to_string(rejection)}, {"message", message}};
}

UpdateAnswer parse_update_answer(std::string_view payload) {
  const json::value value = base::parse_json(payload, "answer to a job update", kFromServer);
  const base::JsonReader reader(value, "answer to a job update");
  return {reader.optional_string("clientToken").value_or(""),
          reader.optional_string("code").value_or(""),
          reader.optional_string("message").value_or("")};
}

}  // namespace andon::fleet
