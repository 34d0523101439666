// SPDX-License-Identifier: Apache-2.0
#include "server/start/ports.hpp"

#include <unistd.h>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "server/broker/listening_port.hpp"

namespace andon::server {
namespace {

using base::fs::path;

path ports_file(const path& data) {
  return data / "ports.json";
}
path announcement_file(const path& data) {
  return data / "server.json";
}

Ports remembered_ports(const path& data) {
  const auto text = base::read_file_if_exists(ports_file(data));
  if (!text) return {};
  try {
    const base::json::value document = base::parse_json(*text, "ports.json");
    const base::JsonReader reader(document, "ports");
    const auto port = [&reader](std::string_view name) {
      return static_cast<std::uint16_t>(reader.optional_integer(name).value_or(0) & 0xffff);
    };
    return {port("api"), port("device"), port("mqtt"), port("mqttUsers")};
  } catch (const base::Error& error) {
    base::log_warning("the ports of the last start are not known", {{"reason", error.message()}});
    return {};
  }
}

std::uint16_t choose(const std::string& address, std::uint16_t wanted, std::uint16_t remembered,
                     const std::string& option) {
  if (wanted == 0) return choose_port(address, remembered);
  require_free_port(address, wanted, option);
  return wanted;
}

std::string in_url(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Ports choose_ports(const ServerOptions& options) {
  const Ports last = remembered_ports(options.data);
  Ports ports;
  ports.api = choose(options.api_address, options.api_port, last.api, "--api-port");
  do {
    ports.device =
        choose(options.device_address, options.device_port, last.device, "--device-port");
  } while (ports.device == ports.api && options.device_port == 0);
  do {
    ports.mqtt = choose(options.device_address, options.mqtt_port, last.mqtt, "--mqtt-port");
  } while ((ports.mqtt == ports.api || ports.mqtt == ports.device) && options.mqtt_port == 0);
  const auto is_taken = [&ports](std::uint16_t port) {
    return port == ports.api || port == ports.device || port == ports.mqtt;
  };
  ports.mqtt_users = options.mqtt_users_port;
  for (std::uint16_t like = last.mqtt_users;
       ports.mqtt_users == 0 || (options.mqtt_users_port == 0 && is_taken(ports.mqtt_users));
       like = 0) {
    ports.mqtt_users = choose_port(options.device_address, like);
  }
  if (ports != last) {
    base::write_file_atomically(ports_file(options.data),
                                base::to_text({{"api", ports.api},
                                               {"device", ports.device},
                                               {"mqtt", ports.mqtt},
                                               {"mqttUsers", ports.mqtt_users}}) +
                                    "\n");
  }
  return ports;
}

ServerUrls server_urls(const ServerOptions& options, const Ports& ports) {
  const std::string& host = options.hosts.front();
  const bool is_local = is_loopback(options.api_address);
  return {.api = (is_local ? "http://" + in_url(options.api_address) : "https://" + in_url(host)) +
                 ":" + std::to_string(ports.api),
          .device_plane = "https://" + in_url(host) + ":" + std::to_string(ports.device),
          .mqtt_host = host,
          .mqtt_port = ports.mqtt};
}

void announce(const path& data, const ServerUrls& urls, const path& trusted) {
  base::json::object told{{"api", urls.api},
                          {"devicePlane", urls.device_plane},
                          {"mqtt", {{"host", urls.mqtt_host}, {"port", urls.mqtt_port}}}};
  if (!trusted.empty()) told["caFile"] = trusted.string();
  base::write_file_atomically(announcement_file(data), base::to_pretty_text(told));
}

void withdraw_announcement(const path& data) {
  unlink(announcement_file(data).c_str());
}

}  // namespace andon::server
