// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_client.hpp"

#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/file.hpp"
#include "wire/mqtt/mqtt_link.hpp"
#include "wire/mqtt/mqtt_outbox.hpp"
#include "wire/mqtt/mqtt_subscriptions.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kSlowestReturn{3'600'000};

// OpenSSL writes without MSG_NOSIGNAL; with the signal blocked such a write fails with EPIPE.
void ignore_broken_pipes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// The outcome of a message is the caller's code, on a C library's stack: nothing may escape.
void report(const PublishOutcomeHandler& handler, PublishOutcome outcome) {
  if (!handler) return;
  try {
    handler(outcome);
  } catch (const std::exception& error) {
    base::log_error("a publish outcome handler failed", {{"reason", error.what()}});
  }
}

}  // namespace

// The link is used on the network thread only; other threads leave their wishes under the mutex and
// wake it.
class MqttClient::Implementation final : private MqttLinkEvents {
 public:
  Implementation(MqttOptions options, MqttConnectionHandler on_connection)
      : options_(std::move(options)),
        on_connection_(std::move(on_connection)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        tuning_(options_.tuning),
        way_{{{options_.host, options_.port}}, {}, {}} {
    try {
      check_certificates(options_);
    } catch (Error& error) {
      throw Error(ErrorCode::invalid_argument, error.message())
          .with_context("cannot connect to the broker at " + options_.host);
    }
    if (!wake_) throw base::system_error("cannot make an eventfd", errno);
    thread_ = std::thread([this] { run(); });
  }

  ~Implementation() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    wake();
    thread_.join();
  }

  [[nodiscard]] bool is_connected() const {
    const std::lock_guard lock(mutex_);
    return outbox_.is_connected();
  }

