// SPDX-License-Identifier: Apache-2.0
#include "report/page/differences.hpp"

#include <fmt/format.h>

#include "base/json/json.hpp"
#include "base/text/utf8.hpp"
#include "report/chart/html.hpp"
#include "report/chart/picture.hpp"

namespace andon::report {
namespace {

namespace json = base::json;

std::string picture_of(const Differences& differences, const evaluate::ImageAgreement& image) {
  const base::fs::path& file = differences.files[image.image];
  Picture shown{file,
                fmt::format("{}: {} found {}, {} {}; similarity {:.3f}", file.filename().string(),
                            differences.names[0], image.left, differences.names[1], image.right,
                            image.similarity()),
                {}};
  for (const std::size_t side : {0U, 1U}) {
    for (const vision::Detection& detection : differences.detections[side][image.image]) {
      if (!(detection.confidence > differences.agreement.options.confidence)) continue;
      const auto class_id = static_cast<std::size_t>(detection.class_id);
      const std::string name = differences.labels.size() > 1 && class_id < differences.labels.size()
                                   ? differences.labels[class_id] + " "
                                   : "";
      const vision::Box& box = detection.box;
      shown.boxes.push_back(
          {{box.x, box.y, box.width, box.height},
           fmt::format("{} {}{:.2f}", differences.names[side], name, detection.confidence),
           side == 0 ? BoxStyle::first : BoxStyle::second,
           double{detection.confidence}});
    }
  }
  return picture(shown);
}

}  // namespace

std::string to_html(const Differences& differences) {
  const auto chosen = evaluate::least_alike(differences.agreement, kDifferencesShown);
  std::string text = heading("Pictures where they differ most");
  if (chosen.empty()) return text + paragraph("None: both found the same everywhere.");
  text += picture_legend(
      {{BoxStyle::first, differences.names[0]}, {BoxStyle::second, differences.names[1]}});
  std::vector<std::string> pictures;
  for (const auto& image : chosen) pictures.push_back(picture_of(differences, image));
  return text + gallery(pictures);
}

json::array to_json(const Differences& differences) {
  json::array list;
  for (const auto& image : evaluate::least_alike(differences.agreement, kDifferencesShown)) {
    list.push_back(json::object{
        {"fileName", base::to_valid_utf8(differences.files[image.image].filename().string(), "?")},
        {"similarity", image.similarity()},
        {"first", image.left},
        {"second", image.right}});
  }
  return list;
}

std::string counts_in_words(const evaluate::Agreement& agreement) {
  std::string text = fmt::format("{} were found by both", agreement.both);
  if (const std::size_t near = agreement.paired - agreement.both; near > 0) {
    text += fmt::format(", {} by one while the other's score of it is below", near);
  }
  return text + fmt::format(", {} by one alone", agreement.alone);
}

std::string summary(const Differences& differences) {
  const evaluate::Agreement& agreement = differences.agreement;
  return fmt::format(
      "On {} pictures, above confidence {:.2f}: {} found {}, {} {}. Of these {}. Pairs overlap "
      "with "
      "a mean IoU of {:.3f}, and their scores differ by {:.3f} in the mean and {:.3f} at most. On "
      "{} "
      "pictures the counts differ, on {} one found something and the other nothing.",
      differences.files.size(), agreement.options.confidence, differences.names[0], agreement.left,
      differences.names[1], agreement.right, counts_in_words(agreement), agreement.mean_iou,
      agreement.mean_score_difference, agreement.max_score_difference,
      agreement.images_with_other_counts, agreement.images_with_other_verdict);
}

}  // namespace andon::report
