// SPDX-License-Identifier: Apache-2.0
// The module that mosquitto 2.0 loads ("plugin andon-broker.so", "plugin_opt_view FILE"): asks
// access/access.hpp at each connect, subscribe, publish and delivery, follows the server's view,
// cuts off who may not stay, and says who is there on $aws/events/presence/…, as AWS IoT does.
// mosquitto calls everything from its one thread. Nothing is thrown into it: what goes wrong
// refuses.
//
// Seen with mosquitto 2.0.11: with use_identity_as_username the basic-auth hook is not called, so
// the configuration leaves it off and the user's name is set here; a subscription that the ACL hook
// refuses is answered with 0x87.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "base/time/time.hpp"
#include "broker/access/access.hpp"
#include "broker/access/refusal_report.hpp"
#include "broker/view/view_file.hpp"
#include "fleet/names/topic.hpp"
#include "fleet/provisioning/provisioning_message.hpp"
#include "trust/keys/user_credential.hpp"

namespace andon::broker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenReads{100};
constexpr std::chrono::seconds kBetweenSweeps{60};
constexpr std::chrono::seconds kBetweenCounters{10};
constexpr std::size_t kLongestAsking = 512;  // client id of who is to be provisioned
constexpr std::string_view kCountersTopic = "andon/broker/counters";

// SHA-256 of the certificate's DER, lower-case hex; nothing without a certificate.
std::optional<std::string> fingerprint_of(const mosquitto* client) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      static_cast<X509*>(mosquitto_client_certificate(client)), X509_free);
  if (!certificate) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return std::nullopt;
  return base::to_hex({digest.data(), size});
}

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

// Its certificate, where the listener asks for one; else the user's name and password.
Credential shown_by(const mosquitto_evt_basic_auth& auth) {
  if (auto fingerprint = fingerprint_of(auth.client)) return *std::move(fingerprint);
  if (auth.username == nullptr || auth.password == nullptr) return {};
  return trust::user_credential(auth.username, auth.password);
}

// For a log line: names come from outside.
std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  return base::escape_line(text.substr(0, kLongest));
}

std::string in_json(std::string_view text) {
  return "\"" + base::escape_json(text) + "\"";
}

class Plugin {
 public:
  explicit Plugin(std::string view_file) : follower_(std::move(view_file)) { follow(Clock::now()); }

  int on_connect(const mosquitto_evt_basic_auth& auth) {
    mosquitto* const client = auth.client;
    const std::string_view id = text_or_empty(mosquitto_client_id(client));
    const std::string credential = shown_by(auth);
    const std::string_view address = text_or_empty(mosquitto_client_address(client));
    settle();
    // A certificate that was allowed a moment ago counts.
    follow(Clock::now());
    const auto answer = access_.connect(client,
                                        {.fingerprint = credential,
                                         .client_id = id,
                                         .is_kept = !mosquitto_client_clean_session(client),
                                         .source_ip = address},
                                        Clock::now());
    if (answer.decision != Decision::allowed) {
      mosquitto_log_printf(MOSQ_LOG_WARNING, "a connection of \"%s\" from %s is refused: %s",
                           printable(id).c_str(), printable(address).c_str(),
                           answer.reason.c_str());
      // Of a user the credential is made of the password: nobody else is told.
      const std::string fingerprint = fingerprint_of(client).value_or("");
      report_refusal(client,
                     {.kind = "connect", .fingerprint = fingerprint, .reason = answer.reason});
      return MOSQ_ERR_AUTH;
    }
    if (mosquitto_set_username(client, answer.name.c_str()) != MOSQ_ERR_SUCCESS) {
      access_.disconnect(client, id, Clock::now());
      return MOSQ_ERR_AUTH;
    }
    const std::string principal = fingerprint_of(client).value_or(answer.name);
    connected_[std::string(id)] = {client, answer.name, principal};
    tell_presence("connected", id, answer.name, principal, {});
    return MOSQ_ERR_SUCCESS;
  }

  void on_disconnect(const mosquitto* client, int reason) {
    const std::string_view id = text_or_empty(mosquitto_client_id(client));
    // Who was never let in, or whose client id another connection has now, says nothing of it.
    const auto found = connected_.find(std::string(id));
    if (found == connected_.end() || found->second.client != client) return;
    tell_presence("disconnected", id, found->second.name, found->second.fingerprint, reason);
    connected_.erase(found);
    // Its will comes after this, and may say what any of its messages may.
    gone_.push_back({client, std::string(id)});
  }

