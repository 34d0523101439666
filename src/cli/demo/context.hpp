// SPDX-License-Identifier: Apache-2.0
// What every step of the demo works with: where things are, the children, the clients, and how to
// wait. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "cli/demo/demo.hpp"
#include "cli/demo/output.hpp"
#include "cli/demo/processes.hpp"
#include "cli/demo/results.hpp"
#include "cli/terminal/aws_client.hpp"
#include "cli/terminal/terminal.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::cli {

struct DemoPorts {
  std::uint16_t api;
  std::uint16_t device_plane;
  std::uint16_t mqtt;
};
// The documented ports where they are free, others where not.
[[nodiscard]] DemoPorts choose_ports();

// SIGINT and SIGTERM are noted from now on instead of ending the process.
void note_interrupts();
[[nodiscard]] bool interrupted();

struct DemoContext {
  explicit DemoContext(const DemoOptions& demo_options);

  // Repeats `call` while it fails for a reason that may pass (the server was killed and is being
  // restarted), at most until the demo's deadline; `what` begins the error then.
  template <typename Call>
  auto retry(const std::string& what, const Call& call) {
    while (true) {
      try {
        return call();
      } catch (base::Error& error) {
        if (!may_pass(error)) throw base::Error(error).with_context(what);
        if (std::chrono::steady_clock::now() >= deadline) {
          throw base::Error(error).with_context(
              what + " within " + std::to_string(options.timeout.count()) + " s (--timeout)");
        }
      }
      idle(std::chrono::milliseconds{100});
    }
  }

  // Looks after the children and takes in results for `duration`. Throws cancelled when
  // interrupted.
  void idle(std::chrono::milliseconds duration);
  // Idles until `condition` holds. Throws deadline_exceeded saying `what` has not happened.
  void wait_until(const std::string& what, const std::function<bool()>& condition);

  const DemoOptions& options;
  DemoOutput output;
  base::fs::path state;  // <out>/state, made anew
  std::chrono::steady_clock::time_point deadline;
  DemoPorts ports;
  std::vector<base::fs::path> job_paths;  // what the server shows to jobs; before it starts
  base::SystemClock clock;
  Terminal terminal;
  DemoResults results;
  SupervisedProcesses processes;
  std::unique_ptr<AwsClient> aws;
  std::unique_ptr<wire::MqttClient> mqtt;

 private:
  [[nodiscard]] static bool may_pass(const base::Error& error);
};

}  // namespace andon::cli
