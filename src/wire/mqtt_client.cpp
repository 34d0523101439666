// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt_client.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "trust/certificate.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using OutcomeHandler = std::function<void(PublishOutcome)>;

constexpr std::size_t kMaxPayloadBytes = 268'435'455U;
constexpr int kFirstFailureReason = 0x80;
// A connection that lasted so long was a good one: the next attempt starts without backoff.
constexpr std::chrono::seconds kGoodConnection{5};
constexpr milliseconds kMinHousekeepingInterval{1000};
constexpr milliseconds kMaxHousekeepingInterval{5000};

struct ClientDeleter {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};
using ClientPtr = std::unique_ptr<mosquitto, ClientDeleter>;

class Properties {
 public:
  Properties() = default;
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;
  ~Properties() { mosquitto_property_free_all(&list_); }

  void add_number(int identifier, std::uint32_t value) {
    check(identifier == MQTT_PROP_SUBSCRIPTION_IDENTIFIER
              ? mosquitto_property_add_varint(&list_, identifier, value)
              : mosquitto_property_add_int32(&list_, identifier, value));
  }
  void add_text(int identifier, const std::string& value) {
    if (!value.empty()) check(mosquitto_property_add_string(&list_, identifier, value.c_str()));
  }
  void add_bytes(int identifier, const std::string& value) {
    if (value.empty()) return;
    if (value.size() > UINT16_MAX) check(MOSQ_ERR_INVAL);
    check(mosquitto_property_add_binary(&list_, identifier, value.data(),
                                        static_cast<std::uint16_t>(value.size())));
  }
  [[nodiscard]] const mosquitto_property* get() const { return list_; }

 private:
  static void check(int result) {
    if (result != MOSQ_ERR_SUCCESS) {
      throw Error(ErrorCode::invalid_argument,
                  std::string("an MQTT property cannot be sent: ") + mosquitto_strerror(result));
    }
  }
  mosquitto_property* list_ = nullptr;
};

// Leaves out what libmosquitto would ask on the terminal: the password of an encrypted key.
int no_password(char*, int, int, void*) {
  return 0;
}

void initialise_library() {
  static const int result = mosquitto_lib_init();
  if (result != MOSQ_ERR_SUCCESS) {
    throw Error(ErrorCode::internal,
                std::string("cannot initialise libmosquitto: ") + mosquitto_strerror(result));
  }
}

// OpenSSL writes without MSG_NOSIGNAL; with the signal blocked such a write fails with EPIPE.
void ignore_broken_pipes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void check_options(const MqttOptions& options) {
  if (options.ca_file.empty()) return;
  (void)trust::describe_certificate(base::read_file(options.ca_file));
  if (options.certificate_file.empty()) return;
  if (!trust::is_key_of(base::read_file(options.private_key_file),
                        base::read_file(options.certificate_file))) {
    throw Error(ErrorCode::invalid_argument, "the private key '" + options.private_key_file +
                                                 "' does not belong to the certificate '" +
                                                 options.certificate_file + "'");
  }
}

PublishOutcome outcome_of_reason(int reason) {
  if (reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS) return PublishOutcome::no_subscribers;
  return reason >= kFirstFailureReason ? PublishOutcome::refused : PublishOutcome::delivered;
}

}  // namespace

std::string_view to_string(PublishOutcome outcome) {
  switch (outcome) {
    case PublishOutcome::delivered:
      return "delivered";
    case PublishOutcome::no_subscribers:
      return "no subscribers";
    case PublishOutcome::refused:
      return "refused";
    case PublishOutcome::timed_out:
      return "timed out";
    case PublishOutcome::not_connected:
      return "not connected";
  }
  return "unknown";
}

