// SPDX-License-Identifier: Apache-2.0
// Where ONNX Runtime's library may be. Internal to vision/.
#pragma once

#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::vision {

// The libraries in and below a folder that somebody names, the likeliest first: libonnxruntime.so.1
// or libonnxruntime.so, then the newest of those with a version in their names; in the folder
// itself, in lib/ and lib64/ as archives of releases have it, in capi/ and onnxruntime/capi/ as
// Python's packages have it, and where a virtual environment keeps those. `looked_in` gets every
// folder that was looked in.
[[nodiscard]] std::vector<base::fs::path> libraries_below(const base::fs::path& folder,
                                                          std::vector<base::fs::path>& looked_in);

// Where a program that was installed or built looks first: its own folder, ../lib, and, where it
// stands in BUILD/PRESET/bin of a build tree, BUILD/onnxruntime, into which
// scripts/fetch-onnxruntime puts it. No other folder around the program is looked in: anybody might
// have made it. Files may not be there.
[[nodiscard]] std::vector<base::fs::path> libraries_around(const base::fs::path& program,
                                                           std::vector<base::fs::path>& looked_in);

}  // namespace andon::vision
