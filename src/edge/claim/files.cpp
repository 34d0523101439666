// SPDX-License-Identifier: Apache-2.0
#include "edge/claim/files.hpp"

#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/time/time.hpp"
#include "edge/claim/claim.hpp"
#include "edge/cloud/provision.hpp"
#include "fleet/names/arn.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "trust/keys/certificate.hpp"
#include "trust/keys/private_key.hpp"
#include "trust/openssl/pem_limit.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMaxConfigBytes = 1U << 20U;
constexpr std::uint16_t kMqttPort = 8883;
constexpr std::uint16_t kDataPlanePort = 8443;
// Values are texts in some of these files: ports, too.
constexpr base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values,
                                     .empty_is_absent = true};

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, why);
}

std::uint16_t port_of(const JsonReader& reader, std::string_view key, std::uint16_t usual) {
  return static_cast<std::uint16_t>(reader.optional_integer(key, 1, UINT16_MAX).value_or(usual));
}

// By classic's name, else by lite's.
JsonReader nucleus_of(const JsonReader& config) {
  const JsonReader services = config.child("services");
  const char* const name = services.has("aws.greengrass.Nucleus") ? "aws.greengrass.Nucleus"
                                                                  : "aws.greengrass.NucleusLite";
  return services.child(name).child("configuration");
}

// "file:///greengrass/v2/device.key", as the nucleus writes it for its key providers.
std::string without_file_scheme(std::string path) {
  constexpr std::string_view kFile = "file://";
  return path.starts_with(kFile) ? path.substr(kFile.size()) : path;
}

void check(const DeviceFiles& files, const std::string& certificate, const std::string& ca,
           const trust::PrivateKey& key) {
  if (!fleet::is_thing_name(files.thing_name)) {
    refuse("the thing's name must be 1 to 128 of the characters a-z A-Z 0-9 : _ -");
  }
  const auto in_file = [](const fs::path& file, const std::string& what, Error error) {
    return error.with_context(what + " " + file.string());
  };
  try {
    static_cast<void>(trust::describe_certificate(ca));
  } catch (const Error& error) {
    throw in_file(files.ca, "the CA", error);
  }
  try {
    if (trust::describe_certificate(certificate).not_after < base::SystemClock().now()) {
      refuse("it is over");
    }
    if (!trust::is_key_of(key, certificate)) {
      refuse("it does not belong to the key " + files.private_key);
    }
  } catch (const Error& error) {
    throw in_file(files.certificate, "the certificate", error);
  }
}

}  // namespace

DeviceFiles parse_greengrass_config(std::string_view text, const std::string& file) {
  const json::value value = recipe::parse_json_or_yaml(text, file, {.max_bytes = kMaxConfigBytes});
  const JsonReader config(value, file, kReading);
  const JsonReader system = config.child("system");
  const JsonReader nucleus = nucleus_of(config);
  DeviceFiles files;
  files.certificate = without_file_scheme(system.required_text("certificateFilePath"));
  files.private_key = without_file_scheme(system.required_text("privateKeyPath"));
  files.ca = without_file_scheme(system.required_text("rootCaPath"));
  files.thing_name = system.required_text("thingName");
  const std::uint16_t mqtt_port = port_of(nucleus.child_or_empty("mqtt"), "port", kMqttPort);
  files.mqtt =
      parse_endpoint(nucleus.required_text("iotDataEndpoint"), mqtt_port, "iotDataEndpoint");
  const std::uint16_t data_port = port_of(nucleus, "greengrassDataPlanePort", kDataPlanePort);
  // "iotdata": where the broker is. Without it, where credentials are: an andon server has both at
  // one place, and AWS's own data plane answers to no other name than its own.
  std::string data_plane = nucleus.optional_string("greengrassDataPlaneEndpoint").value_or("");
  const bool is_with_broker = data_plane == "iotdata";
  if (data_plane.empty()) data_plane = nucleus.optional_string("iotCredEndpoint").value_or("");
  files.data_plane = is_with_broker || data_plane.empty()
                         ? fleet::Endpoint{files.mqtt.host, data_port}
                         : parse_endpoint(data_plane, data_port, "iotCredEndpoint");
  files.region = nucleus.optional_string("awsRegion").value_or("local");
  files.role_alias = nucleus.optional_string("iotRoleAlias").value_or("");
  return files;
}

DeviceConfig provision_by_files(const Layout& layout, const DeviceFiles& files) {
  const std::string certificate = base::read_file(files.certificate, trust::kMaxPemBytes);
  const std::string ca = base::read_file(files.ca, trust::kMaxPemBytes);
  const bool is_uri = trust::is_key_uri(files.private_key);
  check(files, certificate, ca, trust::load_private_key(files.private_key));
  layout.make();
  const base::FileLock lock(layout.lock());
  DeviceConfig config;
  config.thing_name = files.thing_name;
  config.region = files.region;
  config.mqtt = files.mqtt;
  config.data_plane = files.data_plane;
  if (!files.role_alias.empty()) config.role_alias = files.role_alias;
  if (is_uri) config.private_key = files.private_key;
  if (const auto existing = load_device_config(layout)) {
    if (existing->thing_name != config.thing_name || existing->data_plane != config.data_plane) {
      throw Error(ErrorCode::failed_precondition,
                  "this device is already '" + existing->thing_name + "' of " +
                      existing->data_plane_url() +
                      "; to make it another one, give another --root or remove " +
                      layout.config().string());
    }
  }
  // A copy of its own: the files may lie where another nucleus is about to be removed.
  if (!is_uri) {
    base::write_file_atomically(private_key_file(layout),
                                base::read_file(files.private_key, trust::kMaxPemBytes), 0600);
  }
  base::write_file_atomically(ca_file(layout), ca);
  base::write_file_atomically(certificate_file(layout), certificate);
  fs::remove(network_file(layout));
  base::write_file_atomically(layout.device_file(), base::to_pretty_text(to_json(config)));
  return config;
}

}  // namespace andon::edge
