// SPDX-License-Identifier: Apache-2.0
// How many of the processor's cores this process may use: the kernel's affinity and the quotas of
// the cgroups, which std::thread::hardware_concurrency does not know all of. Any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"

namespace andon::base {

// Those that the calling thread may run on, by the kernel's numbers, ascending.
[[nodiscard]] std::vector<int> allowed_cores();

// How many of them may be kept busy: no more than the quota of the cgroups, rounded up; at least 1.
[[nodiscard]] int usable_cores();

// The quota of this process' cgroups (version 2 or 1) and of those above them, in cores rounded up;
// nothing where there is none. `membership` is the text of /proc/self/cgroup.
[[nodiscard]] std::optional<int> quota_cores(const fs::path& root, std::string_view membership);

}  // namespace andon::base
