// SPDX-License-Identifier: Apache-2.0
// Room: deployment. What devices are to run, from the command line: deploying, watching, going
// back. One thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "cli/terminal/server_choice.hpp"
#include "fleet/names/arn.hpp"

namespace andon::cli {

// "line-1" (a group of that name, else a device), "thing/line-1", "group/line-1", an ARN. Throws
// not_found; UsageError for a name that both a group and a device have.
[[nodiscard]] fleet::Target find_target(ServerClient& server, const std::string& text);
[[nodiscard]] std::string arn_of(const ServerClient& server, const fleet::Target& target);
// Its devices, sorted.
[[nodiscard]] std::vector<std::string> devices_of(ServerClient& server,
                                                  const fleet::Target& target);

// As GetDeployment has it.
[[nodiscard]] base::json::object read_deployment(ServerClient& server, const std::string& id);
// Of the target, the newest first, as ListDeployments has them.
[[nodiscard]] base::json::array deployments_of(ServerClient& server, const std::string& target_arn);

// How a deployment is on a device.
struct DeviceProgress {
  std::string status;  // QUEUED, IN_PROGRESS, SUCCEEDED, COMPLETED, FAILED, REJECTED, ...
  std::string reason;

  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_good() const;
  bool operator==(const DeviceProgress&) const = default;
};
// Nothing where the device has not heard of it.
[[nodiscard]] std::optional<DeviceProgress> progress_on(ServerClient& server,
                                                        const std::string& device,
                                                        const std::string& deployment_id);

// Tells on stderr how it goes on each device until all are done with it, or it is over on the
// server. Gives how it ended on each. Throws deadline_exceeded naming the devices that have not
// ended.
[[nodiscard]] std::map<std::string, DeviceProgress> watch_deployment(ServerClient& server,
                                                                     const std::string& id,
                                                                     std::chrono::seconds limit);

}  // namespace andon::cli
