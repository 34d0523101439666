// SPDX-License-Identifier: Apache-2.0
// Which components run in a sandbox, and in which: what the device's operator says (--sandbox) and
// what the nucleus' configuration says (andonSandbox), by names of components. Values; pure but for
// sandbox_problem(); any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/configuration/configuration_store.hpp"
#include "edge/process/step_process.hpp"

namespace andon::edge {

class SandboxRules {
 public:
  // `pattern` is a component's name, or the beginning of some and '*'. Throws invalid_argument for
  // a level that there is not, and for a '*' that is not at the end.
  void add(std::string_view pattern, std::string_view level);
  // By the longest pattern.
  [[nodiscard]] std::optional<SandboxLevel> find(std::string_view component) const;

 private:
  std::map<std::string, SandboxLevel, std::less<>> levels_;
};

// "PATTERN=LEVEL" each. Throws as add() does.
[[nodiscard]] SandboxRules parse_sandbox_rules(const std::vector<std::string>& words);
// {"PATTERN": "LEVEL"} at `andonSandbox` of the nucleus' configuration. Throws as add() does.
[[nodiscard]] SandboxRules sandbox_rules_of(const Configurations& configurations);

// What holds for a component: the stricter of the two, so that a deployment can tighten and never
// loosen what the device's operator says. Nothing where neither says anything.
[[nodiscard]] std::optional<SandboxLevel> sandbox_level(const SandboxRules& device,
                                                        const SandboxRules& nucleus,
                                                        std::string_view component);
// Where nobody says anything: andon's own components are guarded, where the kernel can and they do
// not ask for all rights.
[[nodiscard]] SandboxLevel usual_sandbox_level(std::string_view component, bool is_privileged);

// Why this agent can put nobody into a sandbox; empty where it can.
[[nodiscard]] std::string sandbox_problem();

[[nodiscard]] std::string_view to_string(SandboxLevel level);

}  // namespace andon::edge
