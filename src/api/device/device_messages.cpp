// SPDX-License-Identifier: Apache-2.0
#include "api/device/device_messages.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "fleet/messages/job_message.hpp"
#include "fleet/messages/shadow_document.hpp"
#include "fleet/names/topic.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using fleet::JobRejection;
namespace json = base::json;

// A request that is refused for what it is.
struct Rejection {
  JobRejection code;
  std::string message;
};

[[noreturn]] void reject(JobRejection code, std::string message) {
  throw Rejection{code, std::move(message)};
}

// An empty payload is an empty object: classic devices ask for their shadow so.
json::object parse_request(const std::string& payload) {
  if (payload.empty()) return {};
  if (payload.size() > fleet::kFromDevice.max_bytes) {
    reject(JobRejection::invalid_request, "the message has more than 262144 bytes");
  }
  try {
    json::value value = base::parse_json(payload, "message", fleet::kFromDevice);
    if (value.is_object()) return std::move(value.get_object());
  } catch (const Error& error) {
    reject(JobRejection::invalid_json, error.message());
  }
  reject(JobRejection::invalid_json, "the message must be a JSON object");
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

  void get_job(const std::string& job_id, control::JobQueue queue, const std::string& payload,
               const fleet::ServerAddresses* addresses) {
    answer(payload, [&](const json::object& request) {
      std::optional<control::JobExecution> execution = job_id == fleet::kNextJob
                                                           ? control_.jobs.next(thing_, queue)
                                                           : control_.jobs.find(thing_, job_id);
      if (!execution && job_id != fleet::kNextJob) {
        reject(JobRejection::resource_not_found,
               "there is no job " + job_id + " for thing " + thing_);
      }
      const fleet::JobQuestion question = fleet::read_job_question(request);
      json::object reply;
      if (execution) {
        reply["execution"] = fleet::to_json(
            *execution,
            question.include_document ? control_.jobs.document(execution->job_id) : std::nullopt);
      }
      if (question.include_result_consumers) {
        fleet::put_result_consumers(reply, control_.result_consumers);
      }
      if (addresses != nullptr && fleet::asks_for_server_addresses(request)) {
        fleet::put_server_addresses(reply, *addresses);
      }
      return reply;
    });
  }

  void get_pending_jobs(const std::string& payload) {
    answer(payload, [&](const json::object& /*request*/) {
      json::array queued;
      json::array in_progress;
      for (const control::JobExecution& execution : control_.jobs.pending(thing_)) {
        (execution.status == control::JobStatus::queued ? queued : in_progress)
            .emplace_back(fleet::summarize(execution));
      }
      return json::object{{"inProgressJobs", std::move(in_progress)},
                          {"queuedJobs", std::move(queued)}};
    });
  }

  void start_next_job(const std::string& payload, const std::function<void()>& progressed) {
    answer(payload, [&](const json::object& request) {
      const auto execution = control_.jobs.start_next(thing_, fleet::read_start_details(request));
      json::object reply;
      if (execution) {
        if (progressed) progressed();
        reply["execution"] = fleet::to_json(*execution, control_.jobs.document(execution->job_id));
      }
      return reply;
    });
  }

  void update_job(const std::string& job_id, const std::string& payload,
                  const std::function<void()>& progressed) {
    answer(payload, [&](const json::object& request) {
      const fleet::JobUpdate update = fleet::read_job_update(request);
      const control::JobUpdateResult result = control_.jobs.update(thing_, job_id, update);
      if (result.rejection) reject(*result.rejection, result.message);
      if (progressed) progressed();
      json::object reply;
      if (update.include_execution_state) {
        json::object details;
        for (const auto& [key, value] : result.execution->status_details) details[key] = value;
        reply["executionState"] = {{"status", to_string(result.execution->status)},
                                   {"statusDetails", std::move(details)},
                                   {"versionNumber", result.execution->version}};
      }
      if (update.include_document) {
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
      reply = fleet::make_rejection(rejection.code, rejection.message);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::invalid_argument) {
        reply = fleet::make_rejection(JobRejection::invalid_request, error.message());
      } else {
        base::log_error("job message failed", {{"topic", topic_}, {"error", error.message()}});
        reply = fleet::make_rejection(JobRejection::internal_error,
                                      "a defect of the server: see its log");
      }
    }
    reply["timestamp"] = fleet::to_job_seconds(clock_.now());
    // Echoed exactly: devices ignore an answer whose token differs.
    if (const json::value* token = request.if_contains("clientToken")) {
      reply["clientToken"] = *token;
    }
    publish(is_accepted, reply);
  }

  [[nodiscard]] json::object shadow_error(int code, std::string_view message,
                                          const json::object& request) const {
    json::object payload = fleet::make_shadow_rejection(code, message, clock_.now());
    if (const json::value* token = request.if_contains("clientToken")) {
      payload["clientToken"] = *token;
    }
    return payload;
  }

  void publish(bool is_accepted, const json::object& payload) {
    const auto answer = is_accepted ? fleet::Answer::accepted : fleet::Answer::rejected;
    notifier_.publish(fleet::answer_topic(topic_, answer), base::to_text(payload));
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

void take_telemetry(control::ControlPlane& control, const std::string& thing,
                    const std::string& payload) {
  try {
    control.telemetry.take(thing, payload);
  } catch (const Error& error) {  // there is nobody to answer to
    base::log_warning("telemetry refused", {{"thing", thing}, {"reason", error.message()}});
  }
}

void dispatch(control::ControlPlane& control, control::Notifier& notifier, const base::Clock& clock,
              const std::string& topic, const std::string& payload,
              const fleet::ServerAddresses* addresses, const std::function<void()>& progressed) {
  const auto read = fleet::parse_device_topic(topic);
  if (!read) return;
  using fleet::DeviceMessage;
  const bool is_of_shadow = read->message == DeviceMessage::get_shadow ||
                            read->message == DeviceMessage::update_shadow ||
                            read->message == DeviceMessage::delete_shadow;
  // Others than the thing may speak of its shadow where their policies say so.
  if (is_of_shadow && read->shadow != fleet::kDeploymentShadow) {
    return control.shadows.take(*read, payload);
  }
  // The broker asks this, too; but what it let through a moment ago may still be on its way here.
  if (!control.rights.may_thing(read->thing)) {
    base::log_warning("a message of a thing without a good certificate is left alone",
                      {{"topic", topic}});
    return;
  }
  Exchange exchange(control, notifier, clock, topic, read->thing);
  switch (read->message) {
    case DeviceMessage::health:
      return take_health(control, read->thing, payload);
    case DeviceMessage::telemetry:
      return take_telemetry(control, read->thing, payload);
    case DeviceMessage::get_job:
      return exchange.get_job(read->job_id,
                              read->kind == fleet::JobKind::plain ? control::JobQueue::jobs
                                                                  : control::JobQueue::deployments,
                              payload, addresses);
    case DeviceMessage::update_job:
      return exchange.update_job(read->job_id, payload, progressed);
    case DeviceMessage::get_pending_jobs:
      return exchange.get_pending_jobs(payload);
    case DeviceMessage::start_next_job:
      return exchange.start_next_job(payload, progressed);
    case DeviceMessage::get_shadow:
      return exchange.shadow(payload, [&](const json::object& request) {
        return control.shadow.get(read->thing, request);
      });
    case DeviceMessage::update_shadow:
      return exchange.shadow(payload, [&](const json::object& request) {
        return control.shadow.update(read->thing, request);
      });
    case DeviceMessage::delete_shadow:
      return exchange.shadow(payload, [](const json::object&) -> control::ShadowReply {
        reject(JobRejection::invalid_request, "the deployment's shadow cannot be deleted");
      });
  }
}

}  // namespace

bool is_status_topic(std::string_view topic) {
  const auto read = fleet::parse_device_topic(topic);
  return read && (read->message == fleet::DeviceMessage::health ||
                  read->message == fleet::DeviceMessage::telemetry);
}

void handle_device_message(control::ControlPlane& control, control::Notifier& notifier,
                           const base::Clock& clock, const std::string& topic,
                           const std::string& payload, const fleet::ServerAddresses* addresses,
                           const std::function<void()>& progressed) {
  try {
    dispatch(control, notifier, clock, topic, payload, addresses, progressed);
  } catch (const std::exception& error) {  // the worker must go on with the next message
    base::log_error("device message failed", {{"topic", topic}, {"error", error.what()}});
  }
}

}  // namespace andon::api
