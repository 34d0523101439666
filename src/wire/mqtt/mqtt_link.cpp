// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_link.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/file.hpp"
#include "trust/keys/certificate.hpp"
#include "trust/openssl/openssl_pointers.hpp"
#include "wire/tls/client_certificate.hpp"

namespace andon::wire {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kFirstFailureReason = 0x80;
constexpr int kSessionPresent = 1;  // a flag of CONNACK
constexpr std::uint16_t kHttpsPort = 443;
constexpr unsigned char kMqttAlpn[] = "\x0ex-amzn-mqtt-ca";  // with its length, as the wire has it
// A connection that lasted so long was a good one: the next attempt starts without backoff.
constexpr std::chrono::seconds kGoodConnection{5};
constexpr milliseconds kMinHousekeepingInterval{1000};
constexpr milliseconds kMaxHousekeepingInterval{5000};

void check_property(int result) {
  if (result == MOSQ_ERR_SUCCESS) return;
  throw Error(ErrorCode::invalid_argument,
              std::string("an MQTT property cannot be sent: ") + mosquitto_strerror(result));
}

void initialise_library() {
  static const int result = mosquitto_lib_init();
  if (result != MOSQ_ERR_SUCCESS) {
    throw Error(ErrorCode::internal,
                std::string("cannot initialise libmosquitto: ") + mosquitto_strerror(result));
  }
}

PublishOutcome outcome_of_call(int result, const std::string& topic) {
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

using TlsContext = std::unique_ptr<SSL_CTX, trust::Freer<SSL_CTX_free>>;

void require_tls(bool worked, const std::string& what) {
  if (worked) return;
  ERR_clear_error();
  throw Error(ErrorCode::invalid_argument, "cannot use TLS: " + what);
}

// The broker is the one of that name or address, whatever way leads to it.
void expect_host(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* const expected = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return;
  require_tls(X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) == 1,
              "'" + host + "' is no host name");
}

// libmosquitto takes no key that is in no file, but it takes a whole context. (One to which it adds
// its own checks it cannot use: 2.0.11 looks for itself in a place that it has not made then.)
TlsContext make_tls(const MqttOptions& options) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const raw = context.get();
  require_tls(raw != nullptr && SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1,
              "out of memory");
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  require_tls(SSL_CTX_load_verify_locations(raw, options.ca_file.c_str(), nullptr) == 1,
              "'" + options.ca_file + "' cannot be read");
  expect_host(raw, options.host);
  // By it AWS IoT Core tells MQTT from HTTPS on the one port that firewalls let through.
  if (options.port == kHttpsPort) {
    require_tls(SSL_CTX_set_alpn_protos(raw, kMqttAlpn, sizeof(kMqttAlpn) - 1) == 0, "no ALPN");
  }
  if (!options.certificate_file.empty()) {
    use_client_certificate(raw, options.certificate_file, options.private_key);
  }
  return context;
}

}  // namespace

void check_certificates(const MqttOptions& options) {
  if (options.ca_file.empty()) return;
  (void)trust::describe_certificate(base::read_file(options.ca_file));
  if (options.certificate_file.empty()) return;
  const std::string certificate = base::read_file(options.certificate_file);
  // A token or a TPM may be there later: each attempt to connect looks for it.
  if (trust::is_key_uri(options.private_key)) return;
  if (!trust::is_key_of(trust::load_private_key(options.private_key), certificate)) {
    throw Error(ErrorCode::invalid_argument, "the private key '" + options.private_key +
                                                 "' does not belong to the certificate '" +
                                                 options.certificate_file + "'");
  }
}

