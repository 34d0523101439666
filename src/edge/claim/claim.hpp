// SPDX-License-Identifier: Apache-2.0
// Room: claim. How a device is provisioned without a token: by files (files.hpp) or by a claim, as
// AWS IoT's fleet provisioning has it: connects to the broker with the claim's certificate, has the
// key that is made here signed, and gets its place by a template. Called by `andon-edge provision`.
// What the server has offered is kept until the device has its place, so after a kill anywhere the
// same command goes on with the same certificate; device.json is written last.
#pragma once

#include <map>
#include <string>

#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::edge {

struct Claim {
  fs::path certificate;
  std::string private_key;  // as trust::load_private_key() takes it
  fs::path ca;              // of the server
  std::string device_key;   // where the device's own is (own_key()); empty: a file that is made
  std::string template_name;
  std::map<std::string, std::string> parameters;
  fleet::Endpoint mqtt;
  fleet::Endpoint data_plane;
  std::string region;
};

// "host:8883"; the port may be left out. Throws invalid_argument naming `option`.
[[nodiscard]] fleet::Endpoint parse_endpoint(const std::string& text, std::uint16_t standard_port,
                                             const std::string& option);

// A device that is provisioned already stays as it is. Throws failed_precondition where that is for
// another server, permission_denied or invalid_argument for what the server refuses, unavailable
// where the broker does not let the claim in or does not answer.
DeviceConfig provision_by_claim(const Layout& layout, const Claim& claim);

}  // namespace andon::edge
