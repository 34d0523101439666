// SPDX-License-Identifier: Apache-2.0
#include "fleet/names/topic.hpp"

#include <algorithm>
#include <array>

#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "fleet/names/arn.hpp"

namespace andon::fleet {
namespace {

constexpr std::string_view kAccepted = "/accepted";
constexpr std::string_view kRejected = "/rejected";
constexpr std::string_view kOwnTopics = "andon/things/";
constexpr std::string_view kResults = "/results";
constexpr std::string_view kCommands = "cmd/andon/";
constexpr std::string_view kStored = "/stored/";
constexpr std::string_view kCommandPart = "/commands/";
constexpr std::string_view kPolicyNews = "andon/policy/";
constexpr std::string_view kShadowName = "name/";
constexpr std::size_t kMaxConsumerName = 64;
constexpr std::size_t kMaxShadowName = 64;

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// What follows ".../shadow/".
std::optional<DeviceTopic> read_shadow_topic(DeviceTopic read, std::string_view rest) {
  if (rest.starts_with(kShadowName)) {
    rest.remove_prefix(kShadowName.size());
    read.shadow = base::take_part(rest, '/');
    if (read.shadow.empty() || !is_shadow_name(read.shadow)) return std::nullopt;
  }
  if (rest == "get") {
    read.message = DeviceMessage::get_shadow;
  } else if (rest == "update") {
    read.message = DeviceMessage::update_shadow;
  } else if (rest == "delete") {
    read.message = DeviceMessage::delete_shadow;
  } else {
    return std::nullopt;
  }
  return read;
}

}  // namespace

DeviceTopics::DeviceTopics(std::string_view thing)
    : thing_(thing), prefix_(joined({kThingTopics, thing, "/"})) {}

std::string DeviceTopics::get_job(std::string_view job_id) const {
  return joined({prefix_, "jobs/", job_id, "/", kJobsNamespace, "/get"});
}
std::string DeviceTopics::update_job(std::string_view job_id) const {
  return joined({prefix_, "jobs/", job_id, "/", kJobsNamespace, "/update"});
}
std::string DeviceTopics::get_plain_job(std::string_view job_id) const {
  return joined({prefix_, "jobs/", job_id, "/get"});
}
std::string DeviceTopics::update_plain_job(std::string_view job_id) const {
  return joined({prefix_, "jobs/", job_id, "/update"});
}
std::string DeviceTopics::get_pending_jobs() const {
  return prefix_ + "jobs/get";
}
std::string DeviceTopics::start_next_job() const {
  return prefix_ + "jobs/start-next";
}
std::string DeviceTopics::notify_plain_jobs() const {
  return prefix_ + "jobs/notify";
}
std::string DeviceTopics::notify_next_plain_job() const {
  return prefix_ + "jobs/notify-next";
}
std::string DeviceTopics::get_shadow() const {
  return joined({prefix_, "shadow/name/", kDeploymentShadow, "/get"});
}
std::string DeviceTopics::update_shadow() const {
  return joined({prefix_, "shadow/name/", kDeploymentShadow, "/update"});
}
std::string DeviceTopics::health() const {
  return prefix_ + "greengrassv2/health/json";
}
std::string DeviceTopics::telemetry() const {
  return prefix_ + "greengrass/health/json";
}
std::string DeviceTopics::notify_jobs() const {
  return joined({prefix_, "jobs/notify-", kJobsNamespace});
}
std::string DeviceTopics::notify_next_job() const {
  return joined({prefix_, "jobs/notify-next-", kJobsNamespace});
}
std::string DeviceTopics::results() const {
  return joined({kOwnTopics, thing_, kResults});
}
std::string DeviceTopics::stored_by(std::string_view consumer) const {
  return joined({kCommands, thing_, kStored, consumer});
}
std::string DeviceTopics::command(std::string_view word) const {
  return joined({kCommands, thing_, kCommandPart, word});
}
std::string DeviceTopics::command_answers(std::string_view command_id) const {
  return joined({kOwnTopics, thing_, kCommandPart, command_id});
}
std::string DeviceTopics::any_command() const {
  return command("+");
}
std::string DeviceTopics::policy_changed() const {
  return joined({prefix_, kPolicyNews, "changed"});
}
std::string DeviceTopics::publish_refused() const {
  return joined({prefix_, kPolicyNews, "refused"});
}
std::string DeviceTopics::policy_news() const {
  return joined({prefix_, kPolicyNews, "+"});
}
std::string DeviceTopics::stored_by_any() const {
  return stored_by("+");
}
std::string DeviceTopics::next_job_answers() const {
  return get_job() + "/+";
}
std::string DeviceTopics::update_answers() const {
  return update_job("+") + "/+";
}

bool is_servers_topic(std::string_view topic) {
  if (!topic.starts_with(kThingTopics)) return false;
  const bool is_answer = topic.ends_with(kAccepted) || topic.ends_with(kRejected) ||
                         topic.ends_with("/update/delta") || topic.ends_with("/update/documents");
  return is_answer || topic.find("/jobs/notify") != std::string_view::npos ||
         topic.find(kPolicyNews) != std::string_view::npos;
}

std::string answer_topic(std::string_view topic, Answer answer) {
  return joined({topic, answer == Answer::accepted ? kAccepted : kRejected});
}

bool is_accepted(std::string_view answer_topic) {
  return answer_topic.ends_with(kAccepted);
}

bool is_shadow_name(std::string_view name) {
  return name.size() <= kMaxShadowName && (name.empty() || base::is_name_of(name, ":_$-"));
}

std::string shadow_topic(std::string_view thing, std::string_view name) {
  std::string topic = joined({kThingTopics, thing, "/shadow"});
  if (!name.empty()) topic += joined({"/", kShadowName, name});
  return topic;
}

bool is_users_topic(std::string_view topic) {
  if (topic.starts_with("$aws/rules/")) return true;
  const auto read = parse_device_topic(topic);
  if (read) {
    return read->shadow != kDeploymentShadow && (read->message == DeviceMessage::get_shadow ||
                                                 read->message == DeviceMessage::update_shadow ||
                                                 read->message == DeviceMessage::delete_shadow);
  }
  constexpr std::array kReserved{std::string_view("$"), std::string_view("andon/"), kCommands};
  return std::ranges::none_of(
      kReserved, [topic](std::string_view prefix) { return topic.starts_with(prefix); });
}

std::optional<DeviceTopic> parse_device_topic(std::string_view topic) {
  if (!topic.starts_with(kThingTopics)) return std::nullopt;
  std::string_view rest = topic.substr(kThingTopics.size());
  const std::string_view thing = base::take_part(rest, '/');
  if (!is_thing_name(thing)) return std::nullopt;
  DeviceTopic read{DeviceMessage::health, std::string(thing), {}, {}, JobKind::deployment};
  const DeviceTopics topics(thing);
  if (topic == topics.health()) return read;
  if (topic == topics.telemetry()) {
    read.message = DeviceMessage::telemetry;
    return read;
  }
  if (topic == topics.get_pending_jobs() || topic == topics.start_next_job()) {
    read.message = topic == topics.start_next_job() ? DeviceMessage::start_next_job
                                                    : DeviceMessage::get_pending_jobs;
    read.kind = JobKind::plain;
    return read;
  }
  const std::string_view kind = base::take_part(rest, '/');
  if (kind == "shadow") return read_shadow_topic(std::move(read), rest);
  if (kind != "jobs") return std::nullopt;
  read.job_id = base::take_part(rest, '/');
  if (read.job_id.empty()) return std::nullopt;
  read.message = DeviceMessage::get_job;
  if (topic == topics.get_job(read.job_id)) return read;
  read.message = DeviceMessage::update_job;
  if (topic == topics.update_job(read.job_id)) return read;
  read.kind = JobKind::plain;
  if (topic == topics.update_plain_job(read.job_id)) return read;
  read.message = DeviceMessage::get_job;
  if (topic == topics.get_plain_job(read.job_id)) return read;
  return std::nullopt;
}

std::vector<std::string> device_topic_filters() {
  const DeviceTopics all("+");
  std::vector<std::string> filters{all.get_job("+"),       all.update_job("+"),
                                   all.get_plain_job("+"), all.update_plain_job("+"),
                                   all.get_pending_jobs(), all.start_next_job(),
                                   all.health(),           all.telemetry()};
  for (const std::string_view name : {"", "+"}) {
    for (const char* verb : {"/get", "/update", "/delete"}) {
      filters.push_back(shadow_topic("+", name) + verb);
    }
  }
  return filters;
}

std::optional<std::string> thing_of_results(std::string_view topic) {
  if (!topic.starts_with(kOwnTopics) || !topic.ends_with(kResults)) return std::nullopt;
  topic.remove_prefix(kOwnTopics.size());
  if (topic.size() <= kResults.size()) return std::nullopt;
  topic.remove_suffix(kResults.size());
  if (!is_thing_name(topic)) return std::nullopt;
  return std::string(topic);
}

std::string results_filter() {
  return DeviceTopics("+").results();
}

std::optional<std::string> consumer_of_stored(std::string_view topic) {
  if (!topic.starts_with(kCommands)) return std::nullopt;
  topic.remove_prefix(kCommands.size());
  const std::string_view thing = base::take_part(topic, '/');
  const std::string_view word = base::take_part(topic, '/');
  if (!is_thing_name(thing) || word != "stored" || !is_consumer_name(topic)) return std::nullopt;
  return std::string(topic);
}

std::optional<CommandAnswersTopic> parse_command_answers(std::string_view topic) {
  if (!topic.starts_with(kOwnTopics)) return std::nullopt;
  topic.remove_prefix(kOwnTopics.size());
  const std::string_view thing = base::take_part(topic, '/');
  const std::string_view word = base::take_part(topic, '/');
  if (!is_thing_name(thing) || word != "commands" || !is_command_id(topic)) return std::nullopt;
  return CommandAnswersTopic{std::string(thing), std::string(topic)};
}

std::string command_answers_filter() {
  return DeviceTopics("+").command_answers("+");
}

bool is_command_topic(std::string_view topic) {
  for (const std::string_view prefix : {kCommands, kOwnTopics}) {
    if (!topic.starts_with(prefix)) continue;
    const std::size_t thing_end = topic.find('/', prefix.size());
    return thing_end != std::string_view::npos && topic.substr(thing_end).starts_with(kCommandPart);
  }
  return false;
}

bool is_command_id(std::string_view text) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_dash ? c != '-' : !is_digit) return false;
  }
  return true;
}

bool is_consumer_name(std::string_view name) {
  return name.size() <= kMaxConsumerName && base::is_name_of(name, "_-");
}

}  // namespace andon::fleet
