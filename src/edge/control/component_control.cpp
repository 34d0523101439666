// SPDX-License-Identifier: Apache-2.0
#include "edge/control/component_control.hpp"

#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/split.hpp"
#include "edge/control/agent_status.hpp"
#include "edge/control/control_client.hpp"

namespace andon::edge {

json::array components_of(const Layout& layout) {
  const json::object status = read_status(layout);
  const json::array* const all = base::JsonReader(status, "status").optional_array("components");
  return all == nullptr ? json::array{} : *all;
}

json::object tell_component(const Layout& layout, ComponentWord word, const std::string& name) {
  const bool restarts = word == ComponentWord::restart;
  wire::IpcClient agent(control_options(layout));
  json::object answer =
      agent.call(restarts ? "RestartComponent" : "StopComponent", {{"componentName", name}});
  const base::JsonReader reader(answer, "answer");
  if (reader.string(restarts ? "restartStatus" : "stopStatus") != "SUCCEEDED") {
    throw base::Error(base::ErrorCode::failed_precondition,
                      reader.optional_string("message").value_or("failed"));
  }
  return answer;
}

std::string one_component(const Layout& layout, const std::string& name) {
  if (!name.empty()) return name;
  constexpr std::string_view kBuiltIn = "aws.greengrass.";
  std::vector<std::string> names;
  for (const json::value& entry : components_of(layout)) {
    std::string one = base::JsonReader(entry, "components[]").string("name");
    if (!one.starts_with(kBuiltIn)) names.push_back(std::move(one));
  }
  if (names.size() == 1) return names.front();
  throw base::Error(base::ErrorCode::invalid_argument,
                    names.empty() ? "no component runs on this device"
                                  : "component: say which one; there are " +
                                        base::join(std::span<const std::string>(names), ", "));
}

}  // namespace andon::edge
