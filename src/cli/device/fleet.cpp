// SPDX-License-Identifier: Apache-2.0
#include "cli/device/fleet.hpp"

#include <algorithm>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {

namespace json = base::json;
using base::percent_encode;

std::string core_device_path(const std::string& name, const std::string& below) {
  return "/greengrass/v2/coreDevices/" + percent_encode(name) + below;
}

std::vector<std::string> things_of(ServerClient& server, const std::string& group) {
  std::vector<std::string> names;
  if (group.empty()) {
    for (const json::value& thing : server.all("iot", "/things?maxResults=250", "things")) {
      names.push_back(text_of(thing, "thingName"));
    }
  } else {
    const std::string path =
        "/thing-groups/" + percent_encode(group) + "/things?recursive=true&maxResults=250";
    for (const json::value& name : server.all("iot", path, "things")) {
      names.emplace_back(name.as_string());
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace andon::cli
