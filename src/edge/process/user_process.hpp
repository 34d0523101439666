// SPDX-License-Identifier: Apache-2.0
// A program that is run to its end: its output as it comes, its whole process group killed when it
// is not wanted any more. Blocks; the calling thread must live for as long as it runs.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
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
  // The agent's environment, or one without anything of it.
  base::Inherited inherited = base::Inherited::nothing;
  std::map<std::string, std::string> environment = {};  // beside it
  std::optional<std::chrono::milliseconds> limit = {};  // for the whole of it
  std::chrono::milliseconds grace{0};  // between SIGTERM and SIGKILL where it has to end
};

// Throws cancelled, deadline_exceeded behind the limit, what `on_output` throws, and not_found or
// what the system says for a program that cannot be started.
[[nodiscard]] base::ExitStatus run_user_process(
    const UserProcess& wanted, const Cancellation& cancellation,
    const std::function<void(std::string_view bytes, bool is_error_output)>& on_output);

}  // namespace andon::edge