// Made by the other constructor first, so that what was added is given back when something throws.
MqttProperties::MqttProperties(const MqttPublishProperties& properties) : MqttProperties() {
  if (properties.message_expiry_seconds) {
    check_property(mosquitto_property_add_int32(&list_, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                *properties.message_expiry_seconds));
  }
  add_text(MQTT_PROP_CONTENT_TYPE, properties.content_type);
  add_text(MQTT_PROP_RESPONSE_TOPIC, properties.response_topic);
  if (properties.is_utf8_text) {
    check_property(mosquitto_property_add_byte(&list_, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR,
                                               *properties.is_utf8_text ? 1 : 0));
  }
  for (const auto& [name, value] : properties.user_properties) {
    check_property(mosquitto_property_add_string_pair(&list_, MQTT_PROP_USER_PROPERTY, name.c_str(),
                                                      value.c_str()));
  }
  const std::string& correlation = properties.correlation_data;
  if (correlation.empty()) return;
  if (correlation.size() > UINT16_MAX) check_property(MOSQ_ERR_INVAL);
  check_property(mosquitto_property_add_binary(&list_, MQTT_PROP_CORRELATION_DATA,
                                               correlation.data(),
                                               static_cast<std::uint16_t>(correlation.size())));
}

MqttProperties::~MqttProperties() {
  mosquitto_property_free_all(&list_);
}

void MqttProperties::add_subscription_identifier(std::uint32_t identifier) {
  check_property(
      mosquitto_property_add_varint(&list_, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, identifier));
}

void MqttProperties::add_session_expiry(std::chrono::seconds expiry) {
  check_property(mosquitto_property_add_int32(&list_, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                              static_cast<std::uint32_t>(expiry.count())));
}

void MqttProperties::add_text(int identifier, const std::string& value) {
  if (value.empty()) return;
  check_property(mosquitto_property_add_string(&list_, identifier, value.c_str()));
}

// What libmosquitto calls inside of mosquitto_loop_read.
struct MqttLink::Callbacks {
  static MqttLink& link(void* object) { return *static_cast<MqttLink*>(object); }

  static void on_connect(mosquitto*, void* object, int reason, int flags,
                         const mosquitto_property*) {
    MqttLink& me = link(object);
    if (reason != 0) {
      me.is_refused_for_version_ = reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION ||
                                   reason == CONNACK_REFUSED_PROTOCOL_VERSION;
      me.problem_ =
          std::string("the broker refused the connection: ") + mosquitto_reason_string(reason);
      return;
    }
    me.connected_at_ = steady_clock::now();
    me.events_.on_connected((flags & kSessionPresent) != 0);
  }

  static void on_disconnect(mosquitto*, void* object, int reason, const mosquitto_property*) {
    // From 0x80 on it is the broker's own reason, below it is a MOSQ_ERR_ of the library.
    if (reason < kFirstFailureReason) return;
    link(object).problem_ =
        std::string("the broker closed the connection: ") + mosquitto_reason_string(reason);
  }

  static void on_publish(mosquitto*, void* object, int packet_id, int reason,
                         const mosquitto_property*) {
    link(object).events_.on_published(packet_id, reason);
  }

  static void on_subscribe(mosquitto*, void* object, int packet_id, int count, const int* granted,
                           const mosquitto_property*) {
    const int reason = count > 0 ? granted[0] : kFirstFailureReason;
    link(object).events_.on_subscribed(
        packet_id, reason < kFirstFailureReason ? "" : mosquitto_reason_string(reason));
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
    link(object).events_.on_message(
        {message->topic,
         payload == nullptr ? std::string() : std::string(payload, payload + message->payloadlen),
         message->qos == 0 ? Qos::at_most_once : Qos::at_least_once, message->retain,
         properties_of(properties)},
        identifiers);
  }

