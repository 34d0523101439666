// SPDX-License-Identifier: Apache-2.0
// The messages of AWS IoT Jobs (namespace aws-gg-deployment): a device asks for its job, is told of
// it, reports on it and is answered. What one side writes the other reads; every reader takes
// anything that another implementation of AWS's protocol sends, and throws invalid_argument for
// what is malformed. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "fleet/messages/deployment_outcome.hpp"

namespace andon::fleet {

// One deployment on one device.
struct JobExecution {
  std::string job_id;  // the deployment's id
  std::string thing;
  JobStatus status = JobStatus::queued;
  JobDetails status_details;
  std::int64_t version = 1;           // rises with each change
  std::int64_t execution_number = 1;  // rises when it is queued anew
  base::Timestamp queued;
  std::optional<base::Timestamp> started;
  base::Timestamp updated;
};

// Seconds since 1970 as an integer: devices refuse a fraction.
[[nodiscard]] std::int64_t to_job_seconds(base::Timestamp time);

// The "execution" object; without the document where that is nothing.
[[nodiscard]] json::object to_json(const JobExecution& execution,
                                   const std::optional<json::object>& document);
// As it stands in the list of what waits.
[[nodiscard]] json::object summarize(const JobExecution& execution);

// What a device needs of an execution.
struct Job {
  std::string job_id;
  std::int64_t queued_at = 0;  // seconds since 1970
  std::string document;        // JSON text; empty where the message has none
};

// Consumers of results that a device may be told of.
inline constexpr std::size_t kMaxResultConsumers = 8;

// A notify-next message or the answer to JobQuestion: the job that is to be done, or nothing.
struct NextJob {
  std::string client_token;
  std::optional<base::Timestamp> sent;  // by the server's clock
  std::optional<Job> job;
  // andon's own, in the answer to a question that asks for them: whose word it takes that a result
  // is stored before the device forgets it. Nothing from a server that does not say.
  std::optional<std::vector<std::string>> result_consumers;
};
[[nodiscard]] NextJob parse_next_job(std::string_view payload);

struct JobQuestion {
  bool include_document = true;
  bool include_result_consumers = false;
};
[[nodiscard]] json::object make_job_question(std::string_view thing, std::string_view job_id,
                                             std::string_view client_token);
[[nodiscard]] JobQuestion read_job_question(const json::object& request);
// Into the answer.
void put_result_consumers(json::object& answer, const std::vector<std::string>& consumers);

struct JobUpdate {
  JobStatus status = JobStatus::in_progress;
  JobDetails status_details;  // empty: as they were
  std::optional<std::int64_t> expected_version;
  bool include_execution_state = false;
  bool include_document = false;
};
// Without clientToken, which is added when it is sent. Values have at most 1024 bytes, as AWS wants
// it.
[[nodiscard]] json::object make_job_update(std::string_view thing, std::string_view job_id,
                                           const DeploymentOutcome& outcome);
[[nodiscard]] JobUpdate read_job_update(const json::object& request);

// statusDetails of a device that begins with the next job; none where it says nothing.
[[nodiscard]] JobDetails read_start_details(const json::object& request);

// Why a request is refused: the codes of AWS IoT Jobs.
enum class JobRejection {
  invalid_topic,
  invalid_json,
  invalid_request,
  invalid_state_transition,
  resource_not_found,
  version_mismatch,
  internal_error,
  request_throttled,
  terminal_state_reached,
};
[[nodiscard]] std::string_view to_string(JobRejection rejection);  // "VersionMismatch"
[[nodiscard]] std::optional<JobRejection> parse_job_rejection(std::string_view text);
// Will the same request be refused again?
[[nodiscard]] bool is_final(JobRejection rejection);

[[nodiscard]] json::object make_rejection(JobRejection rejection, std::string_view message);

// An answer to an update.
struct UpdateAnswer {
  std::string client_token;
  std::string code;  // of a rejection, as it came
  std::string message;
};
[[nodiscard]] UpdateAnswer parse_update_answer(std::string_view payload);

}  // namespace andon::fleet
