// SPDX-License-Identifier: Apache-2.0
// The messages of AWS IoT Jobs (namespace aws-gg-deployment) as a device sends and reads them.
// Pure; any thread. Everything read is from outside: malformed messages throw invalid_argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace andon::edge {

namespace json = base::json;

class JobTopics {
 public:
  explicit JobTopics(const std::string& thing) : prefix_("$aws/things/" + thing + "/jobs/") {}

  [[nodiscard]] std::string get() const {
    return prefix_ + "$next/" + std::string(kNamespace) + "/get";
  }
  [[nodiscard]] std::string get_answers() const { return get() + "/+"; }
  [[nodiscard]] std::string notify() const { return prefix_ + "notify-" + std::string(kNamespace); }
  [[nodiscard]] std::string notify_next() const {
    return prefix_ + "notify-next-" + std::string(kNamespace);
  }
  [[nodiscard]] std::string update(std::string_view job_id) const {
    return prefix_ + std::string(job_id) + '/' + std::string(kNamespace) + "/update";
  }
  [[nodiscard]] std::string update_answers() const {
    return prefix_ + "+/" + std::string(kNamespace) + "/update/+";
  }

 private:
  static constexpr std::string_view kNamespace = "namespace-aws-gg-deployment";
  std::string prefix_;
};

struct Job {
  std::string job_id;
  std::int64_t queued_at = 0;
  std::string status;    // QUEUED, IN_PROGRESS
  std::string document;  // JSON text
};

// A notify-next message or a get answer: the job that is to be done, or nothing.
struct NextJob {
  std::string client_token;
  std::optional<Job> job;
};
[[nodiscard]] NextJob parse_next_job(std::string_view payload);

// An answer to an update.
struct UpdateAnswer {
  std::string client_token;
  std::string code;  // of a rejection: "TerminalStateReached"
  std::string message;
};
[[nodiscard]] UpdateAnswer parse_update_answer(std::string_view payload);
// Will the same update be refused again?
[[nodiscard]] bool is_final_rejection(std::string_view code);

struct JobStatus {
  std::string status;  // IN_PROGRESS, SUCCEEDED, FAILED, REJECTED
  std::string detailed_status;
  std::string failure_cause;
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
};
// Without clientToken, which is added when it is sent. Values are cut at 1024 bytes, as AWS does.
[[nodiscard]] json::object make_update(const std::string& thing, const std::string& job_id,
                                       const JobStatus& status);

}  // namespace andon::edge
