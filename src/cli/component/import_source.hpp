// SPDX-License-Identifier: Apache-2.0
// What somebody else has made a component of, as files: a folder with a recipe, one that
// `gdk component build` has left (gdk-config.json, greengrass-build/), or recipes/ and artifacts/
// side by side. Finds recipes, and the file that an artifact's URI means; never outside the folder.
// Blocking; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::cli {

struct ImportSource {
  base::fs::path folder;                // everything is below it
  std::vector<base::fs::path> recipes;  // by name
  base::fs::path artifacts;             // NAME/VERSION/FILE below it; empty: none
};

// `place` is a folder or a recipe's file. Throws not_found where there is no recipe, saying where
// it was looked for, and failed_precondition for a folder of the GDK that has not been built.
[[nodiscard]] ImportSource find_import_source(const base::fs::path& place);

// Where the file is that `uri` of component `name`, `version` (as the recipe has them) means:
// without a scheme, beside the recipe; of s3: and greengrass:, the file of that name in the
// artifacts or beside the recipe. Nothing where it is not there. Throws invalid_argument for one
// that leads out of the folder.
[[nodiscard]] std::optional<base::fs::path> find_import_artifact(const ImportSource& source,
                                                                 const base::fs::path& recipe,
                                                                 const std::string& name,
                                                                 const std::string& version,
                                                                 const std::string& uri);

}  // namespace andon::cli
