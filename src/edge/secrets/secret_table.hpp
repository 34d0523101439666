// SPDX-License-Identifier: Apache-2.0
// Rows of secrets in config.db. Their values are sealed with a key that only the device's private
// key leads to, and bound to the secret and the version: neither a copy of the database nor a row
// in another's place gives one away. Within the caller's transaction, on any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "edge/secrets/secret_source.hpp"
#include "edge/state/device_config.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/seal.hpp"

namespace andon::edge {

// HKDF with SHA-256 (RFC 5869) of the private key's PEM text: another key of the device is another
// key for its secrets.
[[nodiscard]] trust::SealingKey secret_key_of(std::string_view private_key_pem);
// Of this device. Where its private key is on a token or in the TPM, which give no bytes of it
// away, of a secret in config/secrets.key.
[[nodiscard]] trust::SealingKey secret_key_of(const DeviceConfig& device, const Layout& layout);

// What is kept of one secret, without its values.
struct KeptSecret {
  std::string arn;
  std::string name;
  std::map<std::string, std::vector<std::string>> versions;  // stages by version

  friend bool operator==(const KeptSecret&, const KeptSecret&) = default;
};

// By the name or ARN that the configuration has. A row that cannot be read counts as absent.
[[nodiscard]] std::map<std::string, KeptSecret> read_kept_secrets(store::Transaction& transaction);

// In the place of all that was kept of it; no versions: nothing is.
void write_secret(store::Transaction& transaction, const trust::SealingKey& key,
                  const std::string& id, const std::vector<SecretVersion>& versions);
void forget_secret(store::Transaction& transaction, const std::string& id);

// The answer of GetSecretValue. Throws data_corrupted for a row that is gone, damaged, or sealed
// with another key.
[[nodiscard]] base::json::object read_secret(store::Transaction& transaction,
                                             const trust::SealingKey& key, const std::string& id,
                                             const std::string& version);

}  // namespace andon::edge
