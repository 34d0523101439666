// SPDX-License-Identifier: Apache-2.0
// From what --source or the configuration says to the source that it means.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "inspect/source.hpp"

namespace andon::inspect {

enum class SourceType { directory, list, images, video, rtsp, v4l2 };

// rtsp:// or rtsps://: a network camera; /dev/video*: a V4L2 camera; a name that ends as videos do:
// a video; .txt: a list of images; an image's name, or several: those images; else a directory.
// Throws invalid_argument for what does not go together.
[[nodiscard]] SourceType type_of(const std::vector<std::string>& sources);

// Throws what keeps the source from being opened. A directory or a camera on the network may be
// missing and is waited for.
[[nodiscard]] std::unique_ptr<Source> open_source(const std::vector<std::string>& sources,
                                                  const base::Clock& clock);

}  // namespace andon::inspect
