// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/network_settings.hpp"

#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::size_t kMostBrokers = 8;
constexpr std::size_t kMostFile = 64U << 10U;
// Says to the same process, started again, whose the variables are.
constexpr const char* kOwnMark = "ANDON_EDGE_PROXY";

[[noreturn]] void refuse(std::string_view key, const std::string& what) {
  throw base::Error(base::ErrorCode::invalid_argument,
                    "aws.greengrass.Nucleus: " + std::string(key) + " " + what);
}

// "host", "host:port" or "[address]:port".
fleet::Endpoint parse_endpoint(std::string_view key, std::string_view text, std::uint16_t port) {
  fleet::Endpoint endpoint{std::string(text), port};
  const std::size_t colon = text.rfind(':');
  const bool is_bracketed = text.starts_with('[');
  if (is_bracketed ? text.find("]:") != text.npos : colon != text.npos && text.find(':') == colon) {
    const auto number = base::parse_integer<std::uint16_t>(text.substr(colon + 1));
    if (!number || *number == 0)
      refuse(key, "has no port behind the colon: '" + endpoint.host + "'");
    endpoint = {std::string(text.substr(0, colon)), *number};
  }
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const bool is_host = !endpoint.host.empty() && endpoint.host.size() <= 253 &&
                       endpoint.host.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789.-:") == std::string::npos;
  if (!is_host) refuse(key, "is no host name: '" + endpoint.host + "'");
  return endpoint;
}

std::uint16_t port_at(const base::JsonReader& reader, std::string_view key, std::uint16_t usual) {
  const json::value* const found = reader.find(key);
  if (found == nullptr) return usual;
  // Greengrass Lite has it as a text.
  const auto number = found->is_string()
                          ? base::parse_integer<std::int64_t>(std::string(found->get_string()))
                          : reader.optional_integer(key, 1, 65535);
  if (!number || *number < 1 || *number > 65535) refuse(key, "is no port");
  return static_cast<std::uint16_t>(*number);
}

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string all;
  for (const char one : text) {
    if (isalnum(static_cast<unsigned char>(one)) != 0) {
      all += one;
      continue;
    }
    all += '%';
    all += kHex[static_cast<unsigned char>(one) >> 4U];
    all += kHex[static_cast<unsigned char>(one) & 15U];
  }
  return all;
}

std::string proxy_of(const json::object& proxy) {
  const base::JsonReader reader(proxy, "networkProxy.proxy");
  std::string url = reader.optional_string("url").value_or("");
  if (url.empty()) return {};
  const std::size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end);
  if (scheme_end == std::string::npos ||
      (scheme != "http" && scheme != "https" && scheme != "socks5" && scheme != "socks5h")) {
    refuse("networkProxy.proxy.url", "must begin with http://, https://, socks5:// or socks5h://");
  }
  while (url.ends_with('/')) url.pop_back();
  if (url.size() <= scheme_end + 3) refuse("networkProxy.proxy.url", "names no host");
  const std::string user = reader.optional_string("username").value_or("");
  const std::string password = reader.optional_string("password").value_or("");
  if (!user.empty() && url.find('@') == std::string::npos) {
    url.insert(scheme_end + 3, encoded(user) + ':' + encoded(password) + '@');
  }
  return url;
}

json::value endpoint_value(const std::optional<fleet::Endpoint>& endpoint) {
  if (!endpoint) return nullptr;
  return to_json(*endpoint);
}

std::optional<fleet::Endpoint> read_endpoint_at(const base::JsonReader& reader,
                                                std::string_view key) {
  if (reader.optional_object(key) == nullptr) return std::nullopt;
  return fleet::read_endpoint(reader.child(std::string(key)));
}

fs::path network_file(const Layout& layout) {
  return layout.config() / "network.json";
}

constexpr std::string_view name_of(NetworkState state) {
  return state == NetworkState::trial ? "trial" : state == NetworkState::good ? "good" : "failed";
}

}  // namespace

bool NetworkSettings::wants_the_same(const NetworkSettings& other) const {
  return broker == other.broker && data_plane == other.data_plane &&
         other_brokers == other.other_brokers && proxy == other.proxy && no_proxy == other.no_proxy;
}

