// SPDX-License-Identifier: Apache-2.0
// The agent as shipped, but killed (SIGKILL) right after it has journalled the deployment step
// that ANDON_FAULT_AFTER_STATE names; which there are, it says itself. Tests only:
// `crashing_agent run --root DIR`, `crashing_agent --list-states`.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/log/log.hpp"
#include "edge/agent/agent.hpp"
#include "edge/deploy/deployment_engine.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list-states") {
    for (const std::string_view step : andon::edge::DeploymentEngine::steps()) {
      fmt::print("{}\n", step);
    }
    return 0;
  }
  if (argc != 4) return 2;
  const char* const fatal = std::getenv("ANDON_FAULT_AFTER_STATE");
  andon::base::start_logging("crashing_agent", andon::base::LogLevel::info,
                             andon::base::LogFormat::human);
  andon::edge::AgentOptions options;
  options.root = argv[3];
  options.on_journalled = [fatal](std::string_view step) {
    if (fatal != nullptr && step == fatal) kill(getpid(), SIGKILL);
  };
  static_cast<void>(andon::edge::Agent(std::move(options)).run());
  return 0;
}
