// SPDX-License-Identifier: Apache-2.0
// Keys of which this process has the public half alone: a TPM or a token signs for them. For
// what loads such keys. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "trust/keys/private_key.hpp"

namespace andon::trust {

enum class SignatureKind {
  ecdsa,      // of a digest; the answer is DER
  rsa_pkcs1,  // of at most the modulus' size less 11 bytes, to be padded as PKCS #1 has it
  rsa_raw,    // of as many bytes as the modulus has, which are padded already
};

// The signature of `input`. Called by OpenSSL whenever it needs one, on any thread; may throw,
// and the signature has failed then. What it refers to must live as long as the key.
using Sign = std::function<std::string(SignatureKind kind, std::string_view input)>;

// A key for all that OpenSSL does with private keys, handshakes above all. Throws unsupported
// where `public_half` is neither of an elliptic curve nor RSA.
[[nodiscard]] PrivateKey delegated_key(evp_pkey_st* public_half, Sign sign);

}  // namespace andon::trust
