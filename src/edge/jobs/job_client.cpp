// SPDX-License-Identifier: Apache-2.0
#include "edge/jobs/job_client.hpp"

#include <chrono>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

// Without an answer for so long, the question or report is sent again.
constexpr std::chrono::milliseconds kAnswerTimeout{10'000};

std::string get_token(std::uint64_t number) {
  return "andon-get-" + std::to_string(number);
}
std::string update_token(std::int64_t id) {
  return "andon-update-" + std::to_string(id);
}

}  // namespace

JobClient::JobClient(EventLoop& loop, MqttLink& link, StateWriter& writer, std::string thing,
                     Handlers handlers)
    : loop_(loop),
      link_(link),
      writer_(writer),
      thing_(std::move(thing)),
      topics_(thing_),
      handlers_(std::move(handlers)) {
  const auto listen = [this](const std::string& filter, auto handler) {
    subscriptions_.push_back(link_.subscribe(filter, wire::Qos::at_least_once, std::move(handler)));
  };
  listen(topics_.next_job_answers(), [this](const auto& message) { on_next(message, true); });
  listen(topics_.notify_next_job(), [this](const auto& message) { on_next(message, false); });
  // It says only that something has changed.
  listen(topics_.notify_jobs(), [this](const auto&) { ask(); });
  listen(topics_.update_answers(), [this](const auto& message) { on_update_answer(message); });
  link_.on_connection([this](bool connected) { on_connection(connected); });
}

JobClient::~JobClient() {
  *alive_ = false;
  loop_.cancel(ask_timer_);
  loop_.cancel(send_timer_);
  for (const std::uint64_t id : subscriptions_) link_.unsubscribe(id);
}

void JobClient::on_connection(bool connected) {
  in_flight_.reset();
  loop_.cancel(std::exchange(ask_timer_, 0));
  loop_.cancel(std::exchange(send_timer_, 0));
  if (!connected) return;
  flush();
  // After the report, so that the answer takes it into account.
  writer_.run([](store::Transaction&) {},
              [this, alive = alive_](const std::exception_ptr&) {
                if (*alive) ask();
              });
}

void JobClient::ask() {
  if (!link_.is_connected()) return;
  base::json::object question =
      fleet::make_job_question(thing_, fleet::kNextJob, get_token(++asked_));
  fleet::ask_for_server_addresses(question);
  link_.publish({topics_.get_job(), base::to_text(question)}, wire::Qos::at_least_once, {}, {});
  loop_.cancel(ask_timer_);
  ask_timer_ = loop_.after(kAnswerTimeout, [this] {
    ask_timer_ = 0;
    ask();
  });
}

void JobClient::on_next(const wire::MqttMessage& message, bool is_answer) {
  if (is_answer && !fleet::is_accepted(message.topic)) {
    base::log_warning("the server refused to tell the next job", {{"answer", message.payload}});
    return;  // asked again when the timer fires
  }
  try {
    const fleet::NextJob next = fleet::parse_next_job(message.payload);
    if (is_answer) {
      if (next.client_token != get_token(asked_)) return;  // a newer question is on its way
      loop_.cancel(std::exchange(ask_timer_, 0));
      if (handlers_.on_result_consumers) {
        handlers_.on_result_consumers(next.result_consumers.value_or(std::vector<std::string>()));
      }
      if (next.sent && handlers_.on_time) handlers_.on_time(*next.sent);
      const auto addresses = fleet::parse_server_addresses(message.payload);
      if (addresses && handlers_.on_addresses) handlers_.on_addresses(*addresses);
      const bool is_ours = next.result_consumers || addresses;
      if (!is_ours && handlers_.on_other_server) handlers_.on_other_server();
    }
    if (next.job) return handlers_.on_job(*next.job);
    // A notification may be older than what was asked since: make sure.
    if (!is_answer) return ask();
    handlers_.on_none();
  } catch (const base::Error& error) {
    base::log_error("a job message cannot be read", {{"why", error.message()}});
  }
}

void JobClient::enqueue(store::Transaction& transaction, const std::string& thing,
                        const std::string& job_id, const fleet::DeploymentOutcome& outcome) {
  transaction.execute("INSERT INTO job_outbox (job_id, body) VALUES ($1, $2)",
                      {job_id, base::to_text(fleet::make_job_update(thing, job_id, outcome))});
}

void JobClient::flush() {
  if (!in_flight_ && link_.is_connected()) send_first();
}

void JobClient::tell_progress(const std::string& job_id,
                              const fleet::DeploymentProgress& progress) {
  // What is stored comes first, and may be newer.
  if (in_flight_ || reading_ || !link_.is_connected()) return;
  link_.publish({topics_.update_job(job_id),
                 base::to_text(fleet::make_progress_update(thing_, job_id, progress))},
                wire::Qos::at_least_once, {}, {});
}

void JobClient::send_first() {
  if (std::exchange(reading_, true)) return;
  const auto first = std::make_shared<std::optional<store::Row>>();
  writer_.run_unsynced(  // behind what is to be read
      [first](store::Transaction& transaction) {
        *first = transaction.query_one(
            "SELECT id, job_id, body FROM job_outbox WHERE job_id NOT LIKE "
            "'shadow:%' ORDER BY id LIMIT 1");
      },
      [this, alive = alive_, first](std::exception_ptr error) {
        if (!*alive) return;
        reading_ = false;
        if (error) {  // a full disk, on which what shared its transaction could not be written
          flush_later();
          std::rethrow_exception(error);
        }
        if (!*first || in_flight_ || !link_.is_connected()) return;
        send((*first)->integer(0), (*first)->text(1), (*first)->text(2));
      });
}

void JobClient::send(std::int64_t id, const std::string& job_id, const std::string& saved) {
  in_flight_ = id;
  base::json::object body = base::parse_json(saved, "saved job update").as_object();
  body["clientToken"] = update_token(id);
  link_.publish({topics_.update_job(job_id), base::to_text(body)}, wire::Qos::at_least_once, {},
                {});
  flush_later();
}

void JobClient::flush_later() {
  loop_.cancel(send_timer_);
  send_timer_ = loop_.after(kAnswerTimeout, [this] {
    send_timer_ = 0;
    in_flight_.reset();
    flush();
  });
}

void JobClient::on_update_answer(const wire::MqttMessage& message) {
  fleet::UpdateAnswer answer;
  try {
    answer = fleet::parse_update_answer(message.payload);
  } catch (const base::Error& error) {
    base::log_error("an answer to a job update cannot be read", {{"why", error.message()}});
    return;
  }
  if (!in_flight_ || answer.client_token != update_token(*in_flight_)) return;
  const bool accepted = fleet::is_accepted(message.topic);
  if (!accepted) {
    base::log_warning("the server did not take a deployment's status",
                      {{"code", answer.code}, {"why", answer.message}});
    const auto rejection = fleet::parse_job_rejection(answer.code);
    if (!rejection || !fleet::is_final(*rejection)) return;  // sent again when the timer fires
  }
  drop_first();
}

void JobClient::drop_first() {
  // Told again after a power cut: the server knows it already.
  writer_.run_unsynced([id = *in_flight_](store::Transaction& transaction) {
    transaction.execute("DELETE FROM job_outbox WHERE id = $1", {id});
  });
  in_flight_.reset();
  loop_.cancel(std::exchange(send_timer_, 0));
  send_first();
}

}  // namespace andon::edge
