// SPDX-License-Identifier: Apache-2.0
// Which pictures have their result, in bounded memory: 24 bytes a picture whatever its name, and at
// most two generations of pictures. When the younger generation is full, the older one is
// forgotten, so the last kGeneration are always known. Belongs to one thread.
//
// A picture is told by 64 bits, the beginning of the SHA-256 of its path, and three times 32 bits:
// of its size and the time that its writer gave it, of what no writer can set (PictureId::status),
// and of its content. Two paths of two million are taken for one another once in ten million times,
// and even then only where all else is the same.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>

#include "inspect/journal/picture_id.hpp"

namespace andon::inspect {

// Has this version of a file its result?
enum class Known {
  no,
  yes,
  if_same,  // size and time are those, but something has touched it: if its content is the same
  perhaps,  // it is not remembered, but there were more than can be
};

class SeenPictures {
 public:
  // 23.5 MiB a generation, just before the table would double.
  static constexpr std::size_t kGeneration = 860'000;

  explicit SeenPictures(std::size_t generation = kGeneration) : generation_(generation) {}

  // What is remembered of a picture.
  struct Key {
    std::uint64_t path = 0;
    std::uint32_t written = 0;  // its size and its time
    std::uint32_t status = 0;
    std::uint32_t frame = kNoFrame;  // of a video
  };
  static constexpr std::uint32_t kNoFrame = UINT32_MAX;
  [[nodiscard]] static Key key(const PictureId& picture);

  // `content`: digest_of it, or 0.
  void note(const Key& picture, std::uint32_t content);
  // Of a video: this frame or a later one.
  [[nodiscard]] Known knows(const Key& picture) const;
  // For what knows() calls if_same.
  [[nodiscard]] bool has_content(const Key& picture, std::uint32_t content) const;
  // It was noted, and nothing else of its path since.
  [[nodiscard]] bool is_latest(const Key& picture) const;

  void forget_older();
  [[nodiscard]] std::size_t size() const { return younger_.size() + older_.size(); }
  // A generation was forgotten: what is not known may have its result all the same.
  [[nodiscard]] bool has_forgotten() const { return has_forgotten_; }

 private:
  struct Seen {
    std::uint32_t written = 0;
    std::uint32_t status = 0;
    std::uint32_t content = 0;
    std::uint32_t frame = kNoFrame;
  };
  using Table = boost::unordered_flat_map<std::uint64_t, Seen>;  // by the digest of the path
  [[nodiscard]] const Seen* find(const Key& picture) const;

  std::size_t generation_;
  Table younger_;
  Table older_;
  bool has_forgotten_ = false;
};

}  // namespace andon::inspect
