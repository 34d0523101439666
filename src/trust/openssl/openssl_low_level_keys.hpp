// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's keys of one kind each, through whose methods alone a key can be used that is
// elsewhere. OpenSSL 3 calls them deprecated: OPENSSL_SUPPRESS_DEPRECATED comes before.
#pragma once

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <memory>

#include "trust/openssl/openssl_pointers.hpp"

namespace andon::trust {

using EcKeyPtr = std::unique_ptr<EC_KEY, Freer<EC_KEY_free>>;
using RsaPtr = std::unique_ptr<RSA, Freer<RSA_free>>;

}  // namespace andon::trust
