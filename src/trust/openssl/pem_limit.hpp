// SPDX-License-Identifier: Apache-2.0
// How much PEM text is read of a file, an answer or a request. Not a header of OpenSSL's.
#pragma once

#include <cstddef>

namespace andon::trust {

inline constexpr std::size_t kMaxPemBytes = 64U << 10U;

}  // namespace andon::trust
