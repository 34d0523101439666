// SPDX-License-Identifier: Apache-2.0
#include "edge/claim/claim.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "edge/cloud/provision.hpp"
#include "fleet/messages/limits.hpp"
#include "fleet/names/topic.hpp"
#include "fleet/provisioning/provisioning_message.hpp"
#include "trust/keys/certificate.hpp"
#include "trust/openssl/pem_limit.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::chrono::seconds kPatience{30};

// A question to the server, of which one at a time is asked.
class Asking {
 public:
  explicit Asking(const Claim& claim) : client_(options_of(claim)) {
    if (!claim.proxy.empty()) {
      client_.take({.endpoints = {{claim.mqtt.host, claim.mqtt.port}},
                    .proxy = claim.proxy,
                    .no_proxy = {}});
    }
    if (!client_.wait_connected(kPatience)) {
      throw Error(ErrorCode::unavailable,
                  "the broker at " + claim.mqtt.host + ":" + std::to_string(claim.mqtt.port) +
                      " did not let the claim in: it may be over, its template be gone, or the "
                      "server not be reached");
    }
  }

  json::object ask(const std::string& topic, const json::object& question) {
    struct Heard {
      std::mutex mutex;
      std::condition_variable changed;
      std::optional<wire::MqttMessage> answer;
    };
    const auto heard = std::make_shared<Heard>();
    const std::uint64_t id = client_.subscribe(topic + "/+", wire::Qos::at_least_once,
                                               [heard](const wire::MqttMessage& message) {
                                                 const std::lock_guard lock(heard->mutex);
                                                 heard->answer = message;
                                                 heard->changed.notify_one();
                                               });
    (void)client_.wait_subscribed(id, kPatience);
    (void)client_.publish({topic, base::to_text(question)}, wire::Qos::at_least_once, kPatience);
    std::unique_lock lock(heard->mutex);
    heard->changed.wait_for(lock, kPatience, [&] { return heard->answer.has_value(); });
    const std::optional<wire::MqttMessage> answer = heard->answer;
    lock.unlock();
    client_.unsubscribe(id);
    if (!answer) {
      throw Error(ErrorCode::unavailable,
                  "the server did not answer on " + topic + "; is the claim for this template?");
    }
    json::value read = base::parse_json(answer->payload, "the server's answer", fleet::kFromServer);
    if (!read.is_object())
      throw Error(ErrorCode::data_corrupted, "the server's answer is no object");
    if (!fleet::is_accepted(answer->topic)) refuse(read.get_object());
    return std::move(read.get_object());
  }

 private:
  static wire::MqttOptions options_of(const Claim& claim) {
    wire::MqttOptions options;
    options.host = claim.mqtt.host;
    options.port = claim.mqtt.port;
    options.client_id = base::random_uuid();
    options.ca_file = claim.ca.string();
    options.certificate_file = claim.certificate.string();
    options.private_key = claim.private_key;
    return options;
  }

  [[noreturn]] static void refuse(const json::object& refusal) {
    const JsonReader reader(refusal, "");
    const std::string code = reader.optional_string("errorCode").value_or("");
    const std::string why = reader.optional_string("errorMessage").value_or("no reason given");
    const ErrorCode kind = code == "Unauthorized"        ? ErrorCode::permission_denied
                           : code == "InvalidParameters" ? ErrorCode::invalid_argument
                           : code == "ResourceNotFound"  ? ErrorCode::not_found
                           : code == "ResourceConflict"  ? ErrorCode::failed_precondition
                                                         : ErrorCode::unavailable;
    throw Error(kind, "the server does not provision this device: " + why);
  }

  wire::MqttClient client_;
};

// What the server has offered, kept until the device has its place.
struct Offer {
  std::string certificate_pem;
  std::string token;
};

fs::path offer_file(const Layout& layout) {
  return layout.config() / "claim.json";
}

void forget_offer(const Layout& layout) {
  std::error_code ignored;
  fs::remove(offer_file(layout), ignored);
}

