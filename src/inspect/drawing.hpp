// SPDX-License-Identifier: Apache-2.0
// A result drawn into its picture, for people. Pure but for the file; any thread.
#pragma once

#include "inspect/result.hpp"
#include "vision/image.hpp"

namespace andon::inspect {

// Masks tinted, boxes with labels, and what is said of the whole picture along its edge.
[[nodiscard]] vision::Image draw(const vision::Image& image, const Inspection& inspection);

// The drawn picture as a JPEG in `directory`, under the image's own name with .jpg added where it
// ends otherwise.
void write_annotated(const base::fs::path& directory, const vision::Image& image,
                     const Inspection& inspection);

}  // namespace andon::inspect
