// SPDX-License-Identifier: Apache-2.0
// Whatever stands in YOLO's label files and in data.yaml: what is accepted is consistent and lies
// where it can be measured.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "evaluate/labels/data_yaml.hpp"
#include "evaluate/labels/yolo.hpp"

namespace {

using namespace andon::evaluate;

void check(bool holds) {
  if (!holds) std::abort();
}

void read_rows(std::string_view text, const YoloFormat& format) {
  YoloNotes notes;
  for (const Truth& truth : parse_yolo(text, "a.txt", format, {640, 480}, notes)) {
    check(truth.category < (format.classes > 0 ? format.classes : kMostYoloClasses));
    check(std::isfinite(truth.box.area()) && truth.box.area() >= 0 && truth.area >= 0);
    check(truth.box.x > -700 && truth.box.y > -700 && truth.box.width < 700);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_rows(text, {});
  read_rows(text, {2, 0});
  read_rows(text, {1, 6});
  for (const std::string_view split : {"", "train", "val"}) {
    try {
      const DataYaml read = parse_data_yaml(text, "/set/data.yaml", split);
      check(!read.names.empty() && (split.empty() || !read.pictures.empty()));
    } catch (const andon::base::Error&) {
    }
  }
  return 0;
}
