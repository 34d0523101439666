// SPDX-License-Identifier: Apache-2.0
#include "edge/state/device_config.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/id.hpp"
#include "fleet/names/arn.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::size_t kSecretBytes = 32;

}  // namespace

fs::path private_key_file(const Layout& layout) {
  return layout.config() / "device.key";
}
fs::path certificate_file(const Layout& layout) {
  return layout.config() / "device.crt";
}
fs::path ca_file(const Layout& layout) {
  return layout.config() / "ca.crt";
}

std::string private_key_of(const DeviceConfig& config, const Layout& layout) {
  return config.private_key.empty() ? private_key_file(layout).string() : config.private_key;
}

std::string load_or_make_secret(const fs::path& file) {
  const auto found = base::read_file_if_exists(file, 2 * kSecretBytes);
  if (found && found->size() == kSecretBytes) return *found;
  std::string secret = base::random_bytes(kSecretBytes);
  base::write_file_atomically(file, secret, 0600);
  return secret;
}

json::object to_json(const DeviceConfig& config) {
  json::object object{{"thingName", config.thing_name},
                      {"region", config.region},
                      {"mqtt", to_json(config.mqtt)},
                      {"dataPlane", to_json(config.data_plane)},
                      {"roleAlias", config.role_alias}};
  if (!config.token_sha256.empty()) object["tokenSha256"] = config.token_sha256;
  if (!config.private_key.empty()) object["privateKey"] = config.private_key;
  return object;
}

DeviceConfig parse_device_config(const json::value& value) {
  const base::JsonReader reader(value, "device configuration");
  DeviceConfig config;
  config.thing_name = reader.string("thingName");
  if (!fleet::is_thing_name(config.thing_name)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "thingName must be 1 to 128 of the characters a-z A-Z 0-9 : _ -");
  }
  config.region = reader.optional_string("region").value_or("local");
  config.mqtt = fleet::read_endpoint(reader.child("mqtt"));
  config.data_plane = fleet::read_endpoint(reader.child("dataPlane"));
  config.role_alias = reader.optional_string("roleAlias").value_or(config.role_alias);
  config.token_sha256 = reader.optional_string("tokenSha256").value_or("");
  config.private_key = reader.optional_string("privateKey").value_or("");
  return config;
}

std::optional<DeviceConfig> load_device_config(const Layout& layout) {
  const auto text = base::read_file_if_exists(layout.device_file(), 1U << 20U);
  if (!text) return std::nullopt;
  return parse_device_config(base::parse_json(*text, layout.device_file().string()));
}

}  // namespace andon::edge
