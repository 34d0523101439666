// SPDX-License-Identifier: Apache-2.0
// What makes a picture this picture and not another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace andon::inspect {

// One version of one file: a file that is written anew is another picture. Of a video's frames the
// last is remembered, since they are recorded in order.
struct PictureId {
  std::string path;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;                      // which a writer may set as it likes
  std::optional<std::int64_t> frame = std::nullopt;  // of a video, from 0
  // What a writer cannot set (status_of; of a video digest_of some of its bytes). 0: not known.
  std::uint32_t status = 0;
  bool operator==(const PictureId&) const = default;
};

// Of the time at which a file's data, name or rights last changed, and its inode. It changes also
// where the picture stays the same (chmod, a hard link, another mount): then its content decides.
[[nodiscard]] std::uint32_t status_of(std::int64_t changed_ns, std::uint64_t inode);

// The start of the SHA-256 of a picture's content; never 0, which is for what was not read.
[[nodiscard]] std::uint32_t digest_of(std::string_view content);

}  // namespace andon::inspect
