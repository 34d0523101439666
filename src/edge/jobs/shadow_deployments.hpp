// SPDX-License-Identifier: Apache-2.0
// Deployments of the thing itself as AWS IoT gives them: in the named shadow
// AWSManagedGreengrassV2Deployment, not as jobs. (Andon's server gives a job for each as well, and
// its devices leave the shadow alone.) They are offered as jobs that wait their turn, one by one,
// and what became of each is written into the shadow: kept in config.db until the broker's answer
// says that it is there. Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/state/state_writer.hpp"
#include "fleet/messages/deployment_outcome.hpp"
#include "fleet/messages/job_message.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

// "shadow:<configuration ARN>", which no server gives to a job.
inline constexpr std::string_view kShadowJob = "shadow:";
[[nodiscard]] inline bool is_shadow_job(std::string_view job_id) {
  return job_id.starts_with(kShadowJob);
}

class ShadowDeployments {
 public:
  struct Handlers {
    // One that is to be done when nothing else is; may be one that was done.
    std::function<void(const fleet::Job&)> offer;
    // The server wants it no more.
    std::function<void(const std::string& job_id)> cancel;
  };
  ShadowDeployments(EventLoop& loop, MqttLink& link, StateWriter& writer, std::string thing,
                    Handlers handlers);
  ShadowDeployments(const ShadowDeployments&) = delete;
  ShadowDeployments& operator=(const ShadowDeployments&) = delete;
  ~ShadowDeployments();

  // The server is one that keeps deployments in shadows: this one's is asked for, once for each
  // connection, and listened to.
  void look();
  // A deployment has ended: the one that waits is offered again, if it is another.
  void go_on(const std::string& ended_configuration_arn);

  // Puts what became of it into config.db, inside the caller's transaction, on any thread; flush()
  // once that is durable.
  static void enqueue(store::Transaction& transaction, const std::string& job_id,
                      const fleet::DeploymentOutcome& outcome);
  void flush();

 private:
  void on_connection(bool connected);
  void ask();
  void on_shadow(const wire::MqttMessage& message);
  void on_update_answer(const wire::MqttMessage& message);
  void send(std::int64_t id, const std::string& body);
  void send_later();
  void sent();

  EventLoop& loop_;
  MqttLink& link_;
  StateWriter& writer_;
  std::string get_topic_;
  std::string update_topic_;
  Handlers handlers_;
  std::vector<std::uint64_t> subscriptions_;
  bool has_asked_ = false;    // on this connection
  std::int64_t version_ = 0;  // the newest that was seen
  std::optional<fleet::Job> waiting_;
  bool reading_ = false;
  std::optional<std::int64_t> in_flight_;  // the outbox row whose answer is awaited
  EventLoop::TimerId ask_timer_ = 0;
  EventLoop::TimerId send_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