  static MqttPublishProperties properties_of(const mosquitto_property* properties) {
    MqttPublishProperties all;
    if (properties == nullptr) return all;
    std::uint32_t expiry = 0;
    if (mosquitto_property_read_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expiry,
                                      false) != nullptr) {
      all.message_expiry_seconds = expiry;
    }
    std::uint8_t format = 0;
    if (mosquitto_property_read_byte(properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, &format,
                                     false) != nullptr) {
      all.is_utf8_text = format == 1;
    }
    all.content_type = text_of(properties, MQTT_PROP_CONTENT_TYPE);
    all.response_topic = text_of(properties, MQTT_PROP_RESPONSE_TOPIC);
    void* bytes = nullptr;
    std::uint16_t size = 0;
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &bytes, &size,
                                       false) != nullptr) {
      const std::unique_ptr<void, decltype(&std::free)> owned(bytes, std::free);
      all.correlation_data.assign(static_cast<const char*>(bytes), size);
    }
    all.user_properties = user_properties_of(properties);
    return all;
  }

  static std::string text_of(const mosquitto_property* properties, int identifier) {
    char* text = nullptr;
    if (mosquitto_property_read_string(properties, identifier, &text, false) == nullptr) return {};
    const std::unique_ptr<char, decltype(&std::free)> owned(text, std::free);
    return text;
  }

  static std::vector<std::pair<std::string, std::string>> user_properties_of(
      const mosquitto_property* properties) {
    std::vector<std::pair<std::string, std::string>> all;
    bool is_next = false;
    for (const mosquitto_property* at = properties; at != nullptr; is_next = true) {
      char* name = nullptr;
      char* value = nullptr;
      at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, is_next);
      const std::unique_ptr<char, decltype(&std::free)> owned_name(name, std::free);
      const std::unique_ptr<char, decltype(&std::free)> owned_value(value, std::free);
      if (at != nullptr) all.emplace_back(name, value);
    }
    return all;
  }

  static void on_log(mosquitto*, void* object, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) link(object).problem_ = text;
  }
};

void MqttLink::ClientDeleter::operator()(mosquitto* client) const {
  mosquitto_destroy(client);
}

MqttLink::MqttLink(const MqttOptions& options, const MqttWay& way, Session session,
                   MqttLinkEvents& events, int wake_fd)
    : options_(options), events_(events), wake_fd_(wake_fd), client_(make_client(session)) {
  if (!way.proxy.empty()) {
    tunnel_ = std::make_unique<MqttTunnel>(
        way.proxy, way.no_proxy, MqttEndpoint{options.host, options.port}, options.connect_timeout);
    mosquitto_socks5_set(client_.get(), "127.0.0.1", tunnel_->port(), tunnel_->user().c_str(),
                         tunnel_->password().c_str());
  }
  if (is_v5() && options_.tuning.session.count() > 0) keep_session_expiry();
  const int result =
      mosquitto_connect_bind_async(client_.get(), options_.host.c_str(), options_.port,
                                   static_cast<int>(options_.tuning.keep_alive.count()), nullptr);
  if (result == MOSQ_ERR_ERRNO) throw base::system_error("cannot connect", errno);
  if (result != MOSQ_ERR_SUCCESS) throw Error(ErrorCode::unavailable, mosquitto_strerror(result));
  connect_deadline_ = steady_clock::now() + options_.connect_timeout;
}

// libmosquitto takes properties of a CONNECT only in the call that waits for the connection: that
// one keeps them before it refuses the port, and the call after it sends them.
void MqttLink::keep_session_expiry() {
  MqttProperties properties;
  properties.add_session_expiry(options_.tuning.session);
  constexpr int kNoPort = -1;
  mosquitto_connect_bind_v5(client_.get(), options_.host.c_str(), kNoPort, 0, nullptr,
                            properties.get());
}

