// SPDX-License-Identifier: Apache-2.0
// Who a client of TLS is: its certificate, and the private key that proves it, which may be on a
// token or in the TPM (trust/keys/private_key.hpp). Any thread.
#pragma once

#include <string>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace andon::wire {

// Files are read, and the key is looked for, anew by each call. `private_key` is what
// trust::load_private_key() takes. Throws what that throws, and invalid_argument for a certificate
// that cannot be read or is of another key.
void use_client_certificate(ssl_ctx_st* context, const std::string& certificate_file,
                            const std::string& private_key);

}  // namespace andon::wire
