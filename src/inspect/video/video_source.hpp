// SPDX-License-Identifier: Apache-2.0
// The frames of a video file, in order, none left out: its decoder waits where the pipeline is
// full. After a restart the frames that have their result are decoded and passed over.
#pragma once

#include "inspect/source/frame_queue.hpp"
#include "inspect/source/source.hpp"
#include "inspect/video/video_library.hpp"

namespace andon::inspect {

class VideoSource final : public Source {
 public:
  // Throws not_found, and what keeps GStreamer from being used.
  explicit VideoSource(base::fs::path file);
  ~VideoSource() override;

  [[nodiscard]] SourceKind kind() const override { return SourceKind::files; }
  // Throws data_corrupted where the file cannot be played on.
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame&, base::Timestamp) override {}
  [[nodiscard]] int fd() const override { return queue_.fd(); }
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_drained() const override { return is_finished(); }
  [[nodiscard]] bool is_finished() const override { return queue_.is_closed(); }
  [[nodiscard]] Counts counts() const override { return counts_; }

 private:
  void run();

  base::fs::path file_;
  PictureId id_;
  VideoLibrary library_;
  FrameQueue queue_;
  Counts counts_;
  std::thread thread_;
};

}  // namespace andon::inspect