  int on_access(const mosquitto_evt_acl_check& check) {
    const std::string_view id = text_or_empty(mosquitto_client_id(check.client));
    const std::string_view topic = text_or_empty(check.topic);
    switch (check.access) {
      case MOSQ_ACL_WRITE:
        return publish(check, id, topic);
      case MOSQ_ACL_READ:
        return to_code(access_.receive(id, topic));
      case MOSQ_ACL_SUBSCRIBE: {
        const auto count = static_cast<std::size_t>(mosquitto_client_sub_count(check.client));
        const Decision decision = access_.subscribe(id, topic, count);
        if (decision != Decision::allowed) {
          mosquitto_log_printf(MOSQ_LOG_WARNING, "a subscription of \"%s\" to \"%s\" is refused",
                               printable(id).c_str(), printable(topic).c_str());
          report_refusal(check.client,
                         {.kind = "subscribe", .topic = topic, .reason = reason_of(decision)});
        }
        if (topic == fleet::kPresentTopic && decision == Decision::allowed) tell_all_ = true;
        return to_code(decision);
      }
      case MOSQ_ACL_UNSUBSCRIBE:
        access_.unsubscribe(id, topic);
        return MOSQ_ERR_SUCCESS;
      default:
        return MOSQ_ERR_ACL_DENIED;
    }
  }

  void on_tick() {
    settle();
    if (std::exchange(tell_all_, false)) tell_who_is_there();
    const Clock::time_point now = Clock::now();
    if (now - read_ >= kBetweenReads) follow(now);
    if (const auto message = refusals_.take()) {
      publish_message(std::string(kRefusalsTopic), *message);
    }
    if (now - swept_ >= kBetweenSweeps) {
      swept_ = now;
      access_.sweep(now);
    }
    if (now - counted_ >= kBetweenCounters) {
      counted_ = now;
      tell_counters();
    }
  }

 private:
  void settle() {
    for (const Gone& gone : gone_) access_.disconnect(gone.client, gone.id, Clock::now());
    gone_.clear();
  }

  static std::string_view reason_of(Decision decision) {
    return decision == Decision::over_limit ? "over a limit of the broker"
                                            : "no right to the topic";
  }

  // Published with the next tick: this is called from within a hook.
  void report_refusal(const mosquitto* client, Refusal refusal) {
    refusal.client_id = text_or_empty(mosquitto_client_id(client));
    refusal.address = text_or_empty(mosquitto_client_address(client));
    if (const auto known = connected_.find(std::string(refusal.client_id));
        known != connected_.end() && known->second.client == client) {
      refusal.principal = known->second.name;
      refusal.fingerprint = known->second.fingerprint;
    }
    refusals_.add(refusal, base::to_epoch_millis(base::SystemClock().now()), Clock::now());
  }

  static int to_code(Decision decision) {
    return decision == Decision::allowed ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
  }

  int publish(const mosquitto_evt_acl_check& check, std::string_view id, std::string_view topic) {
    const Decision decision = access_.publish(
        id, {.topic = topic, .payload_bytes = check.payloadlen, .is_retained = check.retain},
        Clock::now());
    if (decision == Decision::over_limit && !is_over_limit_) {
      mosquitto_log_printf(MOSQ_LOG_WARNING,
                           "\"%s\" is over a limit of the broker: its message to \"%s\" (%u bytes) "
                           "is refused; more such messages are counted, not told",
                           printable(id).c_str(), printable(topic).c_str(),
                           static_cast<unsigned>(check.payloadlen));
    }
    is_over_limit_ = decision == Decision::over_limit;
    if (decision != Decision::allowed) {
      report_refusal(check.client,
                     {.kind = "publish", .topic = topic, .reason = reason_of(decision)});
    }
    if (decision == Decision::refused) tell_refusal(id, topic);
    if (decision == Decision::allowed) hand_on(check, id, topic);
    return to_code(decision);
  }

