// SPDX-License-Identifier: Apache-2.0
#include "report/page/evaluation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error/error.hpp"
#include "base/text/utf8.hpp"
#include "report/chart/chart.hpp"
#include "report/chart/html.hpp"
#include "report/chart/picture.hpp"

namespace andon::report {
namespace {

namespace json = base::json;
using evaluate::ClassPrecision;
using evaluate::ClassWorkingPoint;
using evaluate::CurvePoint;
using evaluate::Rates;

constexpr std::size_t kWorstShown = 12;
constexpr std::size_t kCurvesShown = 8;
constexpr std::size_t kMatrixSide = 30;
constexpr std::size_t kConfusionsShown = 20;

json::value maybe(std::optional<double> value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value best_json(const std::optional<CurvePoint>& best) {
  if (!best) return nullptr;
  json::object object = to_json(best->rates);
  object["confidence"] = best->confidence;
  return object;
}

json::object class_json(const evaluate::Category& category, const ClassPrecision& precision,
                        const ClassWorkingPoint& point) {
  return {{"id", category.id},
          {"name", category.name},
          {"objects", precision.objects},
          {"findings", precision.findings},
          {"mAP50_95", maybe(precision.map50_95)},
          {"mAP50", maybe(precision.map50)},
          {"mAP75", maybe(precision.map75)},
          {"recallMax", maybe(precision.recall)},
          {"atConfidence", to_json(point.rates)},
          {"bestF1", best_json(point.best)},
          {"precisionAtRecall", json::array(precision.precision_at_recall50.begin(),
                                            precision.precision_at_recall50.end())}};
}

json::array curve_json(const std::vector<CurvePoint>& curve) {
  json::array points;
  for (const CurvePoint& point : curve) {
    json::object object = to_json(point.rates);
    object["confidence"] = point.confidence;
    points.push_back(std::move(object));
  }
  return points;
}

json::object confusion_json(const EvaluationReport& report) {
  const evaluate::ConfusionMatrix& matrix = report.point.confusion;
  json::array names;
  for (const auto& category : report.dataset.categories) names.emplace_back(category.name);
  names.emplace_back(nullptr);
  json::array rows;
  for (std::size_t found = 0; found <= matrix.classes; ++found) {
    json::array row;
    for (std::size_t there = 0; there <= matrix.classes; ++there) {
      row.emplace_back(matrix.at(found, there));
    }
    rows.emplace_back(std::move(row));
  }
  return {{"names", std::move(names)}, {"foundByThere", std::move(rows)}};
}

// Categories with most objects first, those without left out.
std::vector<std::size_t> by_objects(const EvaluationReport& report) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < report.precision.classes.size(); ++i) {
    if (report.precision.classes[i].objects > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return report.precision.classes[a].objects > report.precision.classes[b].objects;
  });
  return order;
}

std::string precision_chart(const EvaluationReport& report) {
  LineChart chart{.title = "Precision over recall, IoU 0.50",
                  .x_label = "recall",
                  .series = {},
                  .mark_label = {}};
  const std::vector<std::size_t> order = by_objects(report);
  const auto points_of = [](const std::vector<double>& curve) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < curve.size(); ++i) {
      points.emplace_back(static_cast<double>(i) / 100, curve[i]);
    }
    return points;
  };
  if (order.size() > 1) {
    std::vector<double> mean(evaluate::kRecallPoints, 0.0);
    for (const std::size_t i : order) {
      for (std::size_t p = 0; p < mean.size(); ++p) {
        mean[p] += report.precision.classes[i].precision_at_recall50[p] /
                   static_cast<double>(order.size());
      }
    }
    chart.series.push_back({"mean of all classes", points_of(mean)});
  }
  for (const std::size_t i : order) {
    if (chart.series.size() == kCurvesShown) break;
    chart.series.push_back({report.dataset.categories[i].name,
                            points_of(report.precision.classes[i].precision_at_recall50)});
  }
  return line_chart(chart);
}

