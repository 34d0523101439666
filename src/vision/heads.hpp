// SPDX-License-Identifier: Apache-2.0
// The heads, one function each to make one; head_<family>.cpp has the class. Internal to vision/.
#pragma once

#include <memory>

#include "vision/head.hpp"

namespace andon::vision {

[[nodiscard]] std::unique_ptr<Head> make_anchor_head(const HeadPlan& plan);      // yolov8
[[nodiscard]] std::unique_ptr<Head> make_dfl_head(const HeadPlan& plan);         // yolov8_dfl
[[nodiscard]] std::unique_ptr<Head> make_segment_head(const HeadPlan& plan);     // *_seg
[[nodiscard]] std::unique_ptr<Head> make_row_head(const HeadPlan& plan);         // yolov5, yolox
[[nodiscard]] std::unique_ptr<Head> make_end_to_end_head(const HeadPlan& plan);  // end_to_end
[[nodiscard]] std::unique_ptr<Head> make_query_head(const HeadPlan& plan);       // rtdetr, detr*
[[nodiscard]] std::unique_ptr<Head> make_classifier_head(const HeadPlan& plan);
[[nodiscard]] std::unique_ptr<Head> make_anomaly_head(const HeadPlan& plan);

}  // namespace andon::vision