NetworkSettings wanted_network(const json::object* nucleus, const DeviceConfig& enrolled) {
  NetworkSettings settings;
  if (nucleus == nullptr) return settings;
  const base::JsonReader reader(*nucleus, "aws.greengrass.Nucleus");
  const json::object* const mqtt = reader.optional_object("mqtt");
  std::uint16_t mqtt_port = enrolled.mqtt.port;
  if (mqtt != nullptr) mqtt_port = port_at(base::JsonReader(*mqtt, "mqtt"), "port", mqtt_port);
  const std::uint16_t data_port =
      port_at(reader, "greengrassDataPlanePort", enrolled.data_plane.port);

  const std::string broker = reader.optional_string("iotDataEndpoint").value_or("");
  if (!broker.empty() || mqtt_port != enrolled.mqtt.port) {
    settings.broker =
        parse_endpoint("iotDataEndpoint", broker.empty() ? enrolled.mqtt.host : broker, mqtt_port);
  }
  std::string data_plane = reader.optional_string("greengrassDataPlaneEndpoint").value_or("");
  if (data_plane.empty()) data_plane = reader.optional_string("iotCredEndpoint").value_or("");
  if (data_plane.empty() || data_plane == "iotdata") {
    data_plane = settings.broker && !broker.empty() ? settings.broker->host : "";
  }
  if (!data_plane.empty() || data_port != enrolled.data_plane.port) {
    settings.data_plane =
        parse_endpoint("greengrassDataPlaneEndpoint",
                       data_plane.empty() ? enrolled.data_plane.host : data_plane, data_port);
  }
  if (settings.broker == fleet::Endpoint(enrolled.mqtt)) settings.broker.reset();
  if (settings.data_plane == fleet::Endpoint(enrolled.data_plane)) settings.data_plane.reset();

  if (const json::array* const others = reader.optional_array("andonOtherDataEndpoints")) {
    for (const json::value& one : *others) {
      if (!one.is_string() || settings.other_brokers.size() == kMostBrokers) {
        refuse("andonOtherDataEndpoints", "must be at most 8 texts \"host\" or \"host:port\"");
      }
      settings.other_brokers.push_back(
          parse_endpoint("andonOtherDataEndpoints", std::string(one.get_string()), mqtt_port));
    }
  }
  if (const json::object* const network = reader.optional_object("networkProxy")) {
    const base::JsonReader proxy(*network, "networkProxy");
    settings.no_proxy = proxy.optional_string("noProxyAddresses").value_or("");
    if (const json::object* const one = proxy.optional_object("proxy")) {
      settings.proxy = proxy_of(*one);
    }
  }
  return settings;
}

std::string to_text(const NetworkSettings& settings) {
  json::array others;
  for (const fleet::Endpoint& one : settings.other_brokers) others.push_back(to_json(one));
  return base::to_text({{"broker", endpoint_value(settings.broker)},
                        {"dataPlane", endpoint_value(settings.data_plane)},
                        {"otherBrokers", std::move(others)},
                        {"proxy", settings.proxy},
                        {"noProxy", settings.no_proxy},
                        {"state", name_of(settings.state)},
                        {"why", settings.why}});
}

NetworkSettings parse_network_settings(std::string_view text) {
  const json::value document = base::parse_json(text, "network settings");
  const base::JsonReader reader(document, "network settings");
  NetworkSettings settings;
  settings.broker = read_endpoint_at(reader, "broker");
  settings.data_plane = read_endpoint_at(reader, "dataPlane");
  if (const json::array* const others = reader.optional_array("otherBrokers")) {
    for (const json::value& one : *others) {
      if (settings.other_brokers.size() == kMostBrokers) break;
      settings.other_brokers.push_back(fleet::read_endpoint(base::JsonReader(one, "otherBrokers")));
    }
  }
  settings.proxy = reader.optional_string("proxy").value_or("");
  settings.no_proxy = reader.optional_string("noProxy").value_or("");
  const std::string state = reader.string("state");
  settings.state = state == name_of(NetworkState::trial)  ? NetworkState::trial
                   : state == name_of(NetworkState::good) ? NetworkState::good
                                                          : NetworkState::failed;
  settings.why = reader.optional_string("why").value_or("");
  return settings;
}

NetworkSettings load_network(const Layout& layout) {
  try {
    const auto text = base::read_file_if_exists(network_file(layout), kMostFile);
    if (text) return parse_network_settings(*text);
  } catch (const base::Error& error) {
    base::log_error("what a deployment says of the network cannot be read: as enrolled",
                    {{"why", error.message()}});
  }
  return {};
}

void save_network(const Layout& layout, const NetworkSettings& settings) {
  base::write_file_atomically(network_file(layout), to_text(settings), 0600);
}

DeviceConfig with_network(DeviceConfig enrolled, const NetworkSettings& settings) {
  enrolled.proxy = settings.proxy;
  enrolled.no_proxy = settings.no_proxy;
  enrolled.other_brokers = settings.other_brokers;
  if (settings.state == NetworkState::failed) return enrolled;
  if (settings.broker) {
    if (settings.state == NetworkState::trial) enrolled.other_brokers.clear();
    if (settings.state == NetworkState::good) enrolled.other_brokers.push_back(enrolled.mqtt);
    enrolled.mqtt = *settings.broker;
  }
  if (settings.data_plane) enrolled.data_plane = *settings.data_plane;
  return enrolled;
}

const std::vector<std::string>& proxy_variables() {
  static const std::vector<std::string> names{"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
                                              "all_proxy", "http_proxy", "https_proxy", "no_proxy"};
  return names;
}

void put_proxy_into_environment(const NetworkSettings& settings) {
  if (std::getenv(kOwnMark) != nullptr) {
    for (const std::string& name : proxy_variables()) unsetenv(name.c_str());
    unsetenv(kOwnMark);
  }
  if (settings.proxy.empty()) return;
  setenv(kOwnMark, "1", 1);
  for (const std::string& name : proxy_variables()) {
    const bool is_exception = name == "NO_PROXY" || name == "no_proxy";
    setenv(name.c_str(), is_exception ? settings.no_proxy.c_str() : settings.proxy.c_str(), 1);
  }
}

}  // namespace andon::edge