// Every call into libmosquitto is made on the network thread; other threads leave their wishes
// under the mutex and wake it. A fresh libmosquitto object serves each connection, so that no
// message of an earlier one is sent again behind the caller's back.
class MqttClient::Implementation {
 public:
  Implementation(MqttOptions options, MqttConnectionHandler on_connection)
      : options_(std::move(options)),
        on_connection_(std::move(on_connection)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    initialise_library();
    try {
      check_options(options_);
    } catch (Error& error) {
      throw Error(ErrorCode::invalid_argument, error.message())
          .with_context("cannot connect to the broker at " + options_.host);
    }
    if (!wake_) throw base::system_error("cannot make an eventfd", errno);
    thread_ = std::thread([this] { run(); });
  }

  ~Implementation() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    wake();
    thread_.join();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] bool is_connected() const {
    const std::lock_guard lock(mutex_);
    return connected_;
  }

  [[nodiscard]] bool wait_connected(milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return connected_; });
  }

  [[nodiscard]] bool wait_subscribed(std::uint64_t id, milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this, id] {
      const auto subscription = subscriptions_.find(id);
      if (subscription == subscriptions_.end()) return false;
      const auto filter = in_place_.find(subscription->second.filter);
      return filter != in_place_.end() && filter->second.acknowledged &&
             filter->second.qos >= subscription->second.qos;
    });
  }

  std::uint64_t subscribe(std::string filter, Qos qos, MqttMessageHandler handler) {
    if (!is_valid_filter(filter) || filter.starts_with("$share/")) {
      throw Error(ErrorCode::invalid_argument,
                  "'" + filter + "' is not a topic filter that can be subscribed to");
    }
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      id = next_id_++;
      subscriptions_.emplace(
          id, Subscription{std::move(filter), qos,
                           std::make_shared<const MqttMessageHandler>(std::move(handler))});
    }
    wake();
    return id;
  }

  void unsubscribe(std::uint64_t id) {
    std::unique_lock lock(mutex_);
    subscriptions_.erase(id);
    if (std::this_thread::get_id() != thread_.get_id()) {
      changed_.wait(lock, [this, id] { return running_handler_ != id; });
    }
    lock.unlock();
    wake();
  }

  void publish_async(const MqttMessage& message, Qos qos, OutcomeHandler on_outcome,
                     const MqttPublishProperties& properties) {
    if (!is_valid_topic(message.topic)) {
      throw Error(ErrorCode::invalid_argument,
                  "'" + message.topic + "' is not a topic that can be published to");
    }
    if (message.payload.size() > kMaxPayloadBytes) {
      throw Error(ErrorCode::invalid_argument, "a message for '" + message.topic + "' has " +
                                                   std::to_string(message.payload.size()) +
                                                   " bytes, more than MQTT carries");
    }
    auto wire_properties = std::make_unique<Properties>();
    if (properties.message_expiry_seconds) {
      wire_properties->add_number(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                  *properties.message_expiry_seconds);
    }
    wire_properties->add_text(MQTT_PROP_CONTENT_TYPE, properties.content_type);
    wire_properties->add_text(MQTT_PROP_RESPONSE_TOPIC, properties.response_topic);
    wire_properties->add_bytes(MQTT_PROP_CORRELATION_DATA, properties.correlation_data);
    {
      const std::lock_guard lock(mutex_);
      if (connected_) {
        outbox_.push_back(
            {message, qos, properties.retain, std::move(wire_properties), std::move(on_outcome)});
        on_outcome = nullptr;
      }
    }
    if (wire_properties) {
      if (on_outcome) on_outcome(PublishOutcome::not_connected);
    } else {
      wake();
    }
  }

 private:
  struct Subscription {
    std::string filter;
    Qos qos;
    std::shared_ptr<const MqttMessageHandler> handler;  // outlives an unsubscribe() while it runs
  };
  // A filter that was sent to the broker on the present connection.
  struct InPlace {
    Qos qos;
    int packet_id;
    std::uint32_t identifier;  // comes back with each message that the filter let through
    bool acknowledged;
  };
  struct Outgoing {
    MqttMessage message;
    Qos qos;
    bool retain;
    std::unique_ptr<Properties> properties;
    OutcomeHandler on_outcome;
  };

  void wake() const { eventfd_write(wake_.get(), 1); }

  [[nodiscard]] bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void run() {
    ignore_broken_pipes();
    std::minstd_rand random(std::random_device{}());
    milliseconds delay = options_.reconnect_minimum;
    while (!stopping()) {
      const bool was_good = serve_connection();
      if (was_good) delay = options_.reconnect_minimum;
      // Half of the delay is drawn, so that a fleet does not return in one moment.
      const milliseconds drawn(std::uniform_int_distribution<std::int64_t>(
          delay.count() / 2, std::max<std::int64_t>(delay.count(), 1))(random));
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, drawn, [this] { return stopping_; });
      delay = std::min(delay * 2, options_.reconnect_maximum);
    }
  }

  // From the attempt to connect until the connection is gone. True if it lasted.
  bool serve_connection() {
    last_problem_.clear();
    connected_at_.reset();
    try {
      client_ = make_client();
      start_connecting();
      const auto deadline = steady_clock::now() + options_.connect_timeout;
      while (!stopping()) {
        const int result = turn(deadline);
        if (result != MOSQ_ERR_SUCCESS) {
          if (last_problem_.empty()) last_problem_ = mosquitto_strerror(result);
          break;
        }
        if (!connected_at_ && steady_clock::now() >= deadline) {
          last_problem_ = "no answer within the connect timeout";
          break;
        }
      }
      if (stopping()) say_goodbye();
    } catch (const std::exception& error) {
      last_problem_ = error.what();
    }
    client_.reset();
    connection_is_gone();
    return connected_at_ && steady_clock::now() - *connected_at_ >= kGoodConnection;
  }

  ClientPtr make_client() {
    ClientPtr client(mosquitto_new(options_.client_id.c_str(), true, this));
    if (!client) throw base::system_error("cannot make an MQTT client", errno);
    mosquitto* const raw = client.get();
    mosquitto_int_option(raw, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(raw, MOSQ_OPT_TCP_NODELAY, 1);
    // What the broker may not send yet it queues in its memory, after it has told the publisher
    // that the message is delivered: let it send everything.
    mosquitto_int_option(raw, MOSQ_OPT_RECEIVE_MAXIMUM, UINT16_MAX);
    mosquitto_connect_v5_callback_set(raw, on_connect);
    mosquitto_disconnect_v5_callback_set(raw, on_disconnect);
    mosquitto_publish_v5_callback_set(raw, on_publish);
    mosquitto_subscribe_v5_callback_set(raw, on_subscribe);
    mosquitto_message_v5_callback_set(raw, on_message);
    mosquitto_log_callback_set(raw, on_log);
    if (!options_.ca_file.empty()) {
      const bool has_certificate = !options_.certificate_file.empty();
      const int result = mosquitto_tls_set(
          raw, options_.ca_file.c_str(), nullptr,
          has_certificate ? options_.certificate_file.c_str() : nullptr,
          has_certificate ? options_.private_key_file.c_str() : nullptr, no_password);
      if (result != MOSQ_ERR_SUCCESS) {
        throw Error(ErrorCode::invalid_argument,
                    std::string("cannot use the certificate files: ") + mosquitto_strerror(result));
      }
    }
    return client;
  }

  void start_connecting() {
    const int result =
        mosquitto_connect_bind_async(client_.get(), options_.host.c_str(), options_.port,
                                     static_cast<int>(options_.keep_alive.count()), nullptr);
    if (result == MOSQ_ERR_SUCCESS) return;
    if (result == MOSQ_ERR_ERRNO) throw base::system_error("cannot connect", errno);
    throw Error(ErrorCode::unavailable, mosquitto_strerror(result));
  }

  // Often enough for pings to leave in time.
  [[nodiscard]] milliseconds longest_wait(steady_clock::time_point connect_deadline) const {
    const milliseconds interval = std::clamp<milliseconds>(
        options_.keep_alive / 6, kMinHousekeepingInterval, kMaxHousekeepingInterval);
    if (connected_at_) return interval;
    const auto left = std::chrono::ceil<milliseconds>(connect_deadline - steady_clock::now());
    return std::clamp(left, milliseconds{0}, interval);
  }

  // One round: wait for the socket or a wish of another thread, then do what is due.
  int turn(steady_clock::time_point connect_deadline) {
    mosquitto* const client = client_.get();
    const auto* tls = static_cast<const SSL*>(mosquitto_ssl_get(client));
    // Bytes that OpenSSL has read already do not make the socket readable.
    const bool has_buffered = tls != nullptr && SSL_pending(tls) > 0;
    pollfd waiting[] = {
        {mosquitto_socket(client),
         static_cast<short>(POLLIN | (mosquitto_want_write(client) ? POLLOUT : 0)), 0},
        {wake_.get(), POLLIN, 0}};
    const milliseconds timeout = has_buffered ? milliseconds{0} : longest_wait(connect_deadline);
    if (::poll(waiting, std::size(waiting), static_cast<int>(timeout.count())) < 0 &&
        errno != EINTR) {
      return MOSQ_ERR_ERRNO;
    }

    int result = MOSQ_ERR_SUCCESS;
    if (waiting[0].fd < 0) return MOSQ_ERR_NO_CONN;
    if (has_buffered || (waiting[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      result = mosquitto_loop_read(client, 1);
    }
    if (result == MOSQ_ERR_SUCCESS && (waiting[0].revents & POLLOUT) != 0) {
      result = mosquitto_loop_write(client, 1);
    }
    // libmosquitto takes a refused connection for one whose TLS handshake goes on.
    if (!connected_at_ && (waiting[0].revents & (POLLERR | POLLHUP)) != 0) {
      if (last_problem_.empty()) last_problem_ = "connection refused or broken off";
      return MOSQ_ERR_CONN_LOST;
    }
    if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_misc(client);
    if ((waiting[1].revents & POLLIN) != 0) {
      eventfd_t ignored = 0;
      eventfd_read(wake_.get(), &ignored);
    }
    if (result == MOSQ_ERR_SUCCESS && connected_at_) {
      update_subscriptions();
      send_outbox();
    }
    return result;
  }

  // Sends what differs between the filters that are wanted and those that the broker has.
  void update_subscriptions() {
    std::map<std::string, Qos> wanted;
    std::vector<std::string> unwanted;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, subscription] : subscriptions_) {
        Qos& qos = wanted.try_emplace(subscription.filter, subscription.qos).first->second;
        qos = std::max(qos, subscription.qos);
      }
      for (const auto& [filter, in_place] : in_place_) {
        const auto found = wanted.find(filter);
        if (found == wanted.end()) {
          unwanted.push_back(filter);
        } else if (in_place.qos >= found->second) {
          wanted.erase(found);
        }
      }
      for (const std::string& filter : unwanted) in_place_.erase(filter);
    }
    for (const std::string& filter : unwanted) {
      mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str());
    }
    for (const auto& [filter, qos] : wanted) {
      const std::uint32_t identifier = identifier_of(filter);
      Properties properties;
      properties.add_number(MQTT_PROP_SUBSCRIPTION_IDENTIFIER, identifier);
      int packet_id = 0;
      mosquitto_subscribe_v5(client_.get(), &packet_id, filter.c_str(), static_cast<int>(qos), 0,
                             properties.get());
      const std::lock_guard lock(mutex_);
      in_place_[filter] = {qos, packet_id, identifier, false};
    }
  }

  // A filter that is subscribed to anew with a higher QoS keeps its identifier, for messages are
  // under way with it.
  std::uint32_t identifier_of(const std::string& filter) {
    const std::lock_guard lock(mutex_);
    const auto found = in_place_.find(filter);
    return found != in_place_.end() ? found->second.identifier : next_identifier_++;
  }

  void send_outbox() {
    std::vector<Outgoing> outgoing;
    {
      const std::lock_guard lock(mutex_);
      outgoing.swap(outbox_);
    }
    for (Outgoing& item : outgoing) {
      int packet_id = 0;
      const int result = mosquitto_publish_v5(
          client_.get(), &packet_id, item.message.topic.c_str(),
          static_cast<int>(item.message.payload.size()), item.message.payload.data(),
          static_cast<int>(item.qos), item.retain, item.properties->get());
      if (result == MOSQ_ERR_SUCCESS && item.qos == Qos::at_least_once) {
        unacknowledged_[packet_id] = std::move(item.on_outcome);
      } else {
        report(item.on_outcome, outcome_of_call(result, item.message.topic));
      }
    }
  }

  static PublishOutcome outcome_of_call(int result, const std::string& topic) {
    switch (result) {
      case MOSQ_ERR_SUCCESS:
        return PublishOutcome::delivered;
      case MOSQ_ERR_NO_CONN:
      case MOSQ_ERR_CONN_LOST:
        return PublishOutcome::not_connected;
      default:
        base::log_warning("a message cannot be published",
                          {{"topic", topic}, {"reason", mosquitto_strerror(result)}});
        return PublishOutcome::refused;
    }
  }

  // The outcome of a message is the caller's code, on a C library's stack: nothing may escape.
  static void report(const OutcomeHandler& handler, PublishOutcome outcome) {
    if (!handler) return;
    try {
      handler(outcome);
    } catch (const std::exception& error) {
      base::log_error("a publish outcome handler failed", {{"reason", error.what()}});
    }
  }

  void say_goodbye() {
    if (!connected_at_) return;
    send_outbox();
    mosquitto_disconnect_v5(client_.get(), 0, nullptr);
    last_problem_ = "closed";
  }

  void connection_is_gone() {
    bool was_connected = false;
    std::vector<Outgoing> unsent;
    {
      const std::lock_guard lock(mutex_);
      was_connected = std::exchange(connected_, false);
      in_place_.clear();
      unsent.swap(outbox_);
    }
    const auto unacknowledged = std::exchange(unacknowledged_, {});
    for (const auto& [packet_id, handler] : unacknowledged) {
      report(handler, PublishOutcome::timed_out);
    }
    for (const Outgoing& item : unsent) report(item.on_outcome, PublishOutcome::not_connected);
    if (was_connected || last_problem_ != last_reported_problem_) {
      last_reported_problem_ = last_problem_;
      notify(false, last_problem_);
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

  void dispatch(const MqttMessage& message, const std::vector<std::uint32_t>& identifiers) {
    std::vector<std::pair<std::uint64_t, std::shared_ptr<const MqttMessageHandler>>> handlers;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, subscription] : subscriptions_) {
        if (!topic_matches(subscription.filter, message.topic)) continue;
        const auto filter = in_place_.find(subscription.filter);
        // With overlapping filters the broker sends one copy for each, and says which.
        const bool is_for_it =
            identifiers.empty() || filter == in_place_.end() ||
            std::ranges::find(identifiers, filter->second.identifier) != identifiers.end();
        if (is_for_it) handlers.emplace_back(id, subscription.handler);
      }
    }
    for (const auto& [id, handler] : handlers) {
      {
        const std::lock_guard lock(mutex_);
        if (!subscriptions_.contains(id)) continue;
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

  // The callbacks below run inside mosquitto_loop_read on the network thread.
  static Implementation& self(void* object) { return *static_cast<Implementation*>(object); }

  static void on_connect(mosquitto*, void* object, int reason, int, const mosquitto_property*) {
    Implementation& me = self(object);
    if (reason != 0) {
      me.last_problem_ =
          std::string("the broker refused the connection: ") + mosquitto_reason_string(reason);
      return;
    }
    me.connected_at_ = steady_clock::now();
    me.last_reported_problem_.clear();
    {
      const std::lock_guard lock(me.mutex_);
      me.connected_ = true;
    }
    me.changed_.notify_all();
    me.notify(true, "connected");
  }

  static void on_disconnect(mosquitto*, void* object, int reason, const mosquitto_property*) {
    Implementation& me = self(object);
    // From 0x80 on it is the broker's own reason, below it is a MOSQ_ERR_ of the library.
    if (reason >= kFirstFailureReason) {
      me.last_problem_ =
          std::string("the broker closed the connection: ") + mosquitto_reason_string(reason);
    }
  }

  static void on_publish(mosquitto*, void* object, int packet_id, int reason,
                         const mosquitto_property*) {
    Implementation& me = self(object);
    const auto found = me.unacknowledged_.find(packet_id);
    if (found == me.unacknowledged_.end()) return;  // QoS 0
    const OutcomeHandler handler = std::move(found->second);
    me.unacknowledged_.erase(found);
    report(handler, outcome_of_reason(reason));
  }

  static void on_subscribe(mosquitto*, void* object, int packet_id, int count, const int* granted,
                           const mosquitto_property*) {
    Implementation& me = self(object);
    const int reason = count > 0 ? granted[0] : kFirstFailureReason;
    {
      const std::lock_guard lock(me.mutex_);
      for (auto& [filter, in_place] : me.in_place_) {
        if (in_place.packet_id != packet_id) continue;
        in_place.acknowledged = reason < kFirstFailureReason;
        if (!in_place.acknowledged) {
          base::log_warning("the broker refused a subscription",
                            {{"filter", filter}, {"reason", mosquitto_reason_string(reason)}});
        }
      }
    }
    me.changed_.notify_all();
  }

  static void on_message(mosquitto*, void* object, const mosquitto_message* message,
                         const mosquitto_property* properties) {
    std::vector<std::uint32_t> identifiers;
    std::uint32_t identifier = 0;
    for (const mosquitto_property* at = mosquitto_property_read_varint(
             properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &identifier, false);
         at != nullptr; at = mosquitto_property_read_varint(at, MQTT_PROP_SUBSCRIPTION_IDENTIFIER,
                                                            &identifier, true)) {
      identifiers.push_back(identifier);
    }
    const auto* payload = static_cast<const char*>(message->payload);
    self(object).dispatch(
        {message->topic,
         payload == nullptr ? std::string() : std::string(payload, payload + message->payloadlen)},
        identifiers);
  }

  static void on_log(mosquitto*, void* object, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) self(object).last_problem_ = text;
  }

  const MqttOptions options_;
  const MqttConnectionHandler on_connection_;
  const base::UniqueFd wake_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  bool connected_ = false;
  std::uint64_t next_id_ = 1;
  std::uint64_t running_handler_ = 0;
  std::map<std::uint64_t, Subscription> subscriptions_;
  std::map<std::string, InPlace> in_place_;
  std::vector<Outgoing> outbox_;

  // Of the network thread.
  ClientPtr client_;
  std::optional<steady_clock::time_point> connected_at_;
  std::map<int, OutcomeHandler> unacknowledged_;  // by packet id
  std::uint32_t next_identifier_ = 1;
  std::string last_problem_;
  std::string last_reported_problem_;

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

std::uint64_t MqttClient::subscribe(std::string filter, Qos qos, MqttMessageHandler handler) {
  return implementation_->subscribe(std::move(filter), qos, std::move(handler));
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
  if (outcome.wait_for(timeout) != std::future_status::ready) return PublishOutcome::timed_out;
  return outcome.get();
}

void MqttClient::publish_async(const MqttMessage& message, Qos qos,
                               std::function<void(PublishOutcome)> on_outcome,
                               const MqttPublishProperties& properties) {
  implementation_->publish_async(message, qos, std::move(on_outcome), properties);
}

}  // namespace andon::wire
