// SPDX-License-Identifier: Apache-2.0
// The processor's cores as an option names them, and keeping a thread on one of them. Which of them
// this process may use is base/os/cores's. Any thread.
#pragma once

#include <pthread.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace andon::vision {

// "0,2-3", in that order. Throws invalid_argument for what is no such list or names a core twice.
[[nodiscard]] std::vector<int> parse_core_list(std::string_view text);
[[nodiscard]] std::string core_list(std::span<const int> cores);

// Throws invalid_argument that names a core which is not among `allowed`.
void check_cores(std::span<const int> cores, std::span<const int> allowed);

// Keeps a thread on one core. Throws where the system refuses.
void keep_on_core(pthread_t thread, int core);

// The same for the calling thread, until its life ends on that thread; then where it could be
// before.
class OnOneCore {
 public:
  explicit OnOneCore(int core);
  OnOneCore(const OnOneCore&) = delete;
  OnOneCore& operator=(const OnOneCore&) = delete;
  ~OnOneCore();

 private:
  std::vector<int> before_;
};

}  // namespace andon::vision
