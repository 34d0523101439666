// SPDX-License-Identifier: Apache-2.0
// The processor's cores: which of them this process may use, and keeping a thread on one of them.
// Any thread.
#pragma once

#include <pthread.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace andon::vision {

// Those that the calling thread may run on, by the kernel's numbers, ascending.
[[nodiscard]] std::vector<int> allowed_cores();

// How many of them may be kept busy: no more than the quota of the cgroups, rounded up.
[[nodiscard]] int usable_cores();

// "0,2-3", in that order. Throws invalid_argument for what is no such list or names a core twice.
[[nodiscard]] std::vector<int> parse_core_list(std::string_view text);
[[nodiscard]] std::string core_list(std::span<const int> cores);

// Throws invalid_argument that names a core which is not among `allowed`.
void check_cores(std::span<const int> cores, std::span<const int> allowed);

// Keeps a thread on one core. Throws where the system refuses.
void keep_on_core(pthread_t thread, int core);

// The quota of this process' cgroups (version 2 or 1) and of those above them, in cores rounded up;
// nothing where there is none. `membership` is the text of /proc/self/cgroup.
[[nodiscard]] std::optional<int> quota_cores(const base::fs::path& root,
                                             std::string_view membership);

}  // namespace andon::vision
