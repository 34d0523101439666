// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/uploader.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {
namespace {

std::string_view content_type(std::string_view picture) {
  if (picture.starts_with("\xFF\xD8")) return "image/jpeg";
  if (picture.starts_with("\x89PNG")) return "image/png";
  return "application/octet-stream";
}

}  // namespace

Uploader::Uploader(UploadSpool& spool, Parts parts, Pauses pauses)
    : spool_(spool), parts_(std::move(parts)), pauses_(pauses), thread_([this] { run(); }) {}

Uploader::~Uploader() {
  spool_.stop();
  thread_.join();
}

void Uploader::run() {
  std::chrono::milliseconds pause = pauses_.first;
  // Short waits would wake an idle device for nothing; adding and stopping both end the wait.
  constexpr std::chrono::hours kIdleWait{1};
  while (spool_.wait(std::chrono::milliseconds(0))) {
    const auto oldest = spool_.wait_for_oldest(kIdleWait);
    if (!oldest) continue;
    try {
      upload(*oldest);
      pause = pauses_.first;
    } catch (const std::exception& error) {
      base::log_warning(
          "a picture in doubt could not be uploaded; trying again",
          {{"key", oldest->key}, {"error", error.what()}, {"pause_ms", pause.count()}});
      spool_.postpone(*oldest);
      if (!spool_.wait(pause)) return;
      pause = std::min(2 * pause, pauses_.longest);
    }
  }
}

void Uploader::upload(const Upload& upload) {
  auto picture = spool_.read_picture(upload);
  while (picture) {
    const auto ask_again = parts_.reserve_link(picture->size() + upload.message.size());
    if (ask_again.count() <= 0) break;
    picture.reset();  // it may be hours
    if (!spool_.wait(ask_again)) return;
    picture = spool_.read_picture(upload);
  }
  if (picture) {
    const std::string bucket = parts_.bucket_name();
    parts_.bucket->put(bucket, upload.key, *picture, content_type(*picture));
    parts_.bucket->put(bucket, upload.key + ".json", upload.message, "application/json");
    base::log_info("picture in doubt uploaded for labelling",
                   {{"bucket", bucket}, {"key", upload.key}});
  }
  spool_.remove(upload);
}

}  // namespace andon::inspect
