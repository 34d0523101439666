// SPDX-License-Identifier: Apache-2.0
// Provisions a device by files that somebody has laid there: its certificate, its key and its
// server's CA, as AWS IoT gives them out, or the config.yaml of a Greengrass nucleus that names
// them. Nobody is asked: whether the server takes the certificate shows at the first connection.
// Called by `andon-edge provision`; device.json is written last.
#pragma once

#include <string>
#include <string_view>

#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::edge {

struct DeviceFiles {
  fs::path certificate;
  std::string private_key;  // a file, which is copied, or a key's URI (trust/keys/private_key.hpp)
  fs::path ca;              // of the server
  std::string thing_name;
  fleet::Endpoint mqtt;
  fleet::Endpoint data_plane;
  std::string region;
  std::string role_alias;  // empty: the agent's default
};

// What the config.yaml of a nucleus (classic or lite) says: system.certificateFilePath,
// privateKeyPath, rootCaPath, thingName; and of the configuration of aws.greengrass.Nucleus or
// NucleusLite iotDataEndpoint, iotCredEndpoint, greengrassDataPlaneEndpoint,
// greengrassDataPlanePort, mqtt.port, iotRoleAlias, awsRegion. `file` is its name, for messages.
// Throws invalid_argument that names what is missing or malformed.
[[nodiscard]] DeviceFiles parse_greengrass_config(std::string_view text, const std::string& file);

// The same device again stays as it is, with the files that lie there now. Throws
// failed_precondition where it is another device or another server's, invalid_argument where the
// files do not belong together.
DeviceConfig provision_by_files(const Layout& layout, const DeviceFiles& files);

}  // namespace andon::edge