  [[nodiscard]] bool wait_connected(milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return outbox_.is_connected(); });
  }

  [[nodiscard]] bool wait_subscribed(std::uint64_t id, milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout,
                             [this, id] { return subscriptions_.is_acknowledged(id); });
  }

  void reconnect() {
    {
      const std::lock_guard lock(mutex_);
      reconnecting_ = true;
    }
    changed_.notify_all();
    wake();
  }

  void take(MqttWay way) {
    {
      const std::lock_guard lock(mutex_);
      if (way == way_) return;
      const bool is_still_good = way.proxy == way_.proxy && way.no_proxy == way_.no_proxy &&
                                 !way.endpoints.empty() &&
                                 way.endpoints.front() == counts_.endpoint;
      way_ = std::move(way);
      next_endpoint_ = 0;
      falls_back_ = false;
      if (is_still_good) return;
      reconnecting_ = true;
    }
    changed_.notify_all();
    wake();
  }

  void tune(const MqttTuning& tuning) {
    {
      const std::lock_guard lock(mutex_);
      if (tuning == tuning_) return;
      tuning_ = tuning;
      falls_back_ = false;
      reconnecting_ = true;
    }
    changed_.notify_all();
    wake();
  }

  [[nodiscard]] MqttCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  std::uint64_t subscribe(std::string filter, Qos qos, MqttMessageHandler handler, WhileAway away) {
    MqttSubscriptions::check(filter);
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      id = subscriptions_.add(std::move(filter), qos, std::move(handler), away);
    }
    wake();
    return id;
  }

  void unsubscribe(std::uint64_t id) {
    std::unique_lock lock(mutex_);
    subscriptions_.remove(id);
    if (std::this_thread::get_id() != thread_.get_id()) {
      changed_.wait(lock, [this, id] { return running_handler_ != id; });
    }
    lock.unlock();
    wake();
  }

  void publish_async(const MqttMessage& message, Qos qos, PublishOutcomeHandler on_outcome,
                     const MqttPublishProperties& properties) {
    MqttOutbox::check(message);
    auto wire_properties = std::make_shared<const MqttProperties>(properties);
    bool is_taken = false;
    {
      const std::lock_guard lock(mutex_);
      is_taken = outbox_.is_connected();
      if (is_taken) {
        outbox_.add({message, qos, properties.retain, std::move(wire_properties),
                     std::exchange(on_outcome, nullptr)});
      }
    }
    if (is_taken) {
      wake();
    } else if (on_outcome) {
      on_outcome(PublishOutcome::not_connected);
    }
  }

 private:
  void wake() const { eventfd_write(wake_.get(), 1); }

  [[nodiscard]] bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // The present connection is to be given up.
  [[nodiscard]] bool ending() const {
    const std::lock_guard lock(mutex_);
    return stopping_ || reconnecting_;
  }

  void run() {
    ignore_broken_pipes();
    std::minstd_rand random(std::random_device{}());
    milliseconds delay = options_.reconnect_minimum;
    while (!stopping()) {
      const bool was_good = serve_connection();
      if (was_good) delay = options_.reconnect_minimum;
      // Another endpoint that has not been tried yet is not waited for.
      if (choose_next(was_good)) continue;
      // Half of the delay is drawn, so that a fleet does not return in one moment.
      const milliseconds drawn(std::uniform_int_distribution<std::int64_t>(
          delay.count() / 2, std::max<std::int64_t>(delay.count(), 1))(random));
      std::unique_lock lock(mutex_);
      const bool is_cut_short =
          changed_.wait_for(lock, drawn, [this] { return stopping_ || reconnecting_; });
      delay = is_cut_short ? options_.reconnect_minimum
                           : std::min(delay * 2, options_.reconnect_maximum);
    }
  }

  // After a connection that was good, and after the last endpoint, the first is next. True where
  // there is one that was not tried since then.
  bool choose_next(bool was_good) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || reconnecting_) return false;
    const bool is_there_more = !was_good && next_endpoint_ + 1 < way_.endpoints.size();
    next_endpoint_ = is_there_more ? next_endpoint_ + 1 : 0;
    return is_there_more;
  }

  // What the next connection is made by; the attempt is counted.
  struct Attempt {
    MqttOptions options;
    MqttWay way;
    MqttLink::Session session = MqttLink::Session::clean;
  };
  Attempt begin_attempt() {
    const std::lock_guard lock(mutex_);
    reconnecting_ = false;  // the files are read from here on
    if (next_endpoint_ >= way_.endpoints.size()) next_endpoint_ = 0;
    MqttOptions options = options_;
    if (!way_.endpoints.empty()) {
      options.host = way_.endpoints[next_endpoint_].host;
      options.port = way_.endpoints[next_endpoint_].port;
    }
    options.tuning = tuning_;
    if (falls_back_) options.tuning.version = MqttVersion::v3_1_1;
    // From the first connection on: brokers tell sessions that they keep by it.
    const bool resumes =
        options.tuning.version == MqttVersion::v5 && options.tuning.session.count() > 0;
    if (!resumes) has_session_ = false;
    ++counts_.attempts;
    counts_.endpoint = {options.host, options.port};
    counts_.version = options.tuning.version;
    is_first_endpoint_ = next_endpoint_ == 0;
    return {std::move(options), way_,
            resumes ? MqttLink::Session::resumed : MqttLink::Session::clean};
  }

  // The first endpoint may be there again: it is looked for by giving up another that serves.
  [[nodiscard]] bool should_return(std::chrono::steady_clock::time_point since) {
    if (is_first_endpoint_ || std::chrono::steady_clock::now() - since < return_after_)
      return false;
    // Where it is not there again, ever more seldom: each look costs a connection that serves.
    return_after_ = std::min(return_after_ * 2, std::max(kSlowestReturn, options_.return_after));
    return true;
  }

  // From the attempt to connect until the connection is gone. True if it lasted.
  bool serve_connection() {
    std::string problem;
    bool was_good = false;
    const auto [options, way, session] = begin_attempt();
    const auto since = std::chrono::steady_clock::now();
    try {
      MqttLink link(options, way, session, *this, wake_.get());
      bool returns = false;
      while (!ending() && !returns && link.turn() && !is_stale_) {
        returns = should_return(since);
        if (link.is_connected()) {
          update_subscriptions(link);
          send_outbox(link);
        }
      }
      if ((ending() || returns) && link.is_connected()) {
        send_outbox(link);
        link.say_goodbye(stopping() ? MqttLink::Goodbye::ends_session
                                    : MqttLink::Goodbye::keeps_session);
      }
      if (std::exchange(is_stale_, false)) {
        link.say_goodbye(MqttLink::Goodbye::ends_session);
        const std::lock_guard lock(mutex_);
        // At once, unless the broker keeps it all the same.
        reconnecting_ = !std::exchange(has_ended_stale_, true);
        return true;
      }
      if (link.is_refused_for_version()) fall_back(options.tuning.version);
      problem = returns                   ? "the first endpoint is tried again"
                : ending() && !stopping() ? "a new connection is made"
                                          : link.problem();
      was_good = link.was_good();
    } catch (const std::exception& error) {
      problem = error.what();
    }
    connection_is_gone(problem);
    return was_good;
  }

  void fall_back(MqttVersion refused) {
    const std::lock_guard lock(mutex_);
    if (refused != MqttVersion::v5 || std::exchange(falls_back_, true)) return;
    base::log_warning(
        "the broker refuses MQTT 5: it is tried by 3.1.1, where messages have no properties");
  }

  void update_subscriptions(MqttLink& link) {
    MqttSubscriptions::Changes changes;
    {
      const std::lock_guard lock(mutex_);
      changes = subscriptions_.changes();
    }
    for (const std::string& filter : changes.unsubscribe) link.unsubscribe(filter);
    for (const MqttSubscriptions::Change& change : changes.subscribe) {
      const int packet_id = link.subscribe(change);
      const std::lock_guard lock(mutex_);
      subscriptions_.sent(change, packet_id);
    }
  }

  void send_outbox(MqttLink& link) {
    std::vector<OutgoingMessage> outgoing;
    {
      const std::lock_guard lock(mutex_);
      outgoing = outbox_.take();
    }
    for (OutgoingMessage& message : outgoing) {
      const MqttLink::Sent sent = link.publish(message);
      if (!sent.packet_id) {
        report(message.on_outcome, sent.outcome);
        continue;
      }
      const std::lock_guard lock(mutex_);
      outbox_.await(*sent.packet_id, std::move(message.on_outcome));
    }
  }

  void connection_is_gone(const std::string& problem) {
    bool was_connected = false;
    std::vector<MqttOutbox::Settled> settled;
    {
      const std::lock_guard lock(mutex_);
      was_connected = outbox_.is_connected();
      if (was_connected) ++counts_.losses;
      counts_.problem = problem;
      settled = outbox_.connection_is_gone();
      subscriptions_.connection_is_gone();
    }
    for (const auto& [handler, outcome] : settled) report(handler, outcome);
    if (was_connected || problem != last_reported_problem_) {
      last_reported_problem_ = problem;
      notify(false, problem);
    }
  }

  void notify(bool connected, std::string_view reason) const {
    if (!on_connection_) return;
    try {
      on_connection_(connected, reason);
    } catch (const std::exception& error) {
      base::log_error("an MQTT connection handler failed", {{"reason", error.what()}});
    }
  }

  void on_connected(bool is_resumed) override {
    if (is_resumed && !has_session_) {
      is_stale_ = true;
      return;
    }
    last_reported_problem_.clear();
    has_session_ = true;
    has_ended_stale_ = false;
    if (is_first_endpoint_) return_after_ = options_.return_after;
    {
      const std::lock_guard lock(mutex_);
      outbox_.connection_is_up();
      subscriptions_.connection_is_up(is_resumed);
      ++counts_.connections;
    }
    changed_.notify_all();
    notify(true, "connected");
  }

  void on_published(int packet_id, int reason) override {
    MqttOutbox::Settled settled;
    {
      const std::lock_guard lock(mutex_);
      settled = outbox_.acknowledge(packet_id, reason);
    }
    report(settled.on_outcome, settled.outcome);
  }

  void on_subscribed(int packet_id, const std::string& refusal) override {
    {
      const std::lock_guard lock(mutex_);
      if (const auto refused = subscriptions_.acknowledge(packet_id, refusal.empty())) {
        base::log_warning("the broker refused a subscription",
                          {{"filter", *refused}, {"reason", refusal}});
      }
    }
    changed_.notify_all();
  }

  void on_message(const MqttMessage& message,
                  const std::vector<std::uint32_t>& identifiers) override {
    std::vector<std::pair<std::uint64_t, MqttSubscriptions::Handler>> handlers;
    {
      const std::lock_guard lock(mutex_);
      handlers = subscriptions_.handlers(message.topic, identifiers);
    }
    for (const auto& [id, handler] : handlers) {
      {
        const std::lock_guard lock(mutex_);
        if (!subscriptions_.has(id)) continue;
        running_handler_ = id;
      }
      try {
        (*handler)(message);
      } catch (const std::exception& error) {
        base::log_error("an MQTT message handler failed",
                        {{"topic", message.topic}, {"reason", error.what()}});
      }
      {
        const std::lock_guard lock(mutex_);
        running_handler_ = 0;
      }
      changed_.notify_all();
    }
  }

  const MqttOptions options_;
  const MqttConnectionHandler on_connection_;
  const base::UniqueFd wake_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  bool reconnecting_ = false;
  std::uint64_t running_handler_ = 0;
  MqttSubscriptions subscriptions_;
  MqttOutbox outbox_;
  MqttTuning tuning_;
  bool falls_back_ = false;  // to 3.1.1
  MqttWay way_;
  std::size_t next_endpoint_ = 0;
  MqttCounts counts_;

  milliseconds return_after_ = options_.return_after;  // of the network thread
  bool is_first_endpoint_ = true;                      // of the network thread
  // Of the network thread: what the broker keeps is of this client; or of an earlier one, whose
  // subscriptions nobody knows.
  bool has_session_ = false;
  bool has_ended_stale_ = false;  // since the last connection
  bool is_stale_ = false;
  std::string last_reported_problem_;  // of the network thread

  std::thread thread_;  // last: starts when everything else is there
};

