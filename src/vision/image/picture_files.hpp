// SPDX-License-Identifier: Apache-2.0
// The pictures of a folder, for all that works on a folder of pictures. Any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/os/file.hpp"

namespace andon::vision {

// Only the folder itself, or also those in it (--recursive): links to folders are followed, hidden
// folders and those that lead back to where they came from are not.
enum class Folders { this_one, all_below };

// More levels of folders are an error.
inline constexpr std::size_t kMostLevels = 64;

// Names that is_image_name takes and that are files, by path, at most `limit` of them. Throws
// not_found where it is no folder or holds none, and says where more pictures are: in its folders.
[[nodiscard]] std::vector<base::fs::path> picture_files(const base::fs::path& directory,
                                                        Folders folders = Folders::this_one,
                                                        std::size_t limit = 1'000'000);

}  // namespace andon::vision