std::string confidence_chart(const EvaluationReport& report) {
  LineChart chart{.title = "Precision, recall and F1 over confidence, IoU 0.50",
                  .x_label = "confidence",
                  .series = {{"F1", {}}, {"precision", {}}, {"recall", {}}},
                  .mark = report.point.options.confidence,
                  .mark_label = fmt::format("chosen {:.2f}", report.point.options.confidence)};
  if (report.point.options.iou != 0.5) {
    chart.title = fmt::format("Precision, recall and F1 over confidence, IoU {:.2f}",
                              report.point.options.iou);
  }
  for (const CurvePoint& point : report.point.curve) {
    if (const auto f1 = point.rates.f1())
      chart.series[0].points.emplace_back(point.confidence, *f1);
    if (const auto precision = point.rates.precision()) {
      chart.series[1].points.emplace_back(point.confidence, *precision);
    }
    if (const auto recall = point.rates.recall()) {
      chart.series[2].points.emplace_back(point.confidence, *recall);
    }
  }
  return line_chart(chart);
}

std::string confusion_section(const EvaluationReport& report) {
  const evaluate::ConfusionMatrix& matrix = report.point.confusion;
  if (matrix.classes < kMatrixSide) {
    MatrixChart chart{
        fmt::format("Confusion at confidence {:.2f}", report.point.options.confidence),
        "found",
        "there",
        {},
        matrix.counts};
    for (const auto& category : report.dataset.categories) chart.names.push_back(category.name);
    chart.names.emplace_back("nothing");
    return matrix_chart(chart);
  }
  struct Confusion {
    std::size_t count;
    std::size_t found;
    std::size_t there;
  };
  std::vector<Confusion> confusions;
  for (std::size_t found = 0; found <= matrix.classes; ++found) {
    for (std::size_t there = 0; there <= matrix.classes; ++there) {
      if (found != there && matrix.at(found, there) > 0) {
        confusions.push_back({matrix.at(found, there), found, there});
      }
    }
  }
  std::stable_sort(confusions.begin(), confusions.end(),
                   [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  Table confusion_table{{"most frequent confusions: there", "found", "count"}, {}};
  const auto name = [&](std::size_t category) {
    return category < matrix.classes ? report.dataset.categories[category].name : "nothing";
  };
  for (const Confusion& confusion : confusions) {
    if (confusion_table.rows.size() == kConfusionsShown) break;
    confusion_table.rows.push_back(
        {name(confusion.there), name(confusion.found), std::to_string(confusion.count)});
  }
  return table(confusion_table);
}

std::string class_table(const EvaluationReport& report) {
  Table rows{{"class", "objects", "mAP50-95", "mAP50", "mAP75", "precision", "recall", "F1",
              "best F1", "at confidence"},
             {}};
  const auto add = [&](const std::string& name, std::size_t objects, std::optional<double> map50_95,
                       std::optional<double> map50, std::optional<double> map75, const Rates& rates,
                       const std::optional<CurvePoint>& best) {
    rows.rows.push_back({name, std::to_string(objects), number(map50_95), number(map50),
                         number(map75), number(rates.precision()), number(rates.recall()),
                         number(rates.f1()), number(best ? best->rates.f1() : std::nullopt),
                         number(best ? std::optional(best->confidence) : std::nullopt)});
  };
  std::size_t objects = 0;
  for (const ClassPrecision& row : report.precision.classes) objects += row.objects;
  add("all", objects, report.precision.map50_95, report.precision.map50, report.precision.map75,
      report.point.rates, report.point.best);
  for (std::size_t i = 0; i < report.precision.classes.size(); ++i) {
    const ClassPrecision& row = report.precision.classes[i];
    if (row.objects == 0 && row.findings == 0) continue;
    add(report.dataset.categories[i].name, row.objects, row.map50_95, row.map50, row.map75,
        report.point.classes[i].rates, report.point.classes[i].best);
  }
  return table(rows);
}

std::string area_table(const EvaluationReport& report) {
  const evaluate::AveragePrecision& precision = report.precision;
  return table({{"objects", "mAP50-95", "recall"},
                {{"small, below 32\u00d732 pixels", number(precision.small.map50_95),
                  number(precision.small.recall)},
                 {"medium, to 96\u00d796", number(precision.medium.map50_95),
                  number(precision.medium.recall)},
                 {"large", number(precision.large.map50_95), number(precision.large.recall)}}});
}

std::string picture_of(const EvaluationReport& report, const evaluate::ImageErrors& errors,
                       const base::fs::path& file) {
  const evaluate::LabelledImage& image = report.dataset.images[errors.image];
  const evaluate::ImageVerdict verdict = evaluate::judge_image(
      report.dataset, errors.image, report.findings[errors.image], report.point.options);
  const bool is_single_class = report.dataset.categories.size() == 1;
  Picture shown{
      file,
      fmt::format("{}: {} missed, {} wrong", image.file_name, errors.missed, errors.wrong),
      {}};
  for (std::size_t t = 0; t < image.truths.size(); ++t) {
    const evaluate::Truth& truth = image.truths[t];
    const std::string& name = report.dataset.categories[truth.category].name;
    shown.boxes.push_back(
        {truth.box, verdict.is_found[t] ? "" : "missed" + (is_single_class ? "" : " " + name),
         verdict.is_found[t] ? BoxStyle::labelled : BoxStyle::missed});
  }
  for (std::size_t f = 0; f < verdict.findings.size(); ++f) {
    const evaluate::Finding& finding = verdict.findings[f];
    const std::string score = fmt::format("{:.2f}", finding.confidence);
    shown.boxes.push_back(
        {finding.box,
         is_single_class ? score : report.dataset.categories[finding.category].name + " " + score,
         verdict.is_right[f] ? BoxStyle::right : BoxStyle::wrong, finding.confidence});
  }
  return picture(shown);
}

std::string worst_section(const EvaluationReport& report, std::span<const base::fs::path> files) {
  const auto worst = evaluate::worst_images(report.point, kWorstShown);
  std::string text = heading("Pictures with most mistakes");
  if (worst.empty()) return text + paragraph("None: every object was found, and nothing else.");
  text += picture_legend({{BoxStyle::labelled, "labelled, found"},
                          {BoxStyle::missed, "labelled, missed"},
                          {BoxStyle::right, "found, right"},
                          {BoxStyle::wrong, "found, wrong"}});
  std::vector<std::string> pictures;
  for (const evaluate::ImageErrors& errors : worst) {
    pictures.push_back(picture_of(report, errors, files[errors.image]));
  }
  return text + gallery(pictures);
}

std::string how_it_was_made(const EvaluationReport& report) {
  std::vector<std::pair<std::string, std::string>> rows;
  if (report.model) {
    rows.emplace_back(
        "model",
        fmt::format("{}, {}, input {}x{}, {}", report.model->name, megabytes(report.model->bytes),
                    report.model->input.width, report.model->input.height, report.model->digest));
  } else {
    rows.emplace_back("findings", report.findings_file);
  }
  rows.emplace_back("labels", report.labels_file);
  rows.emplace_back("average precision",
                    fmt::format("COCO's: IoU 0.50 to 0.95, 101 recalls, the best {} findings of "
                                "each class and picture",
                                report.max_detections));
  rows.emplace_back("precision, recall, F1, mistakes",
                    fmt::format("findings above confidence {} that cover an object of their class "
                                "with IoU {} or more are right",
                                report.point.options.confidence, report.point.options.iou));
  if (report.suppression_iou > 0) {
    rows.emplace_back("suppression", fmt::format("IoU {:.2f}", report.suppression_iou));
  }
  rows.emplace_back("made by", report.runtime.empty()
                                   ? report.tool
                                   : report.tool + ", ONNX Runtime " + report.runtime);
  for (const std::string& warning : report.dataset.warnings) rows.emplace_back("warning", warning);
  return heading("How it was measured") + facts(rows);
}

}  // namespace

json::object to_json(const ModelFacts& model) {
  return {{"name", base::to_valid_utf8(model.name, "?")},
          {"digest", model.digest},
          {"bytes", model.bytes},
          {"input", json::object{{"width", model.input.width}, {"height", model.input.height}}},
          {"classes", model.classes}};
}

json::object to_json(const Rates& rates) {
  return {{"right", rates.right},
          {"wrong", rates.wrong},
          {"missed", rates.missed},
          {"precision", maybe(rates.precision())},
          {"recall", maybe(rates.recall())},
          {"f1", maybe(rates.f1())}};
}

json::object to_json(const evaluate::AveragePrecision& precision) {
  const auto area = [](const evaluate::AreaPrecision& range) {
    return json::object{{"mAP50_95", maybe(range.map50_95)}, {"recall", maybe(range.recall)}};
  };
  return {{"mAP50_95", maybe(precision.map50_95)},  {"mAP50", maybe(precision.map50)},
          {"mAP75", maybe(precision.map75)},        {"recall1", maybe(precision.recall[0])},
          {"recall10", maybe(precision.recall[1])}, {"recallMax", maybe(precision.recall[2])},
          {"small", area(precision.small)},         {"medium", area(precision.medium)},
          {"large", area(precision.large)}};
}

json::object to_json(const EvaluationReport& report, std::span<const ReportPicture> pictures) {
  json::object object{{"tool", report.tool}};
  if (!report.runtime.empty()) object["runtime"] = report.runtime;
  if (report.model) object["model"] = to_json(*report.model);
  if (!report.findings_file.empty())
    object["detections"] = base::to_valid_utf8(report.findings_file, "?");
  object["labels"] = base::to_valid_utf8(report.labels_file, "?");
  object["images"] = report.dataset.images.size();
  object["objects"] = report.dataset.count_truths();
  object["maxDetections"] = report.max_detections;
  object["averagePrecision"] = to_json(report.precision);
  json::object at = to_json(report.point.rates);
  at["confidence"] = report.point.options.confidence;
  at["iou"] = report.point.options.iou;
  object["atConfidence"] = std::move(at);
  object["bestF1"] = best_json(report.point.best);
  object["imagesWithoutObjects"] = report.point.images_without_objects;
  object["falseAlarmImages"] = report.point.false_alarm_images;
  json::array classes;
  for (std::size_t i = 0; i < report.precision.classes.size(); ++i) {
    classes.push_back(class_json(report.dataset.categories[i], report.precision.classes[i],
                                 report.point.classes[i]));
  }
  object["classes"] = std::move(classes);
  object["confusion"] = confusion_json(report);
  object["curve"] = curve_json(report.point.curve);
  json::array worst;
  for (const auto& errors : evaluate::worst_images(report.point, kWorstShown)) {
    worst.push_back(json::object{{"fileName", report.dataset.images[errors.image].file_name},
                                 {"missed", errors.missed},
                                 {"wrong", errors.wrong}});
    const std::size_t rank = worst.size() - 1;
    if (rank < pictures.size() && !pictures[rank].place.empty()) {
      worst.back().as_object()["picture"] = pictures[rank].place;
    }
  }
  object["worstImages"] = std::move(worst);
  object["warnings"] = json::array(report.dataset.warnings.begin(), report.dataset.warnings.end());
  return object;
}

std::vector<ReportPicture> worst_pictures(const EvaluationReport& report,
                                          std::span<const base::fs::path> files) {
  constexpr int kLongSide = 1280;
  std::vector<ReportPicture> pictures;
  if (files.empty()) return pictures;
  for (const evaluate::ImageErrors& errors : evaluate::worst_images(report.point, kWorstShown)) {
    try {
      pictures.push_back({fmt::format("pictures/{}.jpg", pictures.size() + 1),
                          small_jpeg(files[errors.image], kLongSide)});
    } catch (const base::Error&) {
      pictures.emplace_back();  // the page says why
    }
  }
  return pictures;
}

std::string to_html(const EvaluationReport& report, std::span<const base::fs::path> files) {
  const std::string name = report.model ? report.model->name : report.findings_file;
  const evaluate::WorkingPoint& point = report.point;
  std::string body = paragraph(fmt::format(
      "Pictures: {}. Labelled objects: {}, of {} categories. Pictures without any: {}, of which "
      "something was reported in {}.",
      report.dataset.images.size(), report.dataset.count_truths(), report.dataset.categories.size(),
      point.images_without_objects, point.false_alarm_images));
  const std::string at = fmt::format("at confidence {:.2f}", point.options.confidence);
  body +=
      headlines({{"mAP50-95", number(report.precision.map50_95), "mean over IoU 0.50 to 0.95"},
                 {"mAP50", number(report.precision.map50), "IoU 0.50"},
                 {"precision", number(point.rates.precision()), at},
                 {"recall", number(point.rates.recall()), at},
                 {"F1", number(point.rates.f1()), at},
                 {"best F1", number(point.best ? point.best->rates.f1() : std::nullopt),
                  point.best ? fmt::format("at confidence {:.3f}", point.best->confidence) : ""}});
  body += heading("Classes") + class_table(report);
  body += heading("Curves") + gallery({precision_chart(report), confidence_chart(report)});
  body += heading("What is taken for what") + confusion_section(report);
  body += heading("By size") + area_table(report);
  if (!files.empty()) body += worst_section(report, files);
  body += how_it_was_made(report);
  return page("Evaluation of " + name, body);
}

std::string to_text(const EvaluationReport& report, std::size_t max_classes) {
  std::size_t width = 5;
  for (const auto& category : report.dataset.categories) {
    width = std::clamp(category.name.size(), width, std::size_t{28});
  }
  std::string text = fmt::format(
      "{:<{}}  objects  mAP50-95   mAP50   mAP75  precision  recall     F1  best F1 at\n", "class",
      width);
  const auto add = [&](const std::string& name, std::size_t objects, std::optional<double> map50_95,
                       std::optional<double> map50, std::optional<double> map75, const Rates& rates,
                       const std::optional<CurvePoint>& best) {
    const auto figure = [](std::optional<double> value) {
      return value ? fmt::format("{:.3f}", *value) : std::string("-");
    };
    text += fmt::format("{:<{}}  {:>7}  {:>8}  {:>6}  {:>6}  {:>9}  {:>6}  {:>5}  {:>10}\n",
                        name.substr(0, width), width, objects, figure(map50_95), figure(map50),
                        figure(map75), figure(rates.precision()), figure(rates.recall()),
                        figure(rates.f1()),
                        figure(best ? std::optional(best->confidence) : std::nullopt));
  };
  std::size_t objects = 0;
  for (const ClassPrecision& row : report.precision.classes) objects += row.objects;
  add("all", objects, report.precision.map50_95, report.precision.map50, report.precision.map75,
      report.point.rates, report.point.best);
  const std::vector<std::size_t> order = by_objects(report);
  for (std::size_t i = 0; i < std::min(order.size(), max_classes); ++i) {
    const ClassPrecision& row = report.precision.classes[order[i]];
    add(report.dataset.categories[order[i]].name, row.objects, row.map50_95, row.map50, row.map75,
        report.point.classes[order[i]].rates, report.point.classes[order[i]].best);
  }
  if (order.size() > max_classes) {
    text += fmt::format("... and {} classes more (--json, --report)\n", order.size() - max_classes);
  }
  return text;
}

}  // namespace andon::report
