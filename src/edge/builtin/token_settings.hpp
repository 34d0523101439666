// SPDX-License-Identifier: Apache-2.0
// What Greengrass says of a device's key on a PKCS#11 token: the configuration of its component
// aws.greengrass.crypto.Pkcs11Provider, and the file that its nucleus was installed with. Pure but
// for what is said; any thread. PINs are in no error's text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/fwd.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

inline constexpr std::string_view kPkcs11Provider = "aws.greengrass.crypto.Pkcs11Provider";

// Which token, and how it is reached; what is empty was not said.
struct TokenSettings {
  std::string library;  // an absolute path
  std::optional<unsigned long> slot;
  std::string pin;
};

// Throws invalid_argument, by the name of the member.
[[nodiscard]] TokenSettings read_token_settings(const base::json::object& configuration);

// What a deployment's configuration says otherwise than the device's key (as private_key_of() has
// it) does; empty: nothing. The key is the one of its enrolment, whatever a deployment says.
[[nodiscard]] std::string how_token_differs(const std::string& key,
                                            const base::json::object& configuration);

// Where the PIN of a device that was brought from Greengrass is.
[[nodiscard]] fs::path token_pin_file(const Layout& layout);

// The key of a device that was installed with Greengrass' config.yaml (or its
// effectiveConfig.yaml).
struct GreengrassKey {
  std::string source;  // as trust::load_private_key() takes it
  std::string pin;     // to be written to `pin_file`; empty: none is needed
  bool has_certificate_on_token = false;
};
// JSON or YAML of at most 4 MiB. Throws invalid_argument for what is no such file, or where it does
// not say what is needed.
[[nodiscard]] GreengrassKey read_greengrass_key(std::string_view text, const std::string& pin_file);

}  // namespace andon::edge
