// SPDX-License-Identifier: Apache-2.0
// Enrols a device with a one-time token: makes the key here (it never leaves), checks the server's
// CA by the fingerprint in the token, and gets a certificate. Called by `andon-edge provision`.
// After a kill anywhere, the same command goes on: the key is kept, the server gives the same key
// a certificate again, and device.json is written last.
#pragma once

#include <string>
#include <string_view>

#include "edge/device_config.hpp"
#include "edge/layout.hpp"

namespace andon::edge {

// "andon1." + base64url of {"url", "ca", "secret"}.
struct EnrolmentToken {
  std::string url;             // "https://host:8443"
  std::string ca_fingerprint;  // SHA-256 of the CA certificate's DER, lower-case hex
  std::string secret;
};
// Throws invalid_argument saying what is wrong; never repeats the secret.
[[nodiscard]] EnrolmentToken parse_enrolment_token(std::string_view text);

// A device that this server has provisioned already stays as it is. Throws failed_precondition
// where that was another server, permission_denied for a token that was used or is over,
// data_corrupted for a CA that is not the token's.
DeviceConfig provision(const Layout& layout, const EnrolmentToken& token);

}  // namespace andon::edge
