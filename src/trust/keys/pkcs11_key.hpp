// SPDX-License-Identifier: Apache-2.0
// Keys on PKCS#11 tokens, by libp11's OpenSSL engine, which holds one module for the life of the
// process. For load_private_key() alone. Any thread.
#pragma once

#include <string_view>

#include "trust/keys/private_key.hpp"

namespace andon::trust {

[[nodiscard]] bool is_pkcs11_uri(std::string_view source);
[[nodiscard]] PrivateKey load_pkcs11_key(std::string_view uri);

// A PKCS#11 URI (RFC 7512): which key, and how its token is reached.
struct Pkcs11Uri {
  std::string key;          // the URI without its query
  std::string module_path;  // empty: the one that p11-kit has for all of them
  std::string pin;          // read from its source; empty: the token needs none
};
// Throws invalid_argument for what is no such URI, and what reading the file of its PIN
// throws.
[[nodiscard]] Pkcs11Uri read_pkcs11_uri(std::string_view uri);

}  // namespace andon::trust
