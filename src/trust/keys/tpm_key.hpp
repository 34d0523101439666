// SPDX-License-Identifier: Apache-2.0
// Keys of the machine's TPM 2.0, by tpm2-openssl's provider. For load_private_key() alone. Any
// thread; the TPM does one thing at a time. Elliptic curve keys alone: they sign a TLS handshake
// in tens of milliseconds, RSA ones take ten times that and need their padding from the TPM.
// The provider is kept apart from everything else that OpenSSL does in this process: where both
// were in one library context, either the TPM would be asked for every signature and every
// ephemeral key, or OpenSSL would try to sign with a key that it has the public half of alone.
#pragma once

#include <string>
#include <string_view>

#include "trust/keys/private_key.hpp"

namespace andon::trust {

[[nodiscard]] bool is_tpm_uri(std::string_view source);
[[nodiscard]] bool is_tpm_pem(std::string_view pem);
[[nodiscard]] PrivateKey load_tpm_key(const std::string& uri);
[[nodiscard]] PrivateKey parse_tpm_key(const std::string& pem);

}  // namespace andon::trust
