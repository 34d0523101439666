// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/video_source.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/log/log.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFramesInQueue = 2;
// A decoder that gives nothing for so long will not any more.
constexpr std::chrono::milliseconds kStuckAfter = 30s;

// Pieces all over a file: no two videos of one size have the same, and reading all of a long one
// would take minutes.
std::uint32_t digest_of_pieces(const Frame& frame) {
  constexpr std::int64_t kPieces = 32;
  constexpr std::size_t kPieceBytes = 32U << 10U;
  std::string pieces;
  for (std::int64_t i = 0; i < kPieces; ++i) {
    std::array<char, kPieceBytes> piece{};
    const std::int64_t at = frame.id->bytes / kPieces * i;
    const ssize_t count = pread(frame.file.get(), piece.data(), piece.size(), at);
    if (count > 0) pieces.append(piece.data(), static_cast<std::size_t>(count));
  }
  return digest_of(pieces);
}

// What its frames are known by: not the times that chmod or a copy change.
PictureId identify(const base::fs::path& file) {
  const auto frame = open_picture(file);
  if (!frame) {
    throw Error(ErrorCode::not_found, fmt::format("there is no video {}", file.string()));
  }
  PictureId id = *frame->id;
  id.status = digest_of_pieces(*frame);
  return id;
}

}  // namespace

VideoSource::VideoSource(base::fs::path file)
    : file_(std::move(file)), id_(identify(file_)), queue_(kFramesInQueue) {
  thread_ = std::thread([this] { run(); });
}

VideoSource::~VideoSource() {
  queue_.stop();
  thread_.join();
}

void VideoSource::run() {
  try {
    VideoStream stream(library_, gstreamer_abi::Kind::file, file_.string());
    std::chrono::milliseconds silent = 0ms;
    for (std::int64_t number = 0; !queue_.is_stopped();) {
      Frame frame = queue_.spare();
      constexpr auto kWait = 500ms;
      const VideoStream::Next next = stream.next(kWait, frame.image);
      if (next == VideoStream::Next::end) break;
      silent = next == VideoStream::Next::timeout ? silent + kWait : 0ms;
      if (silent >= kStuckAfter) {
        throw Error(ErrorCode::deadline_exceeded,
                    fmt::format("{}: no frame for {} s", file_.string(), silent / 1s));
      }
      if (next == VideoStream::Next::timeout) continue;
      frame.problem.reset();
      frame.id = id_;
      frame.id->frame = number;
      frame.name = fmt::format("{}-{:06}.jpg", file_.stem().string(), number);
      ++number;
      if (!queue_.push_waiting(std::move(frame))) return;
    }
    queue_.close(std::nullopt);
  } catch (const Error& error) {
    queue_.close(Error(ErrorCode::data_corrupted, error.message()));
  }
}

std::optional<Frame> VideoSource::take(base::Timestamp, Frame&& spare) {
  auto frame = queue_.take(std::move(spare));
  if (frame) ++counts_.given;
  return frame;
}

}  // namespace andon::inspect
