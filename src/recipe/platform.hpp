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

// One requirement of a manifest's Platform against the device's value (nullptr: it has none).
// "*" fits anything, also none; "all" and "any" do so for os and architecture; "/regex/" must
// match the whole value; other text must be equal.
[[nodiscard]] bool platform_value_matches(std::string_view key, std::string_view wanted,
                                          const std::string* value);

// Every key of `wanted` fits. Throws invalid_argument for a malformed regular expression.
[[nodiscard]] bool platform_matches(const std::map<std::string, std::string>& wanted,
                                    const PlatformAttributes& device);

}  // namespace andon::recipe
