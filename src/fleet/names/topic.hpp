// SPDX-License-Identifier: Apache-2.0
// The MQTT topics between a device and its server (AWS IoT Jobs, shadows, fleet status, results,
// commands), spelled once: DeviceTopics writes them for both ends, parse_device_topic() and
// thing_of_results() read those that a device publishes to. Values; pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::fleet {

// Everything between one device and its server lies below "$aws/things/<thing>/", but for results.
inline constexpr std::string_view kThingTopics = "$aws/things/";
inline constexpr std::string_view kJobsNamespace = "namespace-aws-gg-deployment";
inline constexpr std::string_view kDeploymentShadow = "AWSManagedGreengrassV2Deployment";
// Stands for the job that is to be done now.
inline constexpr std::string_view kNextJob = "$next";

class DeviceTopics {
 public:
  explicit DeviceTopics(std::string_view thing);

  // Published by the device, each answered on answer().
  [[nodiscard]] std::string get_job(std::string_view job_id = kNextJob) const;
  [[nodiscard]] std::string update_job(std::string_view job_id) const;
  // The same of jobs of AWS IoT that are no deployments: in no namespace.
  [[nodiscard]] std::string get_plain_job(std::string_view job_id = kNextJob) const;
  [[nodiscard]] std::string update_plain_job(std::string_view job_id) const;
  [[nodiscard]] std::string get_pending_jobs() const;
  [[nodiscard]] std::string start_next_job() const;
  [[nodiscard]] std::string get_shadow() const;
  [[nodiscard]] std::string update_shadow() const;
  // Published by the device, not answered.
  [[nodiscard]] std::string health() const;
  [[nodiscard]] std::string telemetry() const;

  // Published by the server.
  [[nodiscard]] std::string notify_jobs() const;      // what waits
  [[nodiscard]] std::string notify_next_job() const;  // what is to be done now
  [[nodiscard]] std::string notify_plain_jobs() const;
  [[nodiscard]] std::string notify_next_plain_job() const;

  // Where its results go: "andon/things/<thing>/results".
  [[nodiscard]] std::string results() const;
  // Where a consumer of them says what it has stored (fleet/messages/result_message.hpp):
  // "cmd/andon/<thing>/stored/<consumer>". A device may read it and not write it.
  [[nodiscard]] std::string stored_by(std::string_view consumer) const;

  // Commands (fleet/command): what the server asks of the device, and says while it answers:
  // "cmd/andon/<thing>/commands/<word>", where only the server publishes. What the device answers:
  // "andon/things/<thing>/commands/<command id>".
  [[nodiscard]] std::string command(std::string_view word) const;
  [[nodiscard]] std::string command_answers(std::string_view command_id) const;

  // Published by the broker: its policies, or what they count for, are not what they were; the
  // topic in {"topic": ...} is not its to publish to. "$aws/things/<thing>/andon/policy/...".
  [[nodiscard]] std::string policy_changed() const;
  [[nodiscard]] std::string publish_refused() const;

  // Filters that a device subscribes to.
  [[nodiscard]] std::string next_job_answers() const;
  [[nodiscard]] std::string update_answers() const;
  [[nodiscard]] std::string stored_by_any() const;
  [[nodiscard]] std::string policy_news() const;
  [[nodiscard]] std::string any_command() const;

 private:
  std::string thing_;
  std::string prefix_;
};

// On which the broker tells its server, when that subscribes, of each client that is there: a
// message as on $aws/events/presence/connected/....
inline constexpr std::string_view kPresentTopic = "$SYS/broker/andon/present";

// Is it the server's to publish there: an answer, or what it tells by itself?
[[nodiscard]] bool is_servers_topic(std::string_view topic);

enum class Answer { accepted, rejected };
[[nodiscard]] std::string answer_topic(std::string_view topic, Answer answer);
[[nodiscard]] bool is_accepted(std::string_view answer_topic);

// At most 64 of [a-zA-Z0-9:_$-]; the empty name is the classic shadow's.
[[nodiscard]] bool is_shadow_name(std::string_view name);
// "$aws/things/T/shadow" or "$aws/things/T/shadow/name/N".
[[nodiscard]] std::string shadow_topic(std::string_view thing, std::string_view name);

// May somebody who is no device publish there, if he has the right to: by the API, by a rule? Not
// where devices and their server speak with each other, but for shadows that are asked for.
[[nodiscard]] bool is_users_topic(std::string_view topic);

// What a device publishes.
enum class DeviceMessage {
  get_job,
  update_job,
  get_pending_jobs,  // of plain jobs
  start_next_job,    // of plain jobs
  get_shadow,
  update_shadow,
  delete_shadow,
  health,
  telemetry,
};

// A deployment (namespace aws-gg-deployment), or a job of AWS IoT in no namespace.
enum class JobKind { deployment, plain };

struct DeviceTopic {
  DeviceMessage message = DeviceMessage::health;
  std::string thing;
  std::string job_id;  // of get_job and update_job; may be kNextJob
  std::string shadow;  // of the three about shadows; empty: the classic one
  JobKind kind = JobKind::deployment;
};
// Nothing for any other topic, and for one with a name that no thing can have.
[[nodiscard]] std::optional<DeviceTopic> parse_device_topic(std::string_view topic);

// The filters for what parse_device_topic() reads, of all devices.
[[nodiscard]] std::vector<std::string> device_topic_filters();

// The thing whose results come on this topic; nothing for any other topic.
[[nodiscard]] std::optional<std::string> thing_of_results(std::string_view topic);
// The filter for results of all devices.
[[nodiscard]] std::string results_filter();

// The consumer of a topic that DeviceTopics::stored_by() has written; nothing for any other.
[[nodiscard]] std::optional<std::string> consumer_of_stored(std::string_view topic);
// What DeviceTopics::command_answers() has written, read back; nothing for any other topic.
struct CommandAnswersTopic {
  std::string thing;
  std::string command_id;
};
[[nodiscard]] std::optional<CommandAnswersTopic> parse_command_answers(std::string_view topic);
// The filter for answers of all devices.
[[nodiscard]] std::string command_answers_filter();
// Is it one of either kind, of whatever device? Nobody but the server asks there, and nobody but
// the device itself answers.
[[nodiscard]] bool is_command_topic(std::string_view topic);
// As base::random_uuid() makes them.
[[nodiscard]] bool is_command_id(std::string_view text);

// 1 to 64 of [a-zA-Z0-9_-].
[[nodiscard]] bool is_consumer_name(std::string_view name);

}  // namespace andon::fleet