std::optional<Offer> read_offer(const Layout& layout, const trust::PrivateKey& key) {
  const auto text = base::read_file_if_exists(offer_file(layout), trust::kMaxPemBytes);
  if (!text) return std::nullopt;
  const json::value value = base::parse_json(*text, "claim.json");
  const JsonReader reader(value, "claim.json");
  Offer offer{reader.string("certificatePem"), reader.string("certificateOwnershipToken")};
  if (!trust::is_key_of(key, offer.certificate_pem)) return std::nullopt;
  return offer;
}

Offer get_offer(const Layout& layout, const trust::PrivateKey& key, Asking& asking) {
  const json::object answer =
      asking.ask(std::string(fleet::kCreateFromCsrTopic),
                 {{"certificateSigningRequest", trust::make_csr(key, "andon-edge")}});
  const JsonReader reader(answer, "the server's answer");
  Offer offer{reader.string("certificatePem"), reader.string("certificateOwnershipToken")};
  if (!trust::is_key_of(key, offer.certificate_pem)) {
    throw Error(ErrorCode::data_corrupted, "the server gave a certificate for another key");
  }
  base::write_file_atomically(
      offer_file(layout),
      base::to_text(json::object{{"certificatePem", offer.certificate_pem},
                                 {"certificateOwnershipToken", offer.token}}),
      0600);
  return offer;
}

json::object get_place(const Claim& claim, const Offer& offer, Asking& asking) {
  json::object parameters;
  for (const auto& [name, value] : claim.parameters) parameters[name] = value;
  return asking.ask(
      fleet::provision_topic(claim.template_name),
      {{"certificateOwnershipToken", offer.token}, {"parameters", std::move(parameters)}});
}

}  // namespace

fleet::Endpoint parse_endpoint(const std::string& text, std::uint16_t standard_port,
                               const std::string& option) {
  // "[::1]:8883": the colons of an address are within brackets.
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  fleet::Endpoint endpoint{has_port ? text.substr(0, colon) : text, standard_port};
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const auto port = has_port ? base::parse_integer<std::uint16_t>(text.substr(colon + 1), 1)
                             : std::optional<std::uint16_t>(standard_port);
  if (endpoint.host.empty() || !port) {
    throw Error(ErrorCode::invalid_argument, option + ": \"" + text + "\" must be HOST:PORT");
  }
  endpoint.port = *port;
  return endpoint;
}

DeviceConfig provision_by_claim(const Layout& layout, const Claim& claim) {
  if (!fleet::is_template_name(claim.template_name)) {
    throw Error(ErrorCode::invalid_argument,
                "--template: must be 1 to 36 letters, digits, '_' and '-'");
  }
  layout.make();
  const base::FileLock lock(layout.lock());
  if (auto existing = load_device_config(layout)) {
    if (existing->data_plane == claim.data_plane) return *std::move(existing);
    throw of_another_server(*existing, layout);
  }
  const trust::PrivateKey key = own_key(layout, claim.device_key);
  base::write_file_atomically(ca_file(layout), base::read_file(claim.ca, trust::kMaxPemBytes));
  Asking asking(claim);
  std::optional<Offer> offer = read_offer(layout, key);
  json::object place;
  try {
    if (!offer) offer = get_offer(layout, key, asking);
    place = get_place(claim, *offer, asking);
  } catch (const Error& error) {
    // An offer that was kept may be over by now: the next attempt asks for another.
    if (error.code() == ErrorCode::permission_denied) forget_offer(layout);
    throw;
  }
  const JsonReader reader(place, "the server's answer");
  DeviceConfig config;
  config.thing_name = reader.required_text("thingName");
  config.region = claim.region;
  config.private_key = claim.device_key;
  config.proxy = claim.proxy;
  config.mqtt = claim.mqtt;
  config.data_plane = claim.data_plane;
  const JsonReader more = reader.child_or_empty("deviceConfiguration");
  config.role_alias = more.optional_string("roleAlias").value_or(config.role_alias);
  base::write_file_atomically(certificate_file(layout), offer->certificate_pem);
  fs::remove(network_file(layout));
  save_device_config(layout, config);
  forget_offer(layout);
  return config;
}

}  // namespace andon::edge
