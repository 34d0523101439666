// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/sync_name.hpp"
#include "inspect/results/file_tail.hpp"
#include "inspect/results/result_sink.hpp"

namespace andon::inspect {
namespace {

namespace json = base::json;

constexpr std::string_view kHeading =
    "timestamp,image,thing,model_version,width,height,class_id,label,confidence,x,y,box_width,"
    "box_height,error\n";

// As RFC 4180 has it: quoted where it must be.
std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c == '\n' || c == '\r' ? ' ' : c;  // one row, one line
  }
  return quoted + '"';
}

std::string number(const json::value& value) {
  return base::to_text(value);
}

// "timestamp,image": the first two fields of a row; an image's name may be quoted.
std::string key_of(std::string_view row) {
  std::size_t end = row.find(',') + 1;
  for (bool is_quoted = false; end < row.size() && (is_quoted || row[end] != ','); ++end) {
    if (row[end] == '"') is_quoted = !is_quoted;
  }
  return std::string(row.substr(0, end));
}

}  // namespace

std::string to_csv_rows(const std::string& message) {
  try {
    const json::value result = base::parse_json(message, "result message");
    const json::value& image = result.at("image");
    const std::string start =
        fmt::format("{},{},{},{},{},{}", field(result.at("timestamp").as_string()),
                    field(image.at("name").as_string()), field(result.at("thing").as_string()),
                    field(result.at("model").at("version").as_string()), number(image.at("width")),
                    number(image.at("height")));
    const json::object* error = nullptr;
    if (const json::value* found = result.as_object().if_contains("error")) {
      error = &found->as_object();
    }
    const json::array& detections = result.at("detections").as_array();
    if (detections.empty()) {
      return fmt::format("{},,,,,,,,{}\n", start,
                         error == nullptr ? "" : field(error->at("message").as_string()));
    }
    std::string rows;
    for (const json::value& detection : detections) {
      const json::array& box = detection.at("box").as_array();
      rows +=
          fmt::format("{},{},{},{},{},{},{},{},\n", start, number(detection.at("class_id")),
                      field(detection.at("label").as_string()), number(detection.at("confidence")),
                      number(box.at(0)), number(box.at(1)), number(box.at(2)), number(box.at(3)));
    }
    return rows;
  } catch (const std::exception&) {
    throw base::Error(base::ErrorCode::data_corrupted, "a result is not a result message");
  }
}

CsvSink::CsvSink(const base::fs::path& directory) : path_(directory / "results.csv") {
  base::make_directories(directory);
  const FileTail tail = read_tail(path_);
  const std::string& content = tail.content;
  file_ = base::open_file(path_, O_WRONLY | O_CREAT, 0644);
  // Before the journal says what is in it.
  base::sync_name(path_);
  base::sync_name(directory);
  const std::size_t whole = content.rfind('\n') == std::string::npos ? 0 : content.rfind('\n') + 1;
  end_ = tail.start + whole;
  if (end_ == 0) {
    if (ftruncate(file_.get(), 0) != 0) {
      throw base::system_error(fmt::format("cannot repair {}", path_.string()), errno);
    }
    base::write_all(file_.get(), kHeading, path_);
    end_ = kHeading.size();
  }
  last_start_ = end_;
  // Not into the heading, nor into rows that lie before what was read.
  for (std::size_t at = whole; tail.start + at > kHeading.size() && at > 1;) {
    const std::size_t before = content.rfind('\n', at - 2);
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    const std::string key = key_of(std::string_view(content).substr(start, at - 1 - start));
    if (!last_key_.empty() && key != last_key_) break;
    last_key_ = key;
    last_start_ = tail.start + start;
    at = start;
  }
}

void CsvSink::publish(const std::string& message) {
  const std::string rows = to_csv_rows(message);
  const std::string key = key_of(rows);
  const std::uint64_t start = key == last_key_ ? last_start_ : end_;
  if (ftruncate(file_.get(), static_cast<off_t>(start)) != 0 ||
      lseek(file_.get(), static_cast<off_t>(start), SEEK_SET) < 0) {
    throw base::system_error(fmt::format("cannot write {}", path_.string()), errno);
  }
  last_key_ = key;
  last_start_ = start;
  end_ = start;
  base::write_all(file_.get(), rows, path_);
  end_ = start + rows.size();
  if (fdatasync(file_.get()) != 0) {
    throw base::system_error(fmt::format("cannot write {} to the disk", path_.string()), errno);
  }
}

}  // namespace andon::inspect
