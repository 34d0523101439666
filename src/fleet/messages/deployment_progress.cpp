// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/deployment_progress.hpp"

#include "base/text/number.hpp"

namespace andon::fleet {
namespace {

constexpr std::string_view kStep = "andon-step";
constexpr std::string_view kComponent = "andon-component";
constexpr std::string_view kBytes = "andon-bytes";
constexpr std::string_view kOfBytes = "andon-of-bytes";
constexpr std::string_view kReason = "andon-reason";
// AWS takes 1,024 characters a value.
constexpr std::size_t kMaxValueBytes = 1024;

// "12.3" of millions.
std::string megabytes(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes / 100'000;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

}  // namespace

JobDetails to_job_details(const DeploymentProgress& progress) {
  JobDetails texts;
  const auto put = [&](std::string_view key, const std::string& text) {
    if (!text.empty()) texts.emplace(key, cut_text(text, kMaxValueBytes));
  };
  put(kStep, progress.step);
  put(kComponent, progress.component);
  if (progress.of_bytes > 0) {
    put(kBytes, std::to_string(progress.bytes));
    put(kOfBytes, std::to_string(progress.of_bytes));
  }
  put(kReason, progress.reason);
  return texts;
}

DeploymentProgress read_job_progress(const JobDetails& details) {
  const auto text = [&](std::string_view key) {
    const auto found = details.find(std::string(key));
    return found == details.end() ? std::string() : found->second;
  };
  const auto number = [&](std::string_view key) {
    return base::parse_uint64(text(key)).value_or(0);
  };
  return {text(kStep), text(kComponent), number(kBytes), number(kOfBytes), text(kReason)};
}

std::string describe(const DeploymentProgress& progress) {
  if (progress.step.empty()) return progress.reason;
  std::string said = progress.step;
  if (!progress.component.empty()) said += ' ' + progress.component;
  if (progress.of_bytes > 0) {
    said += ", " + megabytes(progress.bytes) + " of " + megabytes(progress.of_bytes) + " MB";
  }
  if (!progress.reason.empty()) said += "; " + progress.reason;
  return said;
}

json::object make_progress_update(std::string_view thing, std::string_view job_id,
                                  const DeploymentProgress& progress) {
  json::object details;
  for (const auto& [key, text] : to_job_details(progress)) details[key] = text;
  return {{"jobId", job_id},
          {"thingName", thing},
          {"status", to_string(JobStatus::in_progress)},
          {"statusDetails", std::move(details)}};
}

}  // namespace andon::fleet
