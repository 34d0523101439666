// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/platform.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "recipe/recipe/platform_pattern.hpp"

namespace andon::recipe {
namespace {

struct Machine {
  std::string_view uname;
  std::string_view architecture;
};
constexpr Machine kMachines[] = {
    {"x86_64", "amd64"},    {"amd64", "amd64"},   {"i386", "x86"},       {"i686", "x86"},
    {"aarch64", "aarch64"}, {"arm64", "aarch64"}, {"riscv64", "riscv64"}};

// What a manifest calls it, and what Linux does.
struct Feature {
  std::string_view attribute;
  std::string_view flag;
};
constexpr Feature kFeatures[] = {
    {"avx2", "avx2"},         {"avx512_vnni", "avx512_vnni"}, {"avx_vnni", "avx_vnni"},
    {"amx_int8", "amx_int8"}, {"amx_bf16", "amx_bf16"},       {"neon", "asimd"},
    {"neon", "neon"},         {"dotprod", "asimddp"},         {"i8mm", "i8mm"}};
constexpr std::string_view kAtLeast = ">=";

// What stands behind the colon of the first line of that name.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view value = base::take_part(text, '\n');
    const std::string_view name = base::take_part(value, ':');
    if (base::trim(name) == key) return value;
  }
  return std::nullopt;
}

bool is_pattern(std::string_view wanted) {
  return wanted.size() >= 2 && wanted.front() == '/' && wanted.back() == '/';
}

PlatformPattern pattern_of(std::string_view wanted) {
  return PlatformPattern(wanted.substr(1, wanted.size() - 2));
}

std::optional<std::uint64_t> least_of(std::string_view wanted) {
  return base::parse_uint64(wanted.substr(kAtLeast.size()));
}

}  // namespace

void add_machine(PlatformAttributes& attributes, std::string_view cpuinfo,
                 std::string_view meminfo) {
  auto flags = value_of(cpuinfo, "flags");
  if (!flags) flags = value_of(cpuinfo, "Features");
  if (flags) {
    const auto words = base::split_words(*flags);
    for (const Feature& feature : kFeatures) {
      if (std::find(words.begin(), words.end(), feature.flag) == words.end()) continue;
      attributes.emplace(feature.attribute, "true");
    }
  }
  if (const auto total = value_of(meminfo, "MemTotal")) {
    const auto words = base::split_words(*total);
    const auto kibibytes = words.empty() ? std::nullopt : base::parse_uint64(words.front());
    if (kibibytes) attributes.emplace("memory", std::to_string(*kibibytes / 1024));
  }
}

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
  if (wanted.starts_with(kAtLeast)) {
    const auto least = least_of(wanted);
    const auto number = value == nullptr ? std::nullopt : base::parse_uint64(*value);
    return least && number && *number >= *least;
  }
  if (value == nullptr) return false;
  return is_pattern(wanted) ? pattern_of(wanted).matches(*value) : wanted == *value;
}

void check_platform_value(std::string_view wanted) {
  if (is_pattern(wanted)) {
    static_cast<void>(pattern_of(wanted));
    return;
  }
  const bool well_formed =
      wanted == "*" ||
      (wanted.starts_with(kAtLeast) ? least_of(wanted).has_value()
                                    : !wanted.empty() && base::is_letter_or_digit(wanted.front()));
  if (well_formed) return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    "is \"" + std::string(wanted) +
                        "\" but must be a name, *, >=NUMBER or a /regular expression/");
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
