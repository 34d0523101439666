// SPDX-License-Identifier: Apache-2.0
// Keys on PKCS#11 tokens, by the token's own library in this process. A token that is taken out and
// put back is found again by the next signature. For load_private_key() alone. Any thread; tokens
// do one thing at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/keys/private_key.hpp"

namespace andon::trust {

[[nodiscard]] bool is_pkcs11_uri(std::string_view source);
[[nodiscard]] PrivateKey load_pkcs11_key(std::string_view uri);

// A PKCS#11 URI (RFC 7512): which key, and how its token is reached. What is empty was not said.
struct Pkcs11Uri {
  std::string key;  // the URI without its query
  std::string object;
  std::string id;  // bytes
  std::string token;
  std::string manufacturer;
  std::string serial;
  std::string model;
  std::optional<unsigned long> slot;
  std::string module_path;  // empty: the one that p11-kit has for all of them
  std::string pin_file;     // that holds its PIN
  std::string pin;          // where it is in the URI; both empty: the token needs none
};
// Throws invalid_argument for what is no such URI. Reads no file.
[[nodiscard]] Pkcs11Uri read_pkcs11_uri(std::string_view uri);

}  // namespace andon::trust
