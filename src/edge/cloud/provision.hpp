// SPDX-License-Identifier: Apache-2.0
// Enrols a device with a one-time token: makes the key here (it never leaves), or uses one of
// a TPM or token, checks the server's
// CA by the fingerprint in the token, and gets a certificate. Called by `andon-edge provision`.
// After a kill anywhere, the same command goes on: the key is kept, the server gives the same key
// a certificate again, and device.json is written last.
#pragma once

#include "base/error/error.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "trust/keys/private_key.hpp"

namespace andon::edge {

// How the server is reached by now (builtin/network_settings.hpp): gone with a new enrolment.
[[nodiscard]] fs::path network_file(const Layout& layout);

// The device's private key: where its place is not named (`source` is empty) the file of the
// device, made where a provisioning that was cut off has not made it; else what
// trust::load_private_key() finds by it.
[[nodiscard]] trust::PrivateKey own_key(const Layout& layout, const std::string& source);

// What ends a provisioning of a device that has its place at another server.
[[nodiscard]] base::Error of_another_server(const DeviceConfig& existing, const Layout& layout);

// A device that was provisioned with this very token stays as it is; with another one of the same
// server it gets a new certificate for the key that it has, as one does whose certificate was
// revoked. Throws failed_precondition for another server or another thing, permission_denied for a
// token that was used or is over, data_corrupted for a CA that is not the token's.
// `key` is where the device's key is (own_key()); empty: where it was before. `proxy` is the URL of
// the one by which it reaches the server, now and later; empty: none.
DeviceConfig provision(const Layout& layout, const fleet::EnrolmentToken& token,
                       const std::string& key = {}, const std::string& proxy = {});

}  // namespace andon::edge
