// SPDX-License-Identifier: Apache-2.0
// Hears of deployments as jobs and reports what became of them. Reports lie in config.db until the
// server has answered them, in order, so that neither a crash nor a broken network loses one. Asks
// for the next job on every connection, and listens to both notify topics. Main thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "edge/event_loop.hpp"
#include "edge/job_messages.hpp"
#include "edge/mqtt_link.hpp"
#include "store/database.hpp"

namespace andon::edge {

class JobClient {
 public:
  struct Handlers {
    // The job that is to be done now; may be the one in hand.
    std::function<void(const Job&)> on_job;
    // The server has no job for this device, so one that is in hand was withdrawn.
    std::function<void()> on_none;
  };

  JobClient(EventLoop& loop, MqttLink& link, store::Database& database, std::string thing,
            Handlers handlers);
  JobClient(const JobClient&) = delete;
  JobClient& operator=(const JobClient&) = delete;
  ~JobClient();

  // Asks for the next job; while not connected that happens by itself later.
  void ask();

  // Puts a report into the outbox, inside the caller's transaction; flush() afterwards.
  void enqueue(store::Transaction& transaction, const std::string& job_id,
               const JobStatus& status) const;
  void flush();

 private:
  void on_connection(bool connected);
  void on_next(const wire::MqttMessage& message, bool is_answer);
  void on_update_answer(const wire::MqttMessage& message);
  void send_first();
  void drop_first();

  EventLoop& loop_;
  MqttLink& link_;
  store::Database& database_;
  std::string thing_;
  JobTopics topics_;
  Handlers handlers_;
  std::vector<std::uint64_t> subscriptions_;
  std::uint64_t asked_ = 0;  // number of the newest question
  EventLoop::TimerId ask_timer_ = 0;
  EventLoop::TimerId send_timer_ = 0;
  std::optional<std::int64_t> in_flight_;  // id of the outbox row that awaits its answer
};

}  // namespace andon::edge