MqttClient::MqttClient(MqttOptions options, MqttConnectionHandler on_connection)
    : implementation_(
          std::make_unique<Implementation>(std::move(options), std::move(on_connection))) {}

MqttClient::~MqttClient() = default;

bool MqttClient::is_connected() const {
  return implementation_->is_connected();
}

bool MqttClient::wait_connected(milliseconds timeout) const {
  return implementation_->wait_connected(timeout);
}

void MqttClient::reconnect() {
  implementation_->reconnect();
}

void MqttClient::take(MqttWay way) {
  implementation_->take(std::move(way));
}

MqttCounts MqttClient::counts() const {
  return implementation_->counts();
}

void MqttClient::tune(const MqttTuning& tuning) {
  implementation_->tune(tuning);
}

std::uint64_t MqttClient::subscribe(std::string filter, Qos qos, MqttMessageHandler handler,
                                    WhileAway away) {
  return implementation_->subscribe(std::move(filter), qos, std::move(handler), away);
}

bool MqttClient::wait_subscribed(std::uint64_t id, milliseconds timeout) const {
  return implementation_->wait_subscribed(id, timeout);
}

void MqttClient::unsubscribe(std::uint64_t id) {
  implementation_->unsubscribe(id);
}

PublishOutcome MqttClient::publish(const MqttMessage& message, Qos qos, milliseconds timeout,
                                   const MqttPublishProperties& properties) {
  // Shared with the network thread, which may answer after this call has given up.
  const auto promise = std::make_shared<std::promise<PublishOutcome>>();
  std::future<PublishOutcome> outcome = promise->get_future();
  publish_async(
      message, qos, [promise](PublishOutcome result) { promise->set_value(result); }, properties);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the function that it made owns it
  if (outcome.wait_for(timeout) != std::future_status::ready) return PublishOutcome::timed_out;
  return outcome.get();
}

void MqttClient::publish_async(const MqttMessage& message, Qos qos,
                               PublishOutcomeHandler on_outcome,
                               const MqttPublishProperties& properties) {
  implementation_->publish_async(message, qos, std::move(on_outcome), properties);
}

}  // namespace andon::wire
