// SPDX-License-Identifier: Apache-2.0
#include "edge/run/sandbox_policy.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/file.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"none", "guarded", "strict", "offline"};
constexpr std::string_view kNucleusName = "aws.greengrass.Nucleus";
constexpr std::string_view kKey = "andonSandbox";
constexpr std::string_view kOwnPrefix = "andon.";
constexpr unsigned kSysAdmin = 21;  // CAP_SYS_ADMIN

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::ErrorCode::invalid_argument, "sandbox: " + why);
}

}  // namespace

std::string_view to_string(SandboxLevel level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

void SandboxRules::add(std::string_view pattern, std::string_view level) {
  if (pattern.empty() || pattern.find('*') < pattern.size() - 1) {
    refuse("'" + std::string(pattern) +
           "' must be a component's name, or the beginning of names and a '*'");
  }
  const auto* const found = std::ranges::find(kLevels, level);
  if (found == kLevels.end()) {
    refuse("'" + std::string(level) + "' for " + std::string(pattern) +
           " must be none, guarded, strict or offline");
  }
  levels_[std::string(pattern)] = static_cast<SandboxLevel>(found - kLevels.begin());
}

std::optional<SandboxLevel> SandboxRules::find(std::string_view component) const {
  if (const auto exact = levels_.find(component); exact != levels_.end()) return exact->second;
  std::optional<SandboxLevel> level;
  std::size_t longest = 0;
  for (const auto& [pattern, one] : levels_) {
    if (!pattern.ends_with('*') || pattern.size() <= longest) continue;
    if (!component.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1))) continue;
    longest = pattern.size();
    level = one;
  }
  return level;
}

SandboxRules parse_sandbox_rules(const std::vector<std::string>& words) {
  SandboxRules rules;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) refuse("'" + word + "' must be COMPONENT=LEVEL");
    rules.add(std::string_view(word).substr(0, equals), std::string_view(word).substr(equals + 1));
  }
  return rules;
}

SandboxRules sandbox_rules_of(const Configurations& configurations) {
  SandboxRules rules;
  const auto nucleus = configurations.find(std::string(kNucleusName));
  if (nucleus == configurations.end()) return rules;
  const base::JsonReader reader(nucleus->second, std::string(kNucleusName));
  if (const auto* const levels = reader.optional_object(kKey)) {
    for (const auto& [pattern, level] : *levels) {
      if (!level.is_string()) refuse("the level of " + std::string(pattern) + " must be a text");
      rules.add(pattern, level.get_string());
    }
  }
  return rules;
}

std::optional<SandboxLevel> sandbox_level(const SandboxRules& device, const SandboxRules& nucleus,
                                          std::string_view component) {
  const auto one = device.find(component);
  const auto other = nucleus.find(component);
  if (one && other) return std::max(*one, *other);
  return one ? one : other;
}

SandboxLevel usual_sandbox_level(std::string_view component, bool is_privileged) {
  const bool is_own = component.starts_with(kOwnPrefix) && !is_privileged;
  return is_own && sandbox_problem().empty() ? SandboxLevel::guarded : SandboxLevel::none;
}

std::string sandbox_problem() {
  for (const char* const kind : {"mnt", "net"}) {
    const std::string file = std::string("/proc/self/ns/") + kind;
    if (access(file.c_str(), F_OK) != 0) {
      return std::string("this kernel has no namespaces of the kind ") + kind;
    }
  }
  const std::string status = base::read_file_if_exists("/proc/self/status").value_or("");
  for (const std::string_view line : base::split_words(status, "\n")) {
    if (!line.starts_with("CapEff:")) continue;
    const auto words = base::split_words(line);
    if (words.size() < 2) break;
    const unsigned long long bits = std::strtoull(std::string(words[1]).c_str(), nullptr, 16);
    if (((bits >> kSysAdmin) & 1U) != 0) return {};
  }
  return "the agent may not make namespaces: it is not root, or its container does not let it";
}

}  // namespace andon::edge
