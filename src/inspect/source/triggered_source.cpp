// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/triggered_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace andon::inspect {
namespace {

Instant steady_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Frame frame_without_picture(std::shared_ptr<Part> part, Frame&& spare) {
  Frame frame = std::move(spare);
  frame.id.reset();
  frame.file.reset();
  frame.bytes.clear();
  frame.image.rgb.clear();
  frame.image.size = {};
  frame.name = part->id();
  frame.problem = base::Error(
      base::ErrorCode::deadline_exceeded,
      fmt::format("no picture came for the part {} in time; is the camera (or what writes the "
                  "pictures) triggered, too?",
                  part->id()));
  frame.part = std::move(part);
  return frame;
}

std::optional<Frame> TriggeredSource::take(base::Timestamp now, Frame&& spare) {
  const bool is_live = kind() == SourceKind::live;
  if (is_live) {
    if (auto frame = source_->take(now, std::move(spare))) return frame;
  }
  if (auto expired = parts_.take_expired(steady_now())) {
    // NOLINTNEXTLINE(bugprone-use-after-move): a source that has no frame has not taken it.
    return frame_without_picture(std::move(expired), std::move(spare));
  }
  if (is_live) return std::nullopt;
  std::shared_ptr<Part> part = parts_.take(steady_now());
  if (!part) return std::nullopt;
  // NOLINTNEXTLINE(bugprone-use-after-move)
  auto frame = source_->take(now, std::move(spare));
  if (frame) {
    frame->part = std::move(part);
  } else {
    parts_.give_back(std::move(part));
  }
  return frame;
}

int TriggeredSource::fd() const {
  if (kind() == SourceKind::live) return source_->fd();
  return parts_.is_empty() ? parts_.fd() : source_->fd();
}

std::optional<base::Timestamp> TriggeredSource::look_again_at(base::Timestamp now) const {
  const auto expires_at = parts_.expires_at();
  if (!expires_at) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*expires_at - steady_now());
  const base::Timestamp at = now + std::max(left, std::chrono::milliseconds{0});
  return std::min(at, source_->look_again_at(now).value_or(at));
}

}  // namespace andon::inspect
