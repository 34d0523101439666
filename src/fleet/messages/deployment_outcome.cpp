// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/deployment_outcome.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::fleet {
namespace {

constexpr std::size_t kMaxTextBytes = 4096;

constexpr std::string_view kDetailedStatus = "detailed-deployment-status";
constexpr std::string_view kFailureCause = "deployment-failure-cause";
constexpr std::string_view kErrorStack = "deployment-error-stack";
constexpr std::string_view kErrorTypes = "deployment-error-types";

constexpr std::array<std::pair<JobStatus, std::string_view>, 7> kJobStatuses{{
    {JobStatus::queued, "QUEUED"},
    {JobStatus::in_progress, "IN_PROGRESS"},
    {JobStatus::succeeded, "SUCCEEDED"},
    {JobStatus::failed, "FAILED"},
    {JobStatus::rejected, "REJECTED"},
    {JobStatus::timed_out, "TIMED_OUT"},
    {JobStatus::canceled, "CANCELED"},
}};

std::vector<std::string> read_list_text(std::string_view text) {
  std::vector<std::string> texts;
  try {
    const json::value value = base::parse_json(text, "list");
    if (!value.is_array()) return {};
    for (const json::value& item : value.get_array()) {
      if (item.is_string()) texts.emplace_back(item.get_string());
    }
  } catch (const base::Error&) {
    return {};
  }
  return texts;
}

}  // namespace

std::string_view to_string(JobStatus status) {
  for (const auto& [value, name] : kJobStatuses) {
    if (value == status) return name;
  }
  throw base::Error(base::ErrorCode::internal, "a job status has no name");
}

std::optional<JobStatus> parse_job_status(std::string_view text) {
  for (const auto& [value, name] : kJobStatuses) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool is_terminal(JobStatus status) {
  return status != JobStatus::queued && status != JobStatus::in_progress;
}

std::string_view to_string(DetailedStatus status) {
  switch (status) {
    case DetailedStatus::successful:
      return "SUCCESSFUL";
    case DetailedStatus::rejected:
      return "REJECTED";
    case DetailedStatus::failed_no_state_change:
      return "FAILED_NO_STATE_CHANGE";
    case DetailedStatus::failed_rollback_not_requested:
      return "FAILED_ROLLBACK_NOT_REQUESTED";
    case DetailedStatus::failed_rollback_complete:
      return "FAILED_ROLLBACK_COMPLETE";
    case DetailedStatus::failed_unable_to_rollback:
      return "FAILED_UNABLE_TO_ROLLBACK";
  }
  throw base::Error(base::ErrorCode::internal, "a detailed status has no name");
}

json::object to_json(const DeploymentDetails& details) {
  return {{"detailedStatus", details.detailed_status},
          {"failureCause", details.failure_cause},
          {"errorStack", to_array(details.error_stack)},
          {"errorTypes", to_array(details.error_types)}};
}

DeploymentDetails read_deployment_details(const base::JsonReader& reader) {
  const auto text = [&](std::string_view key) {
    return cut_text(reader.optional_string(key).value_or(""), kMaxTextBytes);
  };
  return {text("detailedStatus"), text("failureCause"),
          read_texts(reader, "errorStack", kMaxTextBytes),
          read_texts(reader, "errorTypes", kMaxTextBytes)};
}

JobDetails to_job_details(const DeploymentDetails& details) {
  JobDetails texts;
  const auto put = [&](std::string_view key, std::string text) {
    if (!text.empty()) texts.emplace(key, std::move(text));
  };
  const auto put_list = [&](std::string_view key, const std::vector<std::string>& list) {
    if (!list.empty()) texts.emplace(key, base::to_text(to_array(list)));
  };
  put(kDetailedStatus, details.detailed_status);
  put(kFailureCause, details.failure_cause);
  put_list(kErrorStack, details.error_stack);
  put_list(kErrorTypes, details.error_types);
  return texts;
}

DeploymentDetails read_job_details(const JobDetails& details) {
  const auto text = [&](std::string_view key) {
    const auto found = details.find(std::string(key));
    return found == details.end() ? std::string() : found->second;
  };
  return {text(kDetailedStatus), text(kFailureCause), read_list_text(text(kErrorStack)),
          read_list_text(text(kErrorTypes))};
}

}  // namespace andon::fleet
