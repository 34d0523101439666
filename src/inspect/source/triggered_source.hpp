// SPDX-License-Identifier: Apache-2.0
// A source of which only those pictures are taken that a part waits for: of files the next one, of
// a camera the next after the trigger (which the camera's own thread sees to, CameraSource). A part
// whose picture does not come gives a frame without one, which says so. Belongs to main's thread.
#pragma once

#include <memory>

#include "inspect/source/source.hpp"
#include "inspect/trigger/part_queue.hpp"

namespace andon::inspect {

// For a part whose picture did not come: its result says so. `spare` gives its buffers.
[[nodiscard]] Frame frame_without_picture(std::shared_ptr<Part> part, Frame&& spare);

class TriggeredSource final : public Source {
 public:
  // `parts` outlives it.
  TriggeredSource(std::unique_ptr<Source> source, PartQueue& parts)
      : source_(std::move(source)), parts_(parts) {}

  [[nodiscard]] SourceKind kind() const override { return source_->kind(); }
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame& frame, base::Timestamp when) override {
    source_->give_again(frame, when);
  }
  [[nodiscard]] int fd() const override;
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp now) const override;
  [[nodiscard]] bool is_drained() const override {
    return parts_.is_empty() && source_->is_drained();
  }
  [[nodiscard]] bool is_finished() const override {
    return parts_.is_empty() && source_->is_finished();
  }
  [[nodiscard]] Counts counts() const override { return source_->counts(); }

 private:
  std::unique_ptr<Source> source_;
  PartQueue& parts_;
};

}  // namespace andon::inspect
