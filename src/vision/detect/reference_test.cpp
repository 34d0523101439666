// SPDX-License-Identifier: Apache-2.0
// Parity with the reference detections of ../shared/data/models (its README says how they were
// made), beside the repository or where ANDON_SHARED says. Without them none of these tests exist;
// the tests with small models built in place always do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/detector.hpp"
#include "vision/image/decode.hpp"
#include "vision/testing/runtime.hpp"

namespace andon::vision {
namespace {

namespace fs = base::fs;
namespace json = base::json;

fs::path shared_folder() {
  const char* given = std::getenv("ANDON_SHARED");
  return given != nullptr ? fs::path(given) : fs::path(ANDON_SOURCE_DIR) / ".." / "shared";
}

const json::value& reference() {
  static const json::value parsed = base::parse_json(
      base::read_file(shared_folder() / "data/models/reference-detections-dev.json"), "reference");
  return parsed;
}

std::vector<std::string> reference_models() {
  std::vector<std::string> names;
  if (!fs::exists(shared_folder() / "data/models/reference-detections-dev.json")) return names;
  for (const auto& entry : reference().at("models").as_object()) names.emplace_back(entry.key());
  return names;
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name;
  for (const char c : info.param) {
    name.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return name;
}

class Reference : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static const json::object& expected() {
    return reference().at("models").at(GetParam()).as_object();
  }
  [[nodiscard]] static std::string model_bytes() {
    return base::read_file(shared_folder() / "data/models" / GetParam());
  }
  [[nodiscard]] static const Image& picture(ImageDecoder& decoder, const json::value& entry) {
    const std::string name(entry.at("file_name").as_string());
    const std::string bytes =
        base::read_file(shared_folder() / "data/metal-tags/dev/images" / name);
    return decoder.decode(bytes, name);
  }
};

// The interleaved 8-bit picture that a tensor was made of.
std::string bytes_of(const std::vector<float>& tensor) {
  const std::size_t plane = tensor.size() / 3;
  std::string bytes(tensor.size(), '\0');
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      bytes[3 * i + c] = static_cast<char>(std::lround(tensor[c * plane + i] * 255.0F));
    }
  }
  return bytes;
}

TEST_P(Reference, LetterboxedPicturesHaveTheSameBytes) {
  const int side = static_cast<int>(expected().at("input_size").as_int64());
  Letterboxer letterboxer({side, side});
  std::vector<float> tensor(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  ImageDecoder decoder;
  for (const json::value& entry : expected().at("images").as_array()) {
    const LetterboxPlan plan = letterboxer.fill(picture(decoder, entry), tensor);
    EXPECT_EQ(plan.left, entry.at("left").as_int64());
    EXPECT_EQ(plan.top, entry.at("top").as_int64());
    // The reference has one ratio for both sides, from before their rounding.
    EXPECT_NEAR(plan.ratio_x, entry.at("ratio").as_double(), 0.005);
    EXPECT_NEAR(plan.ratio_y, entry.at("ratio").as_double(), 0.005);
    EXPECT_EQ(trust::sha256_hex(bytes_of(tensor)), entry.at("letterboxed_rgb_sha256").as_string())
        << entry.at("file_name").as_string();
  }
}

TEST_P(Reference, RawOutputOnThePatternAgrees) {
  const std::string model = model_bytes();
  ASSERT_EQ(trust::sha256_hex(model), expected().at("sha256").as_string());
  Session session(test_runtime(), model, GetParam());
  const auto side = static_cast<std::size_t>(expected().at("input_size").as_int64());
  const auto length = static_cast<std::int64_t>(side);
  const std::span<float> input = session.bind_input({1, 3, length, length});
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < side; ++y) {
      for (std::size_t x = 0; x < side; ++x) {
        input[(c * side + y) * side + x] =
            static_cast<float>((7 * c + 13 * y + 29 * x) % 256) / 255.0F;
      }
    }
  }
  const Session::Output& output = session.run().front();
  const json::object& pattern = expected().at("pattern_output").as_object();
  ASSERT_EQ(output.shape.size(), 3U);
  const auto channels = static_cast<std::size_t>(output.shape[1]);
  const auto anchors = static_cast<std::size_t>(output.shape[2]);
  EXPECT_EQ(output.shape[2], pattern.at("shape").at(2).as_int64());
  std::size_t anchor = 0;
  for (const json::value& values : pattern.at("every_100th_anchor").as_array()) {
    for (std::size_t c = 0; c < channels; ++c) {
      const double wanted = values.at(c).to_number<double>();
      EXPECT_NEAR(output.values[c * anchors + anchor], wanted, 1e-3 + std::abs(wanted) * 1e-3)
          << "channel " << c << " anchor " << anchor;
    }
    anchor += 100;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < anchors; ++i) sum += output.values[c * anchors + i];
    const double wanted = pattern.at("channel_sums").at(c).to_number<double>();
    EXPECT_NEAR(sum, wanted, std::abs(wanted) * 1e-4) << "channel " << c;
  }
}

TEST_P(Reference, DetectionsAreTheSame) {
  Detector detector(test_runtime(), model_bytes(), GetParam());
  EXPECT_THAT(detector.description().labels, testing::ElementsAre("scratch"));
  ImageDecoder decoder;
  for (const json::value& entry : expected().at("images").as_array()) {
    const Image& image = picture(decoder, entry);
    const LetterboxPlan plan = plan_letterbox(image.size, detector.description().input);
    const auto found = detector.detect(image).detections;
    const json::array& wanted = entry.at("detections").as_array();
    ASSERT_EQ(found.size(), wanted.size()) << entry.at("file_name").as_string();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto number = [&](std::size_t at) {
        return static_cast<float>(wanted[i].at(at).to_number<double>());
      };
      // Compared in the network's input, since the reference was mapped back with one ratio for
      // both sides. At the picture's edge its boxes are clipped half a pixel off.
      const float ratio = entry.at("ratio").to_number<float>();
      const Box& box = found[i].box;
      const float in_input[] = {box.x * static_cast<float>(plan.ratio_x),
                                box.y * static_cast<float>(plan.ratio_y),
                                (box.x + box.width) * static_cast<float>(plan.ratio_x),
                                (box.y + box.height) * static_cast<float>(plan.ratio_y)};
      const bool touches_edge =
          box.x <= 0 || box.y <= 0 ||
          box.x + box.width >= static_cast<float>(plan.source.width) - 0.01F ||
          box.y + box.height >= static_cast<float>(plan.source.height) - 0.01F;
      for (std::size_t side = 0; side < 4; ++side) {
        EXPECT_NEAR(in_input[side], number(side) * ratio, touches_edge ? 0.51 : 0.02);
      }
      EXPECT_NEAR(found[i].confidence, number(4), 2e-4);
      EXPECT_EQ(found[i].class_id, wanted[i].at(5).as_int64());
    }
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Reference);
INSTANTIATE_TEST_SUITE_P(Models, Reference, testing::ValuesIn(reference_models()), name_of);

}  // namespace
}  // namespace andon::vision
