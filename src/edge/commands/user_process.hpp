// SPDX-License-Identifier: Apache-2.0
// A program that somebody elsewhere wants run here, as an unprivileged user: its output as it
// comes, its whole process group killed at the end of its time. Blocks; the calling thread must
// live for as long as it runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/process.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/process/run_as.hpp"

namespace andon::edge {

struct UserProcess {
  std::vector<std::string> arguments;
  RunAs who;
  std::string input;  // what it reads from standard input
};

// The user that is named. Throws failed_precondition for one with all rights, and where none is
// named to an agent that is not root: its own can read the device's key.
[[nodiscard]] RunAs unprivileged_user(std::string_view name);

// Throws cancelled, and what `on_output` throws.
[[nodiscard]] base::ExitStatus run_user_process(
    const UserProcess& wanted, const Cancellation& cancellation,
    const std::function<void(std::string_view bytes, bool is_error_output)>& on_output);

}  // namespace andon::edge
