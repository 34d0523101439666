// SPDX-License-Identifier: Apache-2.0
#include "edge/jobs/shadow_deployments.hpp"

#include <chrono>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "fleet/messages/shadow_document.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

// Without an answer for so long, the question or report is sent again.
constexpr std::chrono::milliseconds kAnswerTimeout{10'000};

std::string token(std::int64_t id) {
  return "andon-shadow-" + std::to_string(id);
}

}  // namespace

ShadowDeployments::ShadowDeployments(EventLoop& loop, MqttLink& link, StateWriter& writer,
                                     std::string thing, Handlers handlers)
    : loop_(loop),
      link_(link),
      writer_(writer),
      get_topic_(fleet::DeviceTopics(thing).get_shadow()),
      update_topic_(fleet::DeviceTopics(thing).update_shadow()),
      handlers_(std::move(handlers)) {
  link_.on_connection([this, alive = alive_](bool connected) {
    if (*alive) on_connection(connected);
  });
}

ShadowDeployments::~ShadowDeployments() {
  *alive_ = false;
  loop_.cancel(ask_timer_);
  loop_.cancel(send_timer_);
  for (const std::uint64_t id : subscriptions_) link_.unsubscribe(id);
}

void ShadowDeployments::on_connection(bool connected) {
  has_asked_ = false;
  in_flight_.reset();
  loop_.cancel(std::exchange(ask_timer_, 0));
  loop_.cancel(std::exchange(send_timer_, 0));
  if (connected && !subscriptions_.empty()) look();
}

void ShadowDeployments::look() {
  if (subscriptions_.empty()) {
    const auto listen = [this](const std::string& filter, auto handler) {
      subscriptions_.push_back(
          link_.subscribe(filter, wire::Qos::at_least_once, std::move(handler)));
    };
    listen(get_topic_ + "/+", [this](const auto& message) { on_shadow(message); });
    listen(update_topic_ + "/+", [this](const auto& message) {
      on_shadow(message);
      on_update_answer(message);
    });
  }
  if (std::exchange(has_asked_, true)) return;
  ask();
  flush();
}

void ShadowDeployments::ask() {
  if (!link_.is_connected()) return;
  link_.publish({get_topic_, "{}"}, wire::Qos::at_least_once, {}, {});
  loop_.cancel(ask_timer_);
  ask_timer_ = loop_.after(kAnswerTimeout, [this] {
    ask_timer_ = 0;
    ask();
  });
}

void ShadowDeployments::on_shadow(const wire::MqttMessage& message) {
  if (message.topic.starts_with(get_topic_)) loop_.cancel(std::exchange(ask_timer_, 0));
  if (!fleet::is_accepted(message.topic)) return;  // there is none, or it is no answer
  try {
    const auto desired = fleet::read_desired_deployment(message.payload);
    if (!desired || desired->version < version_) return;
    version_ = desired->version;
    const std::string job_id = std::string(kShadowJob) + desired->configuration_arn;
    waiting_.reset();
    if (desired->is_cancelled) return handlers_.cancel(job_id);
    if (desired->has_ended) return;
    waiting_ = fleet::Job{job_id, 0, desired->document};
    handlers_.offer(*waiting_);
  } catch (const base::Error& error) {
    base::log_error("the shadow of this device's deployment cannot be read",
                    {{"why", error.message()}});
  }
}

void ShadowDeployments::go_on(const std::string& ended_configuration_arn) {
  if (!waiting_) return;
  if (waiting_->job_id == std::string(kShadowJob) + ended_configuration_arn) {
    return waiting_.reset();
  }
  handlers_.offer(*waiting_);
}

void ShadowDeployments::enqueue(store::Transaction& transaction, const std::string& job_id,
                                const fleet::DeploymentOutcome& outcome) {
  const fleet::ShadowReport report{job_id.substr(kShadowJob.size()), outcome};
  transaction.execute("INSERT INTO job_outbox (job_id, body) VALUES ($1, $2)",
                      {job_id, base::to_text(fleet::make_report_update(report))});
}

// The newest says all: a shadow has one state.
void ShadowDeployments::flush() {
  if (subscriptions_.empty() || in_flight_ || reading_ || !link_.is_connected()) return;
  reading_ = true;
  const auto newest = std::make_shared<std::optional<store::Row>>();
  writer_.run_unsynced(
      [newest](store::Transaction& transaction) {
        *newest = transaction.query_one(
            "SELECT id, body FROM job_outbox WHERE job_id LIKE 'shadow:%' ORDER BY id DESC LIMIT "
            "1");
      },
      [this, alive = alive_, newest](std::exception_ptr error) {
        if (!*alive) return;
        reading_ = false;
        if (error) {
          send_later();
          std::rethrow_exception(error);
        }
        if (!*newest || in_flight_ || !link_.is_connected()) return;
        send((*newest)->integer(0), (*newest)->text(1));
      });
}

void ShadowDeployments::send(std::int64_t id, const std::string& saved) {
  in_flight_ = id;
  base::json::object body = base::parse_json(saved, "saved shadow report").as_object();
  body["clientToken"] = token(id);
  link_.publish({update_topic_, base::to_text(body)}, wire::Qos::at_least_once, {}, {});
  send_later();
}

void ShadowDeployments::send_later() {
  loop_.cancel(send_timer_);
  send_timer_ = loop_.after(kAnswerTimeout, [this] {
    send_timer_ = 0;
    in_flight_.reset();
    flush();
  });
}

void ShadowDeployments::on_update_answer(const wire::MqttMessage& message) {
  if (!in_flight_) return;
  try {
    const auto answer = fleet::parse_update_answer(message.payload);
    if (answer.client_token != token(*in_flight_)) return;
    if (!fleet::is_accepted(message.topic)) {
      base::log_warning("the server did not take a deployment's status into the shadow",
                        {{"why", answer.message}});
      return;  // sent again when the timer fires
    }
  } catch (const base::Error& error) {
    return base::log_error("an answer to a shadow's update cannot be read",
                           {{"why", error.message()}});
  }
  sent();
}

void ShadowDeployments::sent() {
  // Told again after a power cut: the server knows it already.
  writer_.run_unsynced([id = *in_flight_](store::Transaction& transaction) {
    transaction.execute("DELETE FROM job_outbox WHERE job_id LIKE 'shadow:%' AND id <= $1", {id});
  });
  in_flight_.reset();
  loop_.cancel(std::exchange(send_timer_, 0));
  flush();
}

}  // namespace andon::edge
