// SPDX-License-Identifier: Apache-2.0
// The device's Docker or Podman, by its command line: what both of them understand, and nothing
// else. It runs as the agent's user and with the agent's environment, so that logins, registries
// and proxies are what that user has set up. Whatever it says is taken as a stranger's text. Any
// thread; blocks, with a limit on each command. Throws DeploymentFailure, and
// base::Error(cancelled).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/loop/cancellation.hpp"
#include "edge/process/run_as.hpp"
#include "recipe/image/image_reference.hpp"

namespace andon::edge {

class ContainerEngine {
 public:
  // `program`: the one to take, a name or a path; "": docker, or else podman, in the PATH. Throws
  // DeploymentFailure (DOCKER_SERVICE_UNAVAILABLE) where there is none.
  explicit ContainerEngine(const std::string& program);

  [[nodiscard]] const std::string& program() const { return program_; }
  // Also where it calls itself docker.
  [[nodiscard]] bool is_podman() const { return is_podman_; }

  // What it calls the image: Podman does not read "redis" as Docker does.
  [[nodiscard]] std::string by_digest(const recipe::ImageReference& image) const;
  [[nodiscard]] std::string by_tag(const recipe::ImageReference& image) const;

  // The id of an image that is on this device. Throws DeploymentFailure where that cannot be told.
  [[nodiscard]] std::optional<std::string> find(const std::string& name,
                                                const Cancellation& cancellation) const;
  // Why `who`, with this environment and no other, cannot use it; empty where it can. Whether the
  // image must be there is the caller's to say.
  enum class Expect { image, access };
  [[nodiscard]] std::string closed_to(const RunAs& who,
                                      const std::map<std::string, std::string>& environment,
                                      const std::string& name, Expect expect,
                                      const Cancellation& cancellation) const;
  // `on_line` gets what it says meanwhile.
  void pull(const recipe::ImageReference& image, std::chrono::milliseconds limit,
            const std::function<void(const std::string& line)>& on_line,
            const Cancellation& cancellation) const;
  // Gives the image of `name` this name, too.
  void tag(const std::string& name, const std::string& tag, const Cancellation& cancellation) const;
  // Takes the name away, and the image where it was the last. False where something uses it.
  [[nodiscard]] bool remove(const std::string& name, const Cancellation& cancellation) const;

 private:
  struct Answer {
    bool ok = false;
    std::string said;    // both outputs; the end of them
    std::string result;  // standard output alone
  };
  [[nodiscard]] Answer run(std::vector<std::string> words, std::chrono::milliseconds limit,
                           const Cancellation& cancellation,
                           const std::function<void(const std::string&)>& on_line = {}) const;

  std::string program_;
  bool is_podman_ = false;
};

}  // namespace andon::edge
