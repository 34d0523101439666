// SPDX-License-Identifier: Apache-2.0
// `andon component import`: a component that somebody else has made becomes one of this server.
// Recipe and artifacts come from a URL, a folder or a bundle; each artifact is held against the
// digest that the recipe has for it, uploaded to the server's object store, and named there with
// its digest from then on. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/component/components.hpp"
#include "cli/component/import_source.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/terminal.hpp"

namespace andon::cli {

struct ImportedArtifact {
  std::string from;  // as the recipe named it
  std::string uri;   // where it is now
  std::string sha256;
  std::uint64_t size = 0;
};
struct ImportedComponent {
  ComponentVersion component;
  std::vector<ImportedArtifact> artifacts;
};

// May a recipe name artifacts at addresses that only this machine or its network can ask?
enum class PrivateAddresses : std::uint8_t { refused, allowed };

// "https://...", a folder, a recipe's file, or a bundle (.zip, .tar.gz, .tgz), of which each recipe
// is imported. Throws data_corrupted for an artifact that is not what the recipe says, not_found
// for what is not there, invalid_argument for a recipe that is none, permission_denied for one that
// names a private address (import_url.hpp); components before the one that failed are there then.
[[nodiscard]] std::vector<ImportedComponent> import_components(ServerClient& server,
                                                               Terminal& terminal,
                                                               const std::string& source,
                                                               PrivateAddresses private_addresses);

}  // namespace andon::cli
