// SPDX-License-Identifier: Apache-2.0
#include "edge/job_client.hpp"

#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"

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

JobClient::JobClient(EventLoop& loop, MqttLink& link, store::Database& database, std::string thing,
                     Handlers handlers)
    : loop_(loop),
      link_(link),
      database_(database),
      thing_(std::move(thing)),
      topics_(thing_),
      handlers_(std::move(handlers)) {
  const auto listen = [this](const std::string& filter, auto handler) {
    subscriptions_.push_back(link_.subscribe(filter, wire::Qos::at_least_once, std::move(handler)));
  };
  listen(topics_.get_answers(), [this](const auto& message) { on_next(message, true); });
  listen(topics_.notify_next(), [this](const auto& message) { on_next(message, false); });
  // It says only that something has changed.
  listen(topics_.notify(), [this](const auto&) { ask(); });
  listen(topics_.update_answers(), [this](const auto& message) { on_update_answer(message); });
  link_.on_connection([this](bool connected) { on_connection(connected); });
}

JobClient::~JobClient() {
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
  ask();
}

void JobClient::ask() {
  if (!link_.is_connected()) return;
  const json::object question{{"jobId", "$next"},
                              {"thingName", thing_},
                              {"includeJobDocument", true},
                              {"clientToken", get_token(++asked_)}};
  link_.publish({topics_.get(), base::to_text(question)}, wire::Qos::at_least_once, {}, {});
  loop_.cancel(ask_timer_);
  ask_timer_ = loop_.after(kAnswerTimeout, [this] {
    ask_timer_ = 0;
    ask();
  });
}

void JobClient::on_next(const wire::MqttMessage& message, bool is_answer) {
  if (is_answer && !message.topic.ends_with("/accepted")) {
    base::log_warning("the server refused to tell the next job", {{"answer", message.payload}});
    return;  // asked again when the timer fires
  }
  try {
    const NextJob next = parse_next_job(message.payload);
    if (is_answer) {
      if (next.client_token != get_token(asked_)) return;  // a newer question is on its way
      loop_.cancel(std::exchange(ask_timer_, 0));
    }
    if (next.job) return handlers_.on_job(*next.job);
    // A notification may be older than what was asked since: make sure.
    if (!is_answer) return ask();
    handlers_.on_none();
  } catch (const base::Error& error) {
    base::log_error("a job message cannot be read", {{"why", error.message()}});
  }
}

void JobClient::enqueue(store::Transaction& transaction, const std::string& job_id,
                        const JobStatus& status) const {
  transaction.execute("INSERT INTO job_outbox (job_id, body) VALUES ($1, $2)",
                      {job_id, base::to_text(make_update(thing_, job_id, status))});
}

void JobClient::flush() {
  if (!in_flight_ && link_.is_connected()) send_first();
}

void JobClient::send_first() {
  std::optional<store::Row> first;
  database_.read([&](store::Transaction& transaction) {
    first = transaction.query_one("SELECT id, job_id, body FROM job_outbox ORDER BY id LIMIT 1");
  });
  if (!first) return;
  in_flight_ = first->integer(0);
  json::object body = base::parse_json(first->text(2), "saved job update").as_object();
  body["clientToken"] = update_token(*in_flight_);
  link_.publish({topics_.update(first->text(1)), base::to_text(body)}, wire::Qos::at_least_once, {},
                {});
  loop_.cancel(send_timer_);
  send_timer_ = loop_.after(kAnswerTimeout, [this] {
    send_timer_ = 0;
    in_flight_.reset();
    flush();
  });
}

void JobClient::on_update_answer(const wire::MqttMessage& message) {
  UpdateAnswer answer;
  try {
    answer = parse_update_answer(message.payload);
  } catch (const base::Error& error) {
    base::log_error("an answer to a job update cannot be read", {{"why", error.message()}});
    return;
  }
  if (!in_flight_ || answer.client_token != update_token(*in_flight_)) return;
  const bool accepted = message.topic.ends_with("/accepted");
  if (!accepted) {
    base::log_warning("the server did not take a deployment's status",
                      {{"code", answer.code}, {"why", answer.message}});
    if (!is_final_rejection(answer.code)) return;  // sent again when the timer fires
  }
  drop_first();
}

void JobClient::drop_first() {
  database_.write([this](store::Transaction& transaction) {
    transaction.execute("DELETE FROM job_outbox WHERE id = $1", {*in_flight_});
  });
  in_flight_.reset();
  loop_.cancel(std::exchange(send_timer_, 0));
  send_first();
}

}  // namespace andon::edge
