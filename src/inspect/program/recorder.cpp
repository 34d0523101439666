// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {

using base::Error;

namespace {

// yyyy/mm/dd
std::string date_folders(base::Timestamp time) {
  std::string date = base::to_iso8601(time).substr(0, 10);
  std::replace(date.begin(), date.end(), '-', '/');
  return date;
}

std::string id_of(const Frame& frame) {
  std::string name = frame.id ? frame.id->path : frame.name;
  if (frame.id && frame.id->frame) name += fmt::format("\n{}", *frame.id->frame);
  return trust::sha256_hex(name).substr(0, 32);
}

}  // namespace

bool Recorder::knows(Frame& frame) {
  const Known known = parts_.journal.knows(*frame.id);
  if (known != Known::if_same) return known == Known::yes;
  read_picture(frame);
  return !frame.problem && parts_.journal.recognise(*frame.id, digest_of(frame.bytes));
}

Recorder::Outcome Recorder::record(const Job& job) {
  if (job.inspection.error) {
    if (job.is_incomplete) return Outcome::not_complete;
    base::log_warning("a picture cannot be inspected",
                      {{"image", job.frame.name}, {"error", job.inspection.error->message()}});
  }
  // Before it is recorded: a crash in between looks at the picture again and replaces the upload.
  enqueue_upload(job);
  parts_.journal.record(job.frame.id, job.message,
                        {.content = job.content, .model = job.model->sha256});
  parts_.metrics.count_frame(job.inspection);
  return Outcome::recorded;
}

void Recorder::enqueue_upload(const Job& job) {
  if (parts_.uploads == nullptr || !job.upload) return;
  const Inspection& inspection = job.inspection;
  Upload upload;
  upload.id = id_of(job.frame);
  upload.key =
      fmt::format("{}/{}/{}", parts_.thing, date_folders(inspection.timestamp), job.frame.name);
  upload.message = job.message;
  try {
    const auto added = parts_.uploads->add(upload, job.frame.bytes, inspection.timestamp);
    parts_.metrics.count_upload(to_string(*job.upload), added == UploadSpool::Added::yes);
    if (added != UploadSpool::Added::yes) {
      base::log_info("a picture in doubt is not uploaded: over the limits",
                     {{"image", job.frame.name}, {"score", inspection.best_score.value_or(0)}});
    }
  } catch (const Error& error) {
    // The result matters more than the upload: a full disk must not stop the line.
    parts_.metrics.count_upload(to_string(*job.upload), false);
    base::log_error("a picture in doubt could not be kept for upload",
                    {{"image", job.frame.name}, {"error", error.message()}});
  }
}

void Recorder::publish() {
  while (!parts_.journal.pending().empty()) {
    const auto& [number, pending] = *parts_.journal.pending().begin();
    const auto start = std::chrono::steady_clock::now();
    for (ResultSink* sink : parts_.sinks) sink->publish(pending.message);
    parts_.metrics.observe(Stage::sink, std::chrono::steady_clock::now() - start);
    parts_.journal.set_published(number);
  }
}

}  // namespace andon::inspect
