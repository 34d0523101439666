// SPDX-License-Identifier: Apache-2.0
#include "recipe/platform.hpp"

#include <algorithm>

#include "recipe/platform_pattern.hpp"

namespace andon::recipe {
namespace {

struct Machine {
  std::string_view uname;
  std::string_view architecture;
};
constexpr Machine kMachines[] = {
    {"x86_64", "amd64"},    {"amd64", "amd64"},   {"i386", "x86"},       {"i686", "x86"},
    {"aarch64", "aarch64"}, {"arm64", "aarch64"}, {"riscv64", "riscv64"}};

}  // namespace

PlatformAttributes linux_platform(std::string_view machine) {
  PlatformAttributes attributes{{"os", "linux"}};
  const auto* known = std::find_if(std::begin(kMachines), std::end(kMachines),
                                   [&](const Machine& m) { return m.uname == machine; });
  if (known != std::end(kMachines)) {
    attributes["architecture"] = known->architecture;
  } else if (machine.starts_with("arm")) {
    attributes["architecture"] = "arm";
  } else {
    attributes["architecture"] = machine;
  }
  const auto& architecture = attributes["architecture"];
  if (architecture == "arm" || architecture == "aarch64") {
    attributes["architecture.detail"] = machine;
  }
  return attributes;
}

bool platform_value_matches(std::string_view key, std::string_view wanted,
                            const std::string* value) {
  if (wanted == "*") return true;
  const bool os_or_architecture = key == "os" || key == "architecture";
  if (os_or_architecture && (wanted == "all" || wanted == "any")) return true;
  if (value == nullptr) return false;
  if (wanted.size() >= 2 && wanted.front() == '/' && wanted.back() == '/') {
    return PlatformPattern(wanted.substr(1, wanted.size() - 2)).matches(*value);
  }
  return wanted == *value;
}

bool platform_matches(const std::map<std::string, std::string>& wanted,
                      const PlatformAttributes& device) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto value = device.find(entry.first);
    return platform_value_matches(entry.first, entry.second,
                                  value == device.end() ? nullptr : &value->second);
  });
}

}  // namespace andon::recipe