MqttLink::ClientPtr MqttLink::make_client(Session session) {
  initialise_library();
  ClientPtr client(mosquitto_new(options_.client_id.c_str(), session == Session::clean, this));
  if (!client) throw base::system_error("cannot make an MQTT client", errno);
  mosquitto* const raw = client.get();
  mosquitto_int_option(raw, MOSQ_OPT_PROTOCOL_VERSION,
                       is_v5() ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(raw, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(raw, MOSQ_OPT_SEND_MAXIMUM, options_.tuning.max_in_flight);
  // What the broker may not send yet it queues in its memory, after it has told the publisher
  // that the message is delivered: let it send everything.
  mosquitto_int_option(raw, MOSQ_OPT_RECEIVE_MAXIMUM, UINT16_MAX);
  mosquitto_connect_v5_callback_set(raw, Callbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(raw, Callbacks::on_disconnect);
  mosquitto_publish_v5_callback_set(raw, Callbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(raw, Callbacks::on_subscribe);
  mosquitto_message_v5_callback_set(raw, Callbacks::on_message);
  mosquitto_log_callback_set(raw, Callbacks::on_log);
  if (options_.ca_file.empty()) return client;
  mosquitto_void_option(raw, MOSQ_OPT_SSL_CTX, make_tls(options_).get());  // shared with it
  mosquitto_int_option(raw, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  return client;
}

std::string MqttLink::problem() const {
  const std::string of_proxy = tunnel_ ? tunnel_->problem() : "";
  return of_proxy.empty() ? problem_ : of_proxy;
}

bool MqttLink::was_good() const {
  return connected_at_ && steady_clock::now() - *connected_at_ >= kGoodConnection;
}

// Often enough for pings to leave in time.
milliseconds MqttLink::longest_wait() const {
  const milliseconds interval = std::clamp<milliseconds>(
      options_.tuning.keep_alive / 6, kMinHousekeepingInterval, kMaxHousekeepingInterval);
  if (connected_at_) return interval;
  const auto left = std::chrono::ceil<milliseconds>(connect_deadline_ - steady_clock::now());
  return std::clamp(left, milliseconds{0}, interval);
}

bool MqttLink::turn() {
  const int result = wait_and_serve();
  if (result != MOSQ_ERR_SUCCESS) {
    if (problem_.empty()) problem_ = mosquitto_strerror(result);
    return false;
  }
  if (!connected_at_ && steady_clock::now() >= connect_deadline_) {
    problem_ = "no answer within the connect timeout";
    return false;
  }
  return true;
}

int MqttLink::wait_and_serve() {
  mosquitto* const client = client_.get();
  const auto* tls = static_cast<const SSL*>(mosquitto_ssl_get(client));
  // Bytes that OpenSSL has read already do not make the socket readable.
  const bool has_buffered = tls != nullptr && SSL_pending(tls) > 0;
  pollfd waiting[] = {
      {mosquitto_socket(client),
       static_cast<short>(POLLIN | (mosquitto_want_write(client) ? POLLOUT : 0)), 0},
      {wake_fd_, POLLIN, 0}};
  const milliseconds timeout = has_buffered ? milliseconds{0} : longest_wait();
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
    if (problem_.empty()) problem_ = "connection refused or broken off";
    return MOSQ_ERR_CONN_LOST;
  }
  if (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop_misc(client);
  if ((waiting[1].revents & POLLIN) != 0) {
    eventfd_t ignored = 0;
    eventfd_read(wake_fd_, &ignored);
  }
  return result;
}

int MqttLink::subscribe(const MqttSubscriptions::Change& change) {
  MqttProperties properties;
  if (is_v5()) properties.add_subscription_identifier(change.identifier);
  int packet_id = 0;
  mosquitto_subscribe_v5(client_.get(), &packet_id, change.filter.c_str(),
                         static_cast<int>(change.qos), 0, properties.get());
  return packet_id;
}

void MqttLink::unsubscribe(const std::string& filter) {
  mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str());
}

MqttLink::Sent MqttLink::publish(const OutgoingMessage& message) {
  int packet_id = 0;
  const int result = mosquitto_publish_v5(
      client_.get(), &packet_id, message.message.topic.c_str(),
      static_cast<int>(message.message.payload.size()), message.message.payload.data(),
      static_cast<int>(message.qos), message.retain,
      message.properties && is_v5() ? message.properties->get() : nullptr);
  if (result == MOSQ_ERR_SUCCESS && message.qos == Qos::at_least_once) return {packet_id, {}};
  return {std::nullopt, outcome_of_call(result, message.message.topic)};
}

void MqttLink::say_goodbye(Goodbye goodbye) {
  MqttProperties properties;
  const bool ends =
      goodbye == Goodbye::ends_session && is_v5() && options_.tuning.session.count() > 0;
  if (ends) properties.add_session_expiry(std::chrono::seconds{0});
  mosquitto_disconnect_v5(client_.get(), 0, properties.get());
  problem_ = "closed";
}

}  // namespace andon::wire
