// SPDX-License-Identifier: Apache-2.0
// What somebody elsewhere needs to find out what is wrong with a device, in one tar archive: its
// status, what the doctor found, the newest deployments with their failures, the ends of all
// components' logs. Keys, certificates and what components are configured with are not in it.
// Reads only; bounded. Blocks; any thread but the agent's loop.
#pragma once

#include <cstddef>
#include <string>

#include "edge/state/layout.hpp"

namespace andon::edge {

struct BundleLimits {
  std::size_t log_bytes = 256U << 10U;  // of the end of each log
  std::size_t all_bytes = 8U << 20U;    // what does not fit is left out, and named
};

// The bytes of the archive.
[[nodiscard]] std::string make_support_bundle(const Layout& layout,
                                              const BundleLimits& limits = {});

// The last `bytes` of a file, from the beginning of a line; empty where there is none.
[[nodiscard]] std::string end_of_file(const fs::path& path, std::size_t bytes);

}  // namespace andon::edge
