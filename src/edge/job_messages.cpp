// SPDX-License-Identifier: Apache-2.0
#include "edge/job_messages.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMaxDetailBytes = 1024;
constexpr base::JsonLimits kLimits{.max_bytes = 1U << 20U, .max_depth = 32};

// Not in the middle of a UTF-8 character.
std::string cut(std::string text) {
  if (text.size() <= kMaxDetailBytes) return text;
  std::size_t end = kMaxDetailBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

std::string to_list_text(const std::vector<std::string>& texts) {
  return base::to_text(json::array(texts.begin(), texts.end()));
}

// It becomes part of a topic.
bool is_job_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, allowed);
}

}  // namespace

NextJob parse_next_job(std::string_view payload) {
  const json::value value = base::parse_json(payload, "job message", kLimits);
  const base::JsonReader reader(value, "job message");
  NextJob next;
  next.client_token = reader.optional_string("clientToken").value_or("");
  if (!reader.has("execution")) return next;
  const json::value* raw = reader.object().if_contains("execution");
  if (raw->is_object() && raw->get_object().empty()) return next;  // as AWS writes "none"
  const base::JsonReader execution = reader.child("execution");
  Job job;
  job.job_id = execution.string("jobId");
  if (!is_job_id(job.job_id)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "job message: execution.jobId is not 1 to 64 of a-z A-Z 0-9 _ -");
  }
  job.queued_at = execution.integer("queuedAt");
  job.status = execution.optional_string("status").value_or("QUEUED");
  // One without a document is taken as well, so that its failure is reported.
  if (const json::value* document = execution.object().if_contains("jobDocument")) {
    job.document =
        document->is_string() ? std::string(document->get_string()) : base::to_text(*document);
  }
  next.job = std::move(job);
  return next;
}

UpdateAnswer parse_update_answer(std::string_view payload) {
  const json::value value = base::parse_json(payload, "answer to a job update", kLimits);
  const base::JsonReader reader(value, "answer to a job update");
  return {reader.optional_string("clientToken").value_or(""),
          reader.optional_string("code").value_or(""),
          reader.optional_string("message").value_or("")};
}

bool is_final_rejection(std::string_view code) {
  constexpr std::array<std::string_view, 7> kFinal{
      "InvalidTopic",     "InvalidJson",     "InvalidRequest",      "InvalidStateTransition",
      "ResourceNotFound", "VersionMismatch", "TerminalStateReached"};
  return std::ranges::find(kFinal, code) != kFinal.end();
}

json::object make_update(const std::string& thing, const std::string& job_id,
                         const JobStatus& status) {
  json::object update{{"jobId", job_id}, {"thingName", thing}, {"status", status.status}};
  if (status.detailed_status.empty()) return update;
  json::object details{{"detailed-deployment-status", status.detailed_status}};
  if (!status.failure_cause.empty()) {
    details["deployment-failure-cause"] = cut(status.failure_cause);
    details["deployment-error-stack"] = cut(to_list_text(status.error_stack));
    details["deployment-error-types"] = cut(to_list_text(status.error_types));
  }
  update["statusDetails"] = std::move(details);
  return update;
}

}  // namespace andon::edge
