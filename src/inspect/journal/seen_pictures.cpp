// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal/seen_pictures.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "inspect/journal/mix.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {

SeenPictures::Key SeenPictures::key(const PictureId& picture) {
  Key key;
  const trust::Sha256 digest = trust::sha256(picture.path);
  std::memcpy(&key.path, digest.data(), sizeof key.path);
  // What joins a picture's identity (PictureId) joins it here.
  key.written = short_mix(static_cast<std::uint64_t>(picture.bytes),
                          static_cast<std::uint64_t>(picture.modified_ns));
  key.status = picture.status;
  if (picture.frame) {
    key.frame =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(*picture.frame, 0, kNoFrame - 1));
  }
  return key;
}

// Of the same path, size and time.
const SeenPictures::Seen* SeenPictures::find(const Key& picture) const {
  for (const Table* table : {&younger_, &older_}) {
    const auto seen = table->find(picture.path);
    if (seen == table->end()) continue;
    return seen->second.written == picture.written ? &seen->second : nullptr;
  }
  return nullptr;
}

Known SeenPictures::knows(const Key& picture) const {
  const Seen* seen = find(picture);
  if (seen == nullptr) return Known::no;
  const bool is_touched =
      seen->status != picture.status && seen->status != 0 && picture.status != 0;
  if (picture.frame != kNoFrame) {
    const bool is_done = seen->frame != kNoFrame && seen->frame >= picture.frame;
    return is_done && !is_touched ? Known::yes : Known::no;
  }
  if (!is_touched) return Known::yes;
  return seen->content == 0 ? Known::no : Known::if_same;
}

bool SeenPictures::has_content(const Key& picture, std::uint32_t content) const {
  const Seen* seen = find(picture);
  return seen != nullptr && content != 0 && seen->content == content;
}

bool SeenPictures::is_latest(const Key& picture) const {
  const Seen* seen = find(picture);
  return seen != nullptr && seen->status == picture.status && seen->frame == picture.frame;
}

void SeenPictures::note(const Key& picture, std::uint32_t content) {
  younger_[picture.path] = {picture.written, picture.status, content, picture.frame};
  if (younger_.size() >= generation_) forget_older();
}

void SeenPictures::forget_older() {
  has_forgotten_ = has_forgotten_ || !older_.empty();
  older_ = std::exchange(younger_, {});
}

}  // namespace andon::inspect
