// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/device_restart.hpp"

#include <chrono>
#include <optional>
#include <thread>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/process.hpp"

namespace andon::edge {
namespace {

// For a device to go down that was told to.
constexpr std::chrono::minutes kLimit{10};

void go_on(const std::string& command, const std::string& why) {
  base::log_error("the device was not restarted; going on without",
                  {{"command", command}, {"why", why}});
}

}  // namespace

void restart_device(const std::string& command, const base::ServiceManager& service) {
  base::ProcessOptions options;
  options.arguments = {"/bin/sh", "-c", command};
  options.inherited = base::Inherited::nothing;
  options.environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  try {
    base::Process process(options);
    std::optional<base::ExitStatus> status;
    while (!status && std::chrono::steady_clock::now() < limit) {
      service.alive();
      status = process.wait(std::chrono::seconds{1});
    }
    if (!status) return go_on(command, "the command did not end");
    if (!status->ok()) return go_on(command, base::to_string(*status));
    while (std::chrono::steady_clock::now() < limit) {
      service.alive();
      std::this_thread::sleep_for(std::chrono::seconds{1});
    }
    go_on(command, "it did not go down");
  } catch (const base::Error& error) {
    go_on(command, error.message());
  }
}

}  // namespace andon::edge
