// SPDX-License-Identifier: Apache-2.0
#include "wire/otlp/otlp_message.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"

namespace andon::wire {
namespace {

namespace json = base::json;

constexpr std::size_t kMostReason = 300;
constexpr std::size_t kMostAnswer = 64U << 10U;
constexpr std::int64_t kLongestWaitSeconds = 300;
constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

std::string nanos(base::Timestamp time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

json::object attribute(std::string_view name, std::string_view value) {
  return {{"key", base::to_valid_utf8(name)},
          {"value", json::object{{"stringValue", base::to_valid_utf8(value)}}}};
}

json::array to_array(const OtlpAttributes& attributes) {
  json::array all;
  for (const auto& [name, value] : attributes) all.push_back(attribute(name, value));
  return all;
}

std::string_view severity_text(OtlpSeverity severity) {
  switch (severity) {
    case OtlpSeverity::debug:
      return "DEBUG";
    case OtlpSeverity::info:
      return "INFO";
    case OtlpSeverity::warning:
      return "WARN";
    case OtlpSeverity::error:
      return "ERROR";
  }
  return "INFO";
}

json::object to_json(const OtlpLogRecord& record) {
  return {{"timeUnixNano", nanos(record.time)},
          {"observedTimeUnixNano", nanos(record.time)},
          {"severityNumber", static_cast<int>(record.severity)},
          {"severityText", severity_text(record.severity)},
          {"body", json::object{{"stringValue", base::to_valid_utf8(record.body)}}},
          {"attributes", to_array(record.attributes)}};
}

// `key="value"` pairs, as they stand between the braces of a sample.
OtlpAttributes read_labels(std::string_view text) {
  OtlpAttributes labels;
  while (!text.empty()) {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) break;
    std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    std::string value;
    while (!text.empty() && text.front() != '"') {
      char letter = text.front();
      text.remove_prefix(1);
      if (letter == '\\' && !text.empty()) {
        letter = text.front() == 'n' ? '\n' : text.front();
        text.remove_prefix(1);
      }
      value += letter;
    }
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    if (text.starts_with(',')) text.remove_prefix(1);
    labels.emplace_back(std::move(name), std::move(value));
  }
  return labels;
}

struct Sample {
  std::string_view name;
  OtlpAttributes labels;
  std::string_view value;
};

std::optional<Sample> read_sample(std::string_view line) {
  const std::size_t blank = line.rfind(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  Sample sample{.name = line.substr(0, blank), .labels = {}, .value = line.substr(blank + 1)};
  if (const std::size_t brace = sample.name.find('{'); brace != std::string_view::npos) {
    std::string_view labels = sample.name.substr(brace + 1);
    labels = labels.substr(0, labels.rfind('}'));
    sample.labels = read_labels(labels);
    sample.name = sample.name.substr(0, brace);
  }
  return sample;
}

double number_of(std::string_view text) {
  return base::parse_number(text).value_or(0);
}

// One metric of the page: its samples become data points.
class Metric {
 public:
  Metric(std::string_view name, std::string_view help) : name_(name), help_(help) {}

  void set_type(std::string_view type) { type_ = type; }
  [[nodiscard]] std::string_view name() const { return name_; }

  void add(Sample sample) {
    if (type_ != "histogram") {
      points_.push_back(
          {{"attributes", to_array(sample.labels)}, {"asDouble", number_of(sample.value)}});
      return;
    }
    const std::string_view part = sample.name.substr(std::min(sample.name.size(), name_.size()));
    std::string bound;
    std::erase_if(sample.labels, [&bound](const auto& label) {
      if (label.first != "le") return false;
      bound = label.second;
      return true;
    });
    Buckets& buckets = histograms_[sample.labels];
    if (part == "_sum") buckets.sum = number_of(sample.value);
    if (part != "_bucket") return;
    const auto below = base::parse_integer<std::uint64_t>(sample.value).value_or(0);
    if (bound != "+Inf") buckets.bounds.emplace_back(number_of(bound));
    buckets.counts.emplace_back(std::to_string(below - std::min(buckets.below, below)));
    buckets.below = below;
  }

  // Nothing where it has no samples.
  [[nodiscard]] std::optional<json::object> finish(const std::string& start,
                                                   const std::string& now) {
    for (auto& [labels, buckets] : histograms_) {
      points_.push_back({{"attributes", to_array(labels)},
                         {"count", std::to_string(buckets.below)},
                         {"sum", buckets.sum},
                         {"bucketCounts", std::move(buckets.counts)},
                         {"explicitBounds", std::move(buckets.bounds)}});
    }
    if (points_.empty()) return std::nullopt;
    json::array points;
    for (json::object& point : points_) {
      if (type_ != "gauge") point["startTimeUnixNano"] = start;
      point["timeUnixNano"] = now;
      points.push_back(std::move(point));
    }
    json::object data{{"dataPoints", std::move(points)}};
    if (type_ != "gauge") data["aggregationTemporality"] = kCumulative;
    if (type_ == "counter") data["isMonotonic"] = true;
    const std::string_view kind = type_ == "counter" ? "sum" : type_;
    return json::object{{"name", name_}, {"description", help_}, {kind, std::move(data)}};
  }

 private:
  struct Buckets {
    json::array bounds = {};
    json::array counts = {};
    std::uint64_t below = 0;
    double sum = 0;
  };
  std::string_view name_;
  std::string_view help_;
  std::string_view type_ = "gauge";
  std::vector<json::object> points_;
  std::map<OtlpAttributes, Buckets> histograms_;
};

// "# HELP name text" -> {"name", "text"}.
std::optional<std::pair<std::string_view, std::string_view>> read_comment(std::string_view line,
                                                                          std::string_view what) {
  if (!line.starts_with(what)) return std::nullopt;
  line.remove_prefix(what.size());
  const std::size_t blank = std::min(line.find(' '), line.size());
  return std::pair(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
}

std::string short_text(std::string_view text) {
  return base::to_valid_utf8(base::utf8_prefix(text, kMostReason));
}

// What a success says of records that were rejected.
void read_partial_success(const std::string& body, OtlpAnswer& answer) {
  try {
    const json::value value = base::parse_json(body, "answer", {.max_bytes = kMostAnswer});
    const auto* const object = value.if_object();
    const auto* const part = object == nullptr ? nullptr : object->if_contains("partialSuccess");
    if (part == nullptr || !part->is_object()) return;
    for (const auto& [name, inner] : part->get_object()) {
      if (name == "errorMessage" && inner.is_string()) {
        answer.reason = short_text(inner.get_string());
      } else if (name.starts_with("rejected")) {
        const std::string number =
            inner.is_string() ? std::string(inner.get_string()) : base::to_text(inner);
        answer.rejected = base::parse_integer<std::uint64_t>(number).value_or(0);
      }
    }
  } catch (const base::Error&) {
    // It has taken them; what else it says is not needed.
    return;
  }
}

}  // namespace

std::string to_otlp_logs(const OtlpAttributes& resource, std::span<const OtlpLogRecord> records) {
  std::map<std::string_view, json::array> by_scope;
  for (const OtlpLogRecord& record : records) by_scope[record.scope].push_back(to_json(record));
  json::array scopes;
  for (auto& [scope, all] : by_scope) {
    scopes.push_back(
        json::object{{"scope", json::object{{"name", scope}}}, {"logRecords", std::move(all)}});
  }
  return base::to_text(json::object{
      {"resourceLogs",
       json::array{json::object{{"resource", json::object{{"attributes", to_array(resource)}}},
                                {"scopeLogs", std::move(scopes)}}}}});
}

std::string to_otlp_metrics(const OtlpAttributes& resource, std::string_view page,
                            base::Timestamp start, base::Timestamp now) {
  const std::string start_text = nanos(start);
  const std::string now_text = nanos(now);
  json::array metrics;
  std::optional<Metric> metric;
  const auto finish = [&] {
    if (!metric) return;
    if (auto made = metric->finish(start_text, now_text)) metrics.push_back(*std::move(made));
    metric.reset();
  };
  for (const std::string_view line : base::split(page, '\n')) {
    if (const auto help = read_comment(line, "# HELP ")) {
      finish();
      metric.emplace(help->first, help->second);
    } else if (const auto type = read_comment(line, "# TYPE ")) {
      if (metric && metric->name() == type->first) metric->set_type(type->second);
    } else if (auto sample = metric && !line.empty() ? read_sample(line) : std::nullopt) {
      if (sample->name.starts_with(metric->name())) metric->add(*std::move(sample));
    }
  }
  finish();
  return base::to_text(json::object{
      {"resourceMetrics",
       json::array{json::object{
           {"resource", json::object{{"attributes", to_array(resource)}}},
           {"scopeMetrics",
            json::array{json::object{{"scope", json::object{{"name", "andon.metrics"}}},
                                     {"metrics", std::move(metrics)}}}}}}}});
}

OtlpAnswer read_otlp_answer(const IncomingResponse& response) {
  constexpr std::array kAgain{429, 502, 503, 504};
  OtlpAnswer answer;
  if (response.status >= 200 && response.status < 300) {
    read_partial_success(response.body, answer);
    return answer;
  }
  answer.reason = "it answers " + std::to_string(response.status);
  if (std::ranges::find(kAgain, response.status) == kAgain.end()) {
    answer.outcome = OtlpAnswer::Outcome::refused;
    if (!response.body.empty()) answer.reason += ": " + short_text(response.body);
    return answer;
  }
  answer.outcome = OtlpAnswer::Outcome::again;
  const auto wait =
      base::parse_integer<std::int64_t>(response.headers.find("Retry-After").value_or(""));
  if (wait)
    answer.wait = std::chrono::seconds(std::clamp<std::int64_t>(*wait, 0, kLongestWaitSeconds));
  return answer;
}

}  // namespace andon::wire
