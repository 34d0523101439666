// SPDX-License-Identifier: Apache-2.0
// Room: jobs. Hears of deployments as jobs and reports what became of them. Reports lie in
// config.db until the server has answered them, in order, so that neither a crash nor a broken
// network loses one. Asks for the next job on every connection, and listens to both notify topics.
// Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/state/state_writer.hpp"
#include "fleet/messages/deployment_progress.hpp"
#include "fleet/messages/job_message.hpp"
#include "fleet/names/topic.hpp"
#include "fleet/provisioning/server_addresses.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

class JobClient {
 public:
  struct Handlers {
    // The job that is to be done now; may be the one in hand.
    std::function<void(const fleet::Job&)> on_job;
    // The server has no job for this device, so one that is in hand was withdrawn.
    std::function<void()> on_none;
    // Whose word counts for results, with each answer; none where the server does not say. May be
    // empty.
    std::function<void(const std::vector<std::string>&)> on_result_consumers = {};
    // What the server's clock said in an answer that was asked for; may be empty.
    std::function<void(base::Timestamp)> on_time = {};
    // Where the server says that it is, in an answer; may be empty.
    std::function<void(const fleet::ServerAddresses&)> on_addresses = {};
    // An answer came that is not of andon's server; may be empty.
    std::function<void()> on_other_server = {};
  };

  JobClient(EventLoop& loop, MqttLink& link, StateWriter& writer, std::string thing,
            Handlers handlers);
  JobClient(const JobClient&) = delete;
  JobClient& operator=(const JobClient&) = delete;
  ~JobClient();

  // Asks for the next job; while not connected that happens by itself later.
  void ask();

  // Puts a report of `thing` into the outbox, inside the caller's transaction, on any thread;
  // flush() once that is durable.
  static void enqueue(store::Transaction& transaction, const std::string& thing,
                      const std::string& job_id, const fleet::DeploymentOutcome& outcome);
  void flush();
  // Says how far the job is; where it is lost, nobody says it again.
  void tell_progress(const std::string& job_id, const fleet::DeploymentProgress& progress);

 private:
  void on_connection(bool connected);
  void on_next(const wire::MqttMessage& message, bool is_answer);
  void on_update_answer(const wire::MqttMessage& message);
  void send_first();
  void send(std::int64_t id, const std::string& job_id, const std::string& saved);
  void drop_first();
  void flush_later();

  EventLoop& loop_;
  MqttLink& link_;
  StateWriter& writer_;
  std::string thing_;
  fleet::DeviceTopics topics_;
  Handlers handlers_;
  std::vector<std::uint64_t> subscriptions_;
  std::uint64_t asked_ = 0;  // number of the newest question
  EventLoop::TimerId ask_timer_ = 0;
  EventLoop::TimerId send_timer_ = 0;
  bool reading_ = false;                   // the outbox's first row is being read
  std::optional<std::int64_t> in_flight_;  // id of the outbox row that awaits its answer
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
