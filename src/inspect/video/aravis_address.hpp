// SPDX-License-Identifier: Apache-2.0
// Where a GigE Vision or USB3 Vision camera is, and how it is to be set:
// aravis://NAME?FEATURE=VALUE&... Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace andon::inspect {

inline constexpr std::string_view kAravisScheme = "aravis://";

struct AravisAddress {
  // Its IP address, or its name as Aravis lists it ("Vendor-Serial").
  std::string name;
  // Features by GenICam's names, in the order in which they are set; a command has no value.
  struct Feature {
    std::string name;
    std::string value;
    bool operator==(const Feature&) const = default;
  };
  std::vector<Feature> features;

  bool operator==(const AravisAddress&) const = default;
};

// Names and values may be percent-encoded. Throws invalid_argument saying what is wrong.
[[nodiscard]] AravisAddress read_aravis_address(std::string_view text);

}  // namespace andon::inspect
