// SPDX-License-Identifier: Apache-2.0
#include "edge/device_config.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

json::object endpoint_to_json(const Endpoint& endpoint) {
  return {{"host", endpoint.host}, {"port", endpoint.port}};
}

Endpoint read_endpoint(const base::JsonReader& reader) {
  Endpoint endpoint;
  endpoint.host = reader.string("host");
  const std::int64_t port = reader.integer("port");
  if (endpoint.host.empty() || port < 1 || port > 65535) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      reader.where() + ": needs a host and a port between 1 and 65535");
  }
  endpoint.port = static_cast<std::uint16_t>(port);
  return endpoint;
}

// It becomes part of topics, paths and file names.
void check_thing_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 128 || !std::ranges::all_of(name, allowed)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "thingName must be 1 to 128 of the characters a-z A-Z 0-9 : _ -");
  }
}

}  // namespace

std::string DeviceConfig::data_plane_url() const {
  const bool is_ipv6 = data_plane.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? '[' + data_plane.host + ']' : data_plane.host;
  return "https://" + host + ':' + std::to_string(data_plane.port);
}

fs::path private_key_file(const Layout& layout) {
  return layout.config() / "device.key";
}
fs::path certificate_file(const Layout& layout) {
  return layout.config() / "device.crt";
}
fs::path ca_file(const Layout& layout) {
  return layout.config() / "ca.crt";
}

json::object to_json(const DeviceConfig& config) {
  return {{"thingName", config.thing_name},
          {"region", config.region},
          {"mqtt", endpoint_to_json(config.mqtt)},
          {"dataPlane", endpoint_to_json(config.data_plane)},
          {"roleAlias", config.role_alias}};
}

DeviceConfig parse_device_config(const json::value& value) {
  const base::JsonReader reader(value, "device configuration");
  DeviceConfig config;
  config.thing_name = reader.string("thingName");
  check_thing_name(config.thing_name);
  config.region = reader.optional_string("region").value_or("local");
  config.mqtt = read_endpoint(reader.child("mqtt"));
  config.data_plane = read_endpoint(reader.child("dataPlane"));
  config.role_alias = reader.optional_string("roleAlias").value_or(config.role_alias);
  return config;
}

std::optional<DeviceConfig> load_device_config(const Layout& layout) {
  const auto text = base::read_file_if_exists(layout.device_file(), 1U << 20U);
  if (!text) return std::nullopt;
  return parse_device_config(base::parse_json(*text, layout.device_file().string()));
}

}  // namespace andon::edge