  // What one client and the server say to each other alone: a question of provisioning goes to the
  // server with who asked, an answer of the server to the client that it is for.
  void hand_on(const mosquitto_evt_acl_check& check, std::string_view id, std::string_view topic) {
    const std::string payload(static_cast<const char*>(check.payload),
                              check.payload == nullptr ? 0 : check.payloadlen);
    if (topic.starts_with('$')) {
      const auto known = connected_.find(std::string(id));
      if (known == connected_.end() || id.size() > kLongestAsking) return;
      if (!fleet::parse_provisioning_topic(topic)) return;
      publish_message(fleet::question_topic({.client_id = std::string(id),
                                             .certificate = known->second.fingerprint,
                                             .topic = std::string(topic)}),
                      payload);
    } else if (topic.starts_with(fleet::kDeliveries) && access_.may_deliver(id)) {
      const auto delivery = fleet::parse_delivery_topic(topic);
      if (!delivery) return;
      publish_message(delivery->topic, payload, delivery->client_id.c_str());
    }
  }

  // An acknowledgement that says no does not say whether it is for good: over a limit it is not.
  void tell_refusal(std::string_view id, std::string_view topic) {
    constexpr std::uint64_t kASecond = 10;
    constexpr std::uint64_t kAtOnce = 100;
    const auto found = connected_.find(std::string(id));
    if (found == connected_.end() || !access_.view().has_thing(found->second.name)) return;
    if (!found->second.refusals.take(1, kASecond, kAtOnce, Clock::now())) return;
    publish_message(fleet::DeviceTopics(found->second.name).publish_refused(),
                    "{\"topic\":" + in_json(topic) + "}");
  }

  void follow(Clock::time_point now) {
    read_ = now;
    const ViewFollower::Update update = follower_.read();
    if (!update.problem.empty()) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "%s", printable(update.problem).c_str());
    }
    if (!update.is_new_view && update.changes.empty()) return;
    const auto [ended, changed_things] =
        update.is_new_view ? access_.replace_view(update.changes) : access_.apply(update.changes);
    for (const std::string& thing : changed_things) {
      publish_message(fleet::DeviceTopics(thing).policy_changed(), "{}");
    }
    for (const std::string& id : ended) {
      mosquitto_log_printf(
          MOSQ_LOG_NOTICE,
          "\"%s\" is cut off: it may not be connected, or not with the subscriptions "
          "that it has, any more",
          printable(id).c_str());
      mosquitto_kick_client_by_clientid(id.c_str(), false);
    }
  }

  void tell_who_is_there() {
    for (const auto& [id, client] : connected_) {
      publish_message(std::string(fleet::kPresentTopic),
                      presence("connected", id, client.name, client.fingerprint, {}));
    }
  }

  void tell_presence(std::string_view event, std::string_view client_id, std::string_view name,
                     std::string_view fingerprint, std::optional<int> reason) {
    std::string topic = "$aws/events/presence/";
    topic.append(event).append("/").append(client_id);
    publish_message(topic, presence(event, client_id, name, fingerprint, reason));
  }

  // The message of AWS IoT's lifecycle events.
  std::string presence(std::string_view event, std::string_view client_id, std::string_view name,
                       std::string_view fingerprint, std::optional<int> reason) {
    std::string message = "{\"clientId\":" + in_json(client_id);
    message += ",\"timestamp\":" + std::to_string(base::to_epoch_millis(base::SystemClock().now()));
    message += ",\"eventType\":" + in_json(event);
    message += ",\"principalIdentifier\":" + in_json(fingerprint);
    message += ",\"versionNumber\":" + std::to_string(version_++);
    if (!name.empty()) message += ",\"principalName\":" + in_json(name);
    if (reason) {
      const bool is_asked_for = *reason == MOSQ_ERR_SUCCESS;
      message += ",\"clientInitiatedDisconnect\":";
      message += is_asked_for ? "true" : "false";
      message += ",\"disconnectReason\":";
      message += is_asked_for ? "\"CLIENT_INITIATED_DISCONNECT\"" : "\"CONNECTION_LOST\"";
    }
    return message + "}";
  }

  void tell_counters() {
    const Counters& counters = access_.counters();
    std::string message = "{";
    const auto add = [&message](std::string_view name, std::uint64_t value) {
      message += (message.size() == 1 ? "" : ",") + in_json(name) + ":" + std::to_string(value);
    };
    add("refusedConnections", counters.refused_connections);
    add("refusedPublishes", counters.refused_publishes);
    add("refusedSubscriptions", counters.refused_subscriptions);
    add("overLimit", counters.over_limit);
    add("endedSessions", counters.ended_sessions);
    add("certificates", access_.view().certificates());
    publish_message(std::string(kCountersTopic), message + "}");
  }

  // To one client, or, where that is null, to all who have subscribed.
  static void publish_message(const std::string& topic, const std::string& payload,
                              const char* client_id = nullptr) {
    if (mosquitto_pub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS) return;
    mosquitto_broker_publish_copy(client_id, topic.c_str(), static_cast<int>(payload.size()),
                                  payload.data(), 1, false, nullptr);
  }

  // Who has been said to be there.
  struct Connected {
    const mosquitto* client = nullptr;
    std::string name;
    std::string fingerprint;
    base::Quota refusals = {};  // that it is told of
  };

  // Connections that have ended since the last one began, or the last tick.
  struct Gone {
    const mosquitto* client = nullptr;
    std::string id;
  };

  ViewFollower follower_;
  Access access_;
  RefusalReport refusals_;
  std::vector<Gone> gone_;
  std::unordered_map<std::string, Connected> connected_;  // by client id
  Clock::time_point read_;
  Clock::time_point swept_ = Clock::now();
  Clock::time_point counted_ = Clock::now();
  std::uint64_t version_ = 0;
  bool is_over_limit_ = false;
  bool tell_all_ = false;  // who is there, to a server that has come
};

