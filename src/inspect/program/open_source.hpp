// SPDX-License-Identifier: Apache-2.0
// From what --source or the configuration says to the source that it means.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "inspect/look/settings.hpp"
#include "inspect/source/directory_watcher.hpp"
#include "inspect/source/source.hpp"
#include "inspect/trigger/part_queue.hpp"

namespace andon::inspect {

enum class SourceType { directory, list, images, video, rtsp, v4l2, aravis };
[[nodiscard]] bool is_camera(SourceType type);

// rtsp:// or rtsps://: a network camera; aravis://: a GigE Vision or USB3 Vision camera;
// /dev/video*: a V4L2 camera; a name that ends as videos do: a video; .txt: a list of images; an
// image's name, or several: those images; else a directory. Throws invalid_argument for what does
// not go together.
[[nodiscard]] SourceType type_of(const std::vector<std::string>& sources);

// Throws what keeps the source from being opened. A directory or a camera on the network may be
// missing and is waited for. `knows`: what has its result. `left_out`: directories of a tree that
// are the program's own. `parts`: those that were triggered, where the settings have a trigger.
[[nodiscard]] std::unique_ptr<Source> open_source(const Settings& settings,
                                                  const base::Clock& clock,
                                                  DirectoryWatcher::Knows knows,
                                                  std::vector<base::fs::path> left_out = {},
                                                  PartQueue* parts = nullptr);

}  // namespace andon::inspect
