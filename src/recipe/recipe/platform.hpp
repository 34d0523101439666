// SPDX-License-Identifier: Apache-2.0
// Which manifest of a recipe fits a device. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace andon::recipe {

// What the device is: "os", "architecture", "architecture.detail", "runtime" and whatever its
// owner added.
using PlatformAttributes = std::map<std::string, std::string>;

// The attributes of a Linux device from `uname -m` ("x86_64" -> os linux, architecture amd64;
// "armv7l" -> architecture arm, architecture.detail armv7l).
[[nodiscard]] PlatformAttributes linux_platform(std::string_view machine);

// What the machine can do besides, from the texts of /proc/cpuinfo and /proc/meminfo: an attribute
// with value "true" for each of these that its processor has: avx2, avx512_vnni, avx_vnni,
// amx_int8, amx_bf16 (x86), neon, dotprod, i8mm (Arm); "memory": MiB, rounded down. What the texts
// do not say is not there.
void add_machine(PlatformAttributes& attributes, std::string_view cpuinfo,
                 std::string_view meminfo);

// One requirement of a manifest's Platform against the device's value (nullptr: it has none).
// "*" fits anything, also none; "all" and "any" do so for os and architecture; "/regex/" must
// match the whole value; ">=2048" fits a value that is a number as large; other text must be equal.
// `wanted` is well-formed.
[[nodiscard]] bool platform_value_matches(std::string_view key, std::string_view wanted,
                                          const std::string* value);

// Throws invalid_argument for what a manifest may not ask for: neither a name nor one of the forms
// above.
void check_platform_value(std::string_view wanted);

// Every key of `wanted` fits. Throws invalid_argument for a malformed regular expression.
[[nodiscard]] bool platform_matches(const std::map<std::string, std::string>& wanted,
                                    const PlatformAttributes& device);

}  // namespace andon::recipe