template <typename Hook>
int guarded(int refusal, Hook hook) noexcept {
  try {
    return hook();
  } catch (const std::exception& error) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "andon-broker: %s", error.what());
    return refusal;
  }
}

int connect_hook(int /*event*/, void* data, void* user) {
  const auto* const auth = static_cast<mosquitto_evt_basic_auth*>(data);
  return guarded(MOSQ_ERR_AUTH, [&] { return static_cast<Plugin*>(user)->on_connect(*auth); });
}
int access_hook(int /*event*/, void* data, void* user) {
  const auto* const check = static_cast<mosquitto_evt_acl_check*>(data);
  return guarded(MOSQ_ERR_ACL_DENIED,
                 [&] { return static_cast<Plugin*>(user)->on_access(*check); });
}
int disconnect_hook(int /*event*/, void* data, void* user) {
  const auto* const gone = static_cast<mosquitto_evt_disconnect*>(data);
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    static_cast<Plugin*>(user)->on_disconnect(gone->client, gone->reason);
    return MOSQ_ERR_SUCCESS;
  });
}
int tick_hook(int /*event*/, void* /*data*/, void* user) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    static_cast<Plugin*>(user)->on_tick();
    return MOSQ_ERR_SUCCESS;
  });
}

}  // namespace
}  // namespace andon::broker

#define ANDON_EXPORT extern "C" __attribute__((visibility("default")))

ANDON_EXPORT int mosquitto_plugin_version(int count, const int* versions) {
  constexpr int kVersion = 5;
  for (int i = 0; i < count; ++i) {
    if (versions[i] == kVersion) return kVersion;
  }
  return -1;
}

ANDON_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** user_data,
                                       mosquitto_opt* options, int option_count) {
  using namespace andon::broker;
  return guarded(MOSQ_ERR_INVAL, [&] {
    std::string view_file;
    for (const mosquitto_opt& option : std::span(options, static_cast<std::size_t>(option_count))) {
      if (text_or_empty(option.key) == "view") view_file = text_or_empty(option.value);
    }
    if (view_file.empty()) {
      mosquitto_log_printf(MOSQ_LOG_ERR,
                           "andon-broker: plugin_opt_view must name the server's view");
      return static_cast<int>(MOSQ_ERR_INVAL);
    }
    auto plugin = std::make_unique<Plugin>(std::move(view_file));
    const std::array<std::pair<int, MOSQ_FUNC_generic_callback>, 4> hooks{{
        {MOSQ_EVT_BASIC_AUTH, connect_hook},
        {MOSQ_EVT_ACL_CHECK, access_hook},
        {MOSQ_EVT_DISCONNECT, disconnect_hook},
        {MOSQ_EVT_TICK, tick_hook},
    }};
    for (const auto& [event, hook] : hooks) {
      const int code = mosquitto_callback_register(identifier, event, hook, nullptr, plugin.get());
      if (code != MOSQ_ERR_SUCCESS) return code;
    }
    *user_data = plugin.release();
    return static_cast<int>(MOSQ_ERR_SUCCESS);
  });
}

ANDON_EXPORT int mosquitto_plugin_cleanup(void* user_data, mosquitto_opt* /*options*/,
                                          int /*option_count*/) {
  delete static_cast<andon::broker::Plugin*>(user_data);
  return MOSQ_ERR_SUCCESS;
}
