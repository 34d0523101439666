// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/network_settings.hpp"

#include <cstdlib>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "edge/cloud/provision.hpp"

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
  url = proxy_url(std::move(url), "aws.greengrass.Nucleus: networkProxy.proxy.url");
  const std::string user = reader.optional_string("username").value_or("");
  const std::string password = reader.optional_string("password").value_or("");
  if (!user.empty() && url.find('@') == std::string::npos) {
    url.insert(url.find("://") + 3, encoded(user) + ':' + encoded(password) + '@');
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

constexpr std::string_view name_of(NetworkState state) {
  return state == NetworkState::trial ? "trial" : state == NetworkState::good ? "good" : "failed";
}

NetworkState state_of(std::string_view name) {
  return name == name_of(NetworkState::trial)  ? NetworkState::trial
         : name == name_of(NetworkState::good) ? NetworkState::good
                                               : NetworkState::failed;
}

}  // namespace

bool NetworkSettings::wants_the_same(const NetworkSettings& other) const {
  return broker == other.broker && data_plane == other.data_plane &&
         other_brokers == other.other_brokers && proxy == other.proxy && no_proxy == other.no_proxy;
}

NetworkSettings wanted_network(const json::object* nucleus, const DeviceConfig& device) {
  NetworkSettings settings;
  if (nucleus == nullptr) return settings;
  const base::JsonReader reader(*nucleus, "aws.greengrass.Nucleus");
  const json::object* const mqtt = reader.optional_object("mqtt");
  std::uint16_t mqtt_port = device.mqtt.port;
  if (mqtt != nullptr) mqtt_port = port_at(base::JsonReader(*mqtt, "mqtt"), "port", mqtt_port);
  const std::uint16_t data_port =
      port_at(reader, "greengrassDataPlanePort", device.data_plane.port);

  const std::string broker = reader.optional_string("iotDataEndpoint").value_or("");
  if (!broker.empty() || mqtt_port != device.mqtt.port) {
    settings.broker =
        parse_endpoint("iotDataEndpoint", broker.empty() ? device.mqtt.host : broker, mqtt_port);
  }
  std::string data_plane = reader.optional_string("greengrassDataPlaneEndpoint").value_or("");
  if (data_plane.empty()) data_plane = reader.optional_string("iotCredEndpoint").value_or("");
  if (data_plane.empty() || data_plane == "iotdata") {
    data_plane = settings.broker && !broker.empty() ? settings.broker->host : "";
  }
  if (!data_plane.empty() || data_port != device.data_plane.port) {
    settings.data_plane =
        parse_endpoint("greengrassDataPlaneEndpoint",
                       data_plane.empty() ? device.data_plane.host : data_plane, data_port);
  }
  if (settings.broker == fleet::Endpoint(device.mqtt)) settings.broker.reset();
  if (settings.data_plane == fleet::Endpoint(device.data_plane)) settings.data_plane.reset();

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

std::optional<fleet::ServerAddress> address_to_try(const fleet::ServerAddresses& addresses,
                                                   const DeviceConfig& enrolled,
                                                   const NetworkSettings& settings) {
  const fleet::ServerAddress home{enrolled.mqtt, enrolled.data_plane};
  const fleet::ServerAddress here = settings.moved_to.value_or(home);
  if (addresses.now == here || addresses.now == settings.told) return std::nullopt;
  if (!addresses.was_at(here) && !addresses.was_at(home)) return std::nullopt;
  return addresses.now;
}

void keep_told_address(NetworkSettings& settings, const DeviceConfig& enrolled) {
  settings.moved_to = std::exchange(settings.told, std::nullopt);
  settings.told_why.clear();
  const fleet::ServerAddress home{enrolled.mqtt, enrolled.data_plane};
  if (settings.moved_to == home) settings.moved_to.reset();
}

std::string to_text(const NetworkSettings& settings) {
  json::array others;
  for (const fleet::Endpoint& one : settings.other_brokers) others.push_back(to_json(one));
  json::object object{{"broker", endpoint_value(settings.broker)},
                      {"dataPlane", endpoint_value(settings.data_plane)},
                      {"otherBrokers", std::move(others)},
                      {"proxy", settings.proxy},
                      {"noProxy", settings.no_proxy},
                      {"state", name_of(settings.state)},
                      {"why", settings.why}};
  if (settings.moved_to) object["movedTo"] = to_json(*settings.moved_to);
  if (settings.told) {
    object["told"] = to_json(*settings.told);
    object["toldState"] = name_of(settings.told_state);
    object["toldWhy"] = settings.told_why;
  }
  return base::to_text(object);
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
  settings.state = state_of(reader.string("state"));
  settings.why = reader.optional_string("why").value_or("");
  if (reader.has("movedTo")) {
    settings.moved_to = fleet::read_server_address(reader.child("movedTo"));
  }
  if (reader.has("told")) {
    settings.told = fleet::read_server_address(reader.child("told"));
    settings.told_state = state_of(reader.string("toldState"));
    settings.told_why = reader.optional_string("toldWhy").value_or("");
  }
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

DeviceConfig with_move(DeviceConfig enrolled, const NetworkSettings& settings) {
  const auto go_to = [&enrolled](const fleet::ServerAddress& address) {
    enrolled.mqtt = address.mqtt;
    enrolled.data_plane = address.data_plane;
  };
  if (settings.moved_to) {
    enrolled.other_brokers.push_back(enrolled.mqtt);
    go_to(*settings.moved_to);
  }
  if (settings.tries_move()) go_to(*settings.told);
  return enrolled;
}

DeviceConfig with_network(DeviceConfig enrolled, const NetworkSettings& settings) {
  DeviceConfig device = with_move(std::move(enrolled), settings);
  if (!settings.proxy.empty()) device.proxy = settings.proxy;
  device.no_proxy = settings.no_proxy;
  std::vector<fleet::Endpoint> others = settings.other_brokers;
  if (settings.state != NetworkState::failed) {
    if (settings.broker) others.push_back(std::exchange(device.mqtt, *settings.broker));
    if (settings.data_plane) device.data_plane = *settings.data_plane;
  }
  others.insert(others.end(), device.other_brokers.begin(), device.other_brokers.end());
  // One that answers in the place of what is on trial would pass for it.
  if (settings.tries_move() || (settings.tries_deployment() && settings.broker)) others.clear();
  device.other_brokers = std::move(others);
  return device;
}

const std::vector<std::string>& proxy_variables() {
  static const std::vector<std::string> names{"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
                                              "all_proxy", "http_proxy", "https_proxy", "no_proxy"};
  return names;
}

std::string proxy_url(std::string url, std::string_view what) {
  const std::size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end);
  if (scheme_end == std::string::npos ||
      (scheme != "http" && scheme != "https" && scheme != "socks5" && scheme != "socks5h")) {
    throw base::Error(
        base::ErrorCode::invalid_argument,
        std::string(what) + " must begin with http://, https://, socks5:// or socks5h://");
  }
  while (url.ends_with('/')) url.pop_back();
  if (url.size() <= scheme_end + 3) {
    throw base::Error(base::ErrorCode::invalid_argument, std::string(what) + " names no host");
  }
  return url;
}

void put_proxy_into_environment(const DeviceConfig& device) {
  if (std::getenv(kOwnMark) != nullptr) {
    for (const std::string& name : proxy_variables()) unsetenv(name.c_str());
    unsetenv(kOwnMark);
  }
  if (device.proxy.empty()) return;
  setenv(kOwnMark, "1", 1);
  for (const std::string& name : proxy_variables()) {
    const bool is_exception = name == "NO_PROXY" || name == "no_proxy";
    setenv(name.c_str(), is_exception ? device.no_proxy.c_str() : device.proxy.c_str(), 1);
  }
}

}  // namespace andon::edge
