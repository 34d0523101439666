// SPDX-License-Identifier: Apache-2.0
// Whether a URL that a recipe names may be asked: a recipe is somebody else's, and what it names is
// asked from the operator's machine, in whose network there are addresses that nobody outside of it
// could ask. Looks names up; any thread.
#pragma once

#include <string>

namespace andon::cli {

// Has the host (a name or an address) an address of this machine or of a network of its own:
// loopback, private, link-local, shared, multicast, none at all? Of a name one is enough. Throws
// unavailable for a name that nobody knows.
[[nodiscard]] bool has_private_address(const std::string& host);

// Throws permission_denied for a URL with such a host, unless it has scheme, host and port of
// `named`, the URL that the operator gave ("" where it was none); invalid_argument for a URL that
// is none.
void require_public(const std::string& url, const std::string& named);

}  // namespace andon::cli
