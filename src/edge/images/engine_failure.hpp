// SPDX-License-Identifier: Apache-2.0
// What Docker or Podman said when a command of theirs failed, as what Greengrass calls it. They
// have no codes for it: their words are gone by, and what none of them fits is a failure as well.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "edge/state/deployment_failure.hpp"

namespace andon::edge {

enum class EngineTrouble {
  unknown,
  no_such_image,   // on this device; what looks for one is answered by that
  not_authorized,  // the user may not speak to the engine
  no_service,      // the engine's service does not answer
  not_valid,       // what came is not what the digest says
  disk_full,
  login,        // the registry wants another login
  not_found,    // the registry has no such image
  unreachable,  // the registry, for now
};

// `name`: the image's, which may hold any of these words itself.
[[nodiscard]] EngineTrouble trouble_of(std::string_view output, std::string_view name = {});

// The last thing that it said, on one line, for people.
[[nodiscard]] std::string last_words(std::string_view output);

enum class EngineTask { query, pull };

// "cannot WHAT: WORDS", with what helps where that is known; `name`: the image's. Its code is
// unavailable where it may pass by itself.
[[nodiscard]] DeploymentFailure engine_failure(EngineTask task, const std::string& what,
                                               std::string_view name, std::string_view output);

}  // namespace andon::edge
