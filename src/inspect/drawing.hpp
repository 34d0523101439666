// SPDX-License-Identifier: Apache-2.0
// A result drawn into its picture, for people. Pure but for the file; any thread.
#pragma once

#include "inspect/result.hpp"
#include "vision/annotate.hpp"

namespace andon::inspect {

// What an anomaly detector saw, drawn as heat over the picture.
struct Heat {
  const vision::Anomaly* anomaly = nullptr;  // none: nothing is drawn
  vision::HeatScale scale;
};

// Heat and tinted masks, boxes with labels, and what is said of the whole picture along its edge.
[[nodiscard]] vision::Image draw(const vision::Image& image, const Inspection& inspection,
                                 const Heat& heat = {});

// The drawn picture as a JPEG in `directory`, under the image's own name with .jpg added where it
// ends otherwise.
void write_annotated(const base::fs::path& directory, const vision::Image& image,
                     const Inspection& inspection, const Heat& heat = {});

}  // namespace andon::inspect
