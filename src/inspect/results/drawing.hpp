// SPDX-License-Identifier: Apache-2.0
// A result drawn into its picture, for people. Pure but for the file; any thread.
#pragma once

#include "inspect/results/result.hpp"
#include "vision/draw/annotate.hpp"

namespace andon::inspect {

// What an anomaly detector saw, drawn as heat over the picture.
struct Heat {
  const vision::Anomaly* anomaly = nullptr;  // none: nothing is drawn
  vision::HeatScale scale;
};

// Heat and tinted masks, turned boxes and keypoints, boxes with labels, all in the colours of their
// classes, and below the picture a bar that says what was found in it.
[[nodiscard]] vision::Image draw(const vision::Image& image, const Inspection& inspection,
                                 const Heat& heat = {});

// The name of a drawn picture: the image's own, with .jpg added where it ends otherwise; cut, with
// a digest, where that would be longer than a name may be.
[[nodiscard]] base::fs::path annotated_name(const base::fs::path& image_name);

// The drawn picture as a JPEG in `directory`, in the folders that the image's name has.
void write_annotated(const base::fs::path& directory, const vision::Image& image,
                     const Inspection& inspection, const Heat& heat = {});

}  // namespace andon::inspect
