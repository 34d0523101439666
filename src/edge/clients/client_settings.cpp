// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_settings.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::edge {
namespace {

using base::JsonReader;
using std::chrono::seconds;

constexpr std::int64_t kHighestPort = 65'535;
constexpr std::size_t kMostRoutes = 200;
constexpr std::size_t kMostPrefixBytes = 256;
// As Greengrass has them.
constexpr seconds kShortestCertificate{std::chrono::days{2}};
constexpr seconds kLongestCertificate{std::chrono::days{10}};
constexpr std::int64_t kLongestTrust = 10L * 365 * 24 * 60;
constexpr std::int64_t kMostTokens = 100'000;

const base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values};

constexpr std::array<std::pair<std::string_view, BridgeEnd>, 3> kEnds{
    {{"LocalMqtt", BridgeEnd::local_mqtt},
     {"IotCore", BridgeEnd::iot_core},
     {"Pubsub", BridgeEnd::pubsub}}};

bool is_address(const std::string& text) {
  in6_addr bytes{};
  return inet_pton(AF_INET, text.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &bytes) == 1;
}

void set_address(const JsonReader& reader, std::string_view key, std::string address,
                 ClientBrokerSettings& settings) {
  if (address == "0.0.0.0" || address == "::") address.clear();
  if (!address.empty() && !is_address(address)) {
    reader.fail(key, "must be an IP address of this device");
  }
  settings.address = std::move(address);
}

// "8883" or "0.0.0.0:8883".
void set_bind(const JsonReader& reader, std::string_view key, ClientBrokerSettings& settings) {
  const auto bind = reader.optional_string(key);
  if (!bind) return;
  const std::size_t colon = bind->rfind(':');
  const bool has_address = colon != std::string::npos;
  const auto port = base::parse_integer<std::uint16_t>(
      has_address ? std::string_view(*bind).substr(colon + 1) : std::string_view(*bind));
  if (!port || *port == 0) reader.fail(key, "must be a port, or ADDRESS:PORT");
  settings.port = *port;
  if (has_address) set_address(reader, key, bind->substr(0, colon), settings);
}

}  // namespace

ClientAuthSettings read_client_auth_settings(const json::object& configuration) {
  const JsonReader all(configuration, "", kReading);
  ClientAuthSettings settings;
  if (const json::object* const groups = all.optional_object("deviceGroups")) {
    settings.groups = DeviceGroups(*groups);
  }
  const JsonReader authority = all.child_or_empty("certificateAuthority");
  for (const char* key : {"certificateUri", "certificateChainUri", "privateKeyUri"}) {
    if (!authority.optional_string(key).value_or("").empty()) {
      authority.fail(key, "is not taken: the device makes a CA of its own, which clients discover");
    }
  }
  const JsonReader certificates = all.child_or_empty("certificates");
  if (const auto lifetime = certificates.optional_integer("serverCertificateValiditySeconds",
                                                          kShortestCertificate.count(),
                                                          kLongestCertificate.count())) {
    settings.certificate_lifetime = seconds(*lifetime);
  }
  settings.is_rotated = !certificates.optional_bool("disableCertificateRotation").value_or(false);
  if (const auto minutes =
          all.child_or_empty("security")
              .optional_integer("clientDeviceTrustDurationMinutes", 0, kLongestTrust)) {
    settings.trusted_for = std::chrono::minutes(std::max<std::int64_t>(1, *minutes));
  }
  if (const auto most = all.child_or_empty("performance")
                            .optional_integer("maxActiveAuthTokens", 1, kMostTokens)) {
    settings.most_tokens = static_cast<std::size_t>(*most);
  }
  return settings;
}

ClientBrokerSettings read_moquette_settings(const json::object& configuration) {
  const JsonReader all(configuration, "", kReading);
  const JsonReader moquette = all.child_or_empty("moquette");
  ClientBrokerSettings settings;
  if (const auto port = moquette.optional_integer("ssl_port", 1, kHighestPort)) {
    settings.port = static_cast<std::uint16_t>(*port);
  }
  set_address(moquette, "host", moquette.optional_string("host").value_or(""), settings);
  return settings;
}

ClientBrokerSettings read_emqx_settings(const json::object& configuration) {
  const JsonReader all(configuration, "", kReading);
  ClientBrokerSettings settings;
  set_bind(all.child_or_empty("emqx"), "listener.ssl.external", settings);
  const JsonReader config = all.child_or_empty("emqxConfig");
  const JsonReader listeners = config.child_or_empty("listeners");
  const JsonReader ssl = listeners.child_or_empty("ssl");
  set_bind(ssl.child_or_empty("default"), "bind", settings);
  return settings;
}

std::vector<BridgeRoute> read_bridge_routes(const json::object& configuration) {
  const JsonReader all(configuration, "", kReading);
  const JsonReader mapping = all.child_or_empty("mqttTopicMapping");
  if (mapping.object().size() > kMostRoutes) {
    all.fail("mqttTopicMapping", "has more than 200 mappings");
  }
  std::vector<BridgeRoute> routes;
  for (const auto& member : mapping.object()) {
    const JsonReader one(member.value(), mapping.place(member.key()), kReading);
    BridgeRoute route;
    route.name = std::string(member.key());
    route.topic = one.required_text("topic");
    if (!wire::is_valid_filter(route.topic)) {
      one.fail("topic", "is no topic filter that can be subscribed to");
    }
    route.target_prefix = one.optional_string("targetTopicPrefix").value_or("");
    if (route.target_prefix.size() > kMostPrefixBytes ||
        (!route.target_prefix.empty() && !wire::is_valid_topic(route.target_prefix))) {
      one.fail("targetTopicPrefix", "must be the beginning of a topic, of 256 bytes at most");
    }
    (void)one.required_text("source");
    (void)one.required_text("target");
    route.source = *one.choice("source", kEnds);
    route.target = *one.choice("target", kEnds);
    if (route.source == route.target && route.target_prefix.empty()) {
      one.fail("target",
               "is the source, and there is no targetTopicPrefix: that leads in a circle");
    }
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace andon::edge
