// SPDX-License-Identifier: Apache-2.0
// The agent as shipped, but killed (SIGKILL) right after it has journalled the deployment state
// that ANDON_FAULT_AFTER_STATE names. Tests only: `crashing_agent run --root DIR`.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/log/log.hpp"
#include "edge/agent/agent.hpp"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const char* const fatal = std::getenv("ANDON_FAULT_AFTER_STATE");
  andon::base::start_logging("crashing_agent", andon::base::LogLevel::info,
                             andon::base::LogFormat::human);
  andon::edge::AgentOptions options;
  options.root = argv[3];
  options.on_journalled = [fatal](andon::edge::DeploymentState state) {
    if (fatal != nullptr && std::string_view(fatal) == to_string(state)) kill(getpid(), SIGKILL);
  };
  static_cast<void>(andon::edge::Agent(std::move(options)).run());
  return 0;
}
