// SPDX-License-Identifier: Apache-2.0
#include "api/device_messages.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::string_view kThings = "$aws/things/";
constexpr std::string_view kNamespace = "namespace-aws-gg-deployment";
constexpr std::string_view kHealth = "greengrassv2/health/json";
constexpr std::size_t kMaxDetails = 10;
constexpr std::size_t kMaxDetailBytes = 4096;

// A request that is refused for what it is.
struct Rejection {
  std::string code;
  std::string message;
};

[[noreturn]] void reject(std::string code, std::string message) {
  throw Rejection{std::move(code), std::move(message)};
}

std::vector<std::string_view> split_topic(std::string_view topic) {
  std::vector<std::string_view> levels;
  while (true) {
    const std::size_t slash = topic.find('/');
    levels.push_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

// An empty payload is an empty object: classic devices ask for their shadow so.
json::object parse_request(const std::string& payload) {
  if (payload.empty()) return {};
  if (payload.size() > kMaxDeviceMessageBytes) {
    reject("InvalidRequest", "the message has more than 262144 bytes");
  }
  try {
    json::value value = base::parse_json(payload, "message", {kMaxDeviceMessageBytes, 16});
    if (value.is_object()) return std::move(value.get_object());
  } catch (const Error& error) {
    reject("InvalidJson", error.message());
  }
  reject("InvalidJson", "the message must be a JSON object");
}

control::JobUpdate read_update(const json::object& request) {
  const base::JsonReader reader(request, "");
  const std::string text = reader.string("status");
  const auto status = control::parse_job_status(text);
  using control::JobStatus;
  if (!status || *status == JobStatus::queued || *status == JobStatus::timed_out ||
      *status == JobStatus::canceled) {
    reject("InvalidRequest", "status: \"" + text.substr(0, 64) +
                                 "\" must be IN_PROGRESS, SUCCEEDED, FAILED or REJECTED");
  }
  control::JobUpdate update;
  update.status = *status;
  update.expected_version = reader.optional_integer("expectedVersion");
  if (const json::object* details = reader.optional_object("statusDetails")) {
    if (details->size() > kMaxDetails) {
      reject("InvalidRequest", "statusDetails: more than 10 members");
    }
    for (const auto& member : *details) {
      if (!member.value().is_string()) {
        reject("InvalidRequest", "statusDetails: every value must be text");
      }
      const std::string_view value = member.value().get_string();
      if (member.key().size() > 128 || value.size() > kMaxDetailBytes) {
        reject("InvalidRequest", "statusDetails: a value is longer than 4096 bytes");
      }
      update.status_details.emplace(std::string(member.key()), std::string(value));
    }
  }
  return update;
}

// One message to a topic that answers with accepted or rejected.
class Exchange {
 public:
  Exchange(control::ControlPlane& control, control::Notifier& notifier, const base::Clock& clock,
           const std::string& topic, std::string thing)
      : control_(control),
        notifier_(notifier),
        clock_(clock),
        topic_(topic),
        thing_(std::move(thing)) {}

  void get_job(const std::string& job_id, const std::string& payload) {
    answer(payload, [&](const json::object& request) {
      std::optional<control::JobExecution> execution =
          job_id == "$next" ? control_.jobs.next(thing_) : control_.jobs.find(thing_, job_id);
      if (!execution && job_id != "$next") {
        reject("ResourceNotFound", "there is no job " + job_id + " for thing " + thing_);
      }
      json::object reply;
      if (execution) {
        const base::JsonReader reader(request, "");
        const bool wants_document = reader.optional_bool("includeJobDocument").value_or(true);
        reply["execution"] = control::describe_execution(
            *execution, wants_document ? control_.jobs.document(execution->job_id) : std::nullopt);
      }
      return reply;
    });
  }

  void update_job(const std::string& job_id, const std::string& payload) {
    answer(payload, [&](const json::object& request) {
      const control::JobUpdateResult result =
          control_.jobs.update(thing_, job_id, read_update(request));
      if (result.rejection) {
        reject(std::string(control::to_string(*result.rejection)), result.message);
      }
      json::object reply;
      const base::JsonReader reader(request, "");
      if (reader.optional_bool("includeJobExecutionState").value_or(false)) {
        json::object details;
        for (const auto& [key, value] : result.execution->status_details) details[key] = value;
        reply["executionState"] = {{"status", control::to_string(result.execution->status)},
                                   {"statusDetails", std::move(details)},
                                   {"versionNumber", result.execution->version}};
      }
      if (reader.optional_bool("includeJobDocument").value_or(false)) {
        if (auto document = control_.jobs.document(job_id)) {
          reply["jobDocument"] = *std::move(document);
        }
      }
      return reply;
    });
  }

  template <typename Act>
  void shadow(const std::string& payload, Act act) {
    json::object request;
    try {
      request = parse_request(payload);
      const control::ShadowReply reply = act(request);
      publish(reply.accepted, reply.payload);
    } catch (const Rejection& rejection) {
      publish(false, shadow_error(400, rejection.message, request));
    } catch (const Error& error) {
      base::log_error("shadow message failed", {{"topic", topic_}, {"error", error.message()}});
      publish(false, shadow_error(500, "a defect of the server: see its log", request));
    }
  }

 private:
  template <typename Act>
  void answer(const std::string& payload, Act act) {
    json::object request;
    json::object reply;
    bool is_accepted = false;
    try {
      request = parse_request(payload);
      reply = act(request);
      is_accepted = true;
    } catch (const Rejection& rejection) {
      reply = {{"code", rejection.code}, {"message", rejection.message}};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::invalid_argument) {
        reply = {{"code", "InvalidRequest"}, {"message", error.message()}};
      } else {
        base::log_error("job message failed", {{"topic", topic_}, {"error", error.message()}});
        reply = {{"code", "InternalError"}, {"message", "a defect of the server: see its log"}};
      }
    }
    reply["timestamp"] = control::to_job_seconds(clock_.now());
    // Echoed exactly: devices ignore an answer whose token differs.
    if (const json::value* token = request.if_contains("clientToken")) {
      reply["clientToken"] = *token;
    }
    publish(is_accepted, reply);
  }

  [[nodiscard]] json::object shadow_error(int code, std::string_view message,
                                          const json::object& request) const {
    json::object payload{
        {"code", code}, {"message", message}, {"timestamp", control::to_job_seconds(clock_.now())}};
    if (const json::value* token = request.if_contains("clientToken")) {
      payload["clientToken"] = *token;
    }
    return payload;
  }

  void publish(bool is_accepted, const json::object& payload) {
    notifier_.publish(topic_ + (is_accepted ? "/accepted" : "/rejected"), base::to_text(payload));
  }

  control::ControlPlane& control_;
  control::Notifier& notifier_;
  const base::Clock& clock_;
  const std::string& topic_;
  std::string thing_;
};

void take_health(control::ControlPlane& control, const std::string& thing,
                 const std::string& payload) {
  try {
    const auto outcome = control.core_devices.take_health(thing, payload);
    if (outcome == control::HealthOutcome::stale) {
      base::log_debug("stale health message dropped", {{"thing", thing}});
    }
  } catch (const Error& error) {  // there is nobody to answer to
    base::log_warning("health message refused", {{"thing", thing}, {"reason", error.message()}});
  }
}

void dispatch(control::ControlPlane& control, control::Notifier& notifier, const base::Clock& clock,
              const std::string& topic, const std::string& payload) {
  if (!topic.starts_with(kThings)) return;
  // $aws / things / <thing> / ...
  const std::vector<std::string_view> levels = split_topic(topic);
  if (levels.size() < 5 || !control::is_thing_name(levels[2])) return;
  const std::string thing(levels[2]);
  if (is_health_topic(topic)) {
    take_health(control, thing, payload);
    return;
  }
  Exchange exchange(control, notifier, clock, topic, thing);
  const bool is_job = levels.size() == 7 && levels[3] == "jobs" && levels[5] == kNamespace;
  if (is_job && levels[6] == "get") exchange.get_job(std::string(levels[4]), payload);
  if (is_job && levels[6] == "update") exchange.update_job(std::string(levels[4]), payload);
  const bool is_shadow = levels.size() == 7 && levels[3] == "shadow" && levels[4] == "name" &&
                         levels[5] == control::kDeploymentShadow;
  if (is_shadow && levels[6] == "get") {
    exchange.shadow(
        payload, [&](const json::object& request) { return control.shadow.get(thing, request); });
  }
  if (is_shadow && levels[6] == "update") {
    exchange.shadow(payload, [&](const json::object& request) {
      return control.shadow.update(thing, request);
    });
  }
}

}  // namespace

const std::vector<std::string>& device_topic_filters() {
  static const std::vector<std::string> filters = [] {
    const std::string things = std::string(kThings) + "+/";
    const std::string jobs = things + "jobs/+/" + std::string(kNamespace);
    const std::string shadow = things + "shadow/name/" + std::string(control::kDeploymentShadow);
    return std::vector<std::string>{jobs + "/get", jobs + "/update", shadow + "/get",
                                    shadow + "/update", things + std::string(kHealth)};
  }();
  return filters;
}

bool is_health_topic(std::string_view topic) {
  return topic.starts_with(kThings) && topic.ends_with(kHealth) &&
         std::count(topic.begin(), topic.end(), '/') == 5;
}

void handle_device_message(control::ControlPlane& control, control::Notifier& notifier,
                           const base::Clock& clock, const std::string& topic,
                           const std::string& payload) {
  try {
    dispatch(control, notifier, clock, topic, payload);
  } catch (const std::exception& error) {  // the worker must go on with the next message
    base::log_error("device message failed", {{"topic", topic}, {"error", error.what()}});
  }
}

}  // namespace andon::api
