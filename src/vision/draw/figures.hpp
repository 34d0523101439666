// SPDX-License-Identifier: Apache-2.0
// What is drawn of a detection beside its upright box: a turned box, keypoints. Colours are those
// of the boxes (annotate.hpp). Pure; any thread.
#pragma once

#include <span>

#include "vision/findings/findings.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

// The four sides, and a dot in the middle of the side to which the angle points. Line width grows
// with the picture.
void draw_rotated_box(Image& image, const RotatedBox& box, int class_id);

// A dot each, with a dark edge; those less sure than `least` are left out. Of a person with COCO's
// 17 keypoints also the limbs between them.
enum class Limbs { none, of_a_person };
void draw_keypoints(Image& image, std::span<const Keypoint> keypoints, int class_id, Limbs limbs,
                    float least = 0.5F);

}  // namespace andon::vision
