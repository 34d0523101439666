// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/s3_export.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

namespace {

constexpr std::int64_t kDefaultThreshold = 5'242'880;
constexpr std::int64_t kMostParts = 10'000;
constexpr std::size_t kMostStateBytes = 4U << 20U;

// The task cannot succeed.
class Refused : public Error {
 public:
  using Error::Error;
};

std::string file_of(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

struct stat status_of(int fd, const S3Task& task) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    throw base::system_error("cannot look at " + task.input.string(), errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Refused(ErrorCode::invalid_argument, task.input.string() + " is not a file");
  }
  return status;
}

std::int64_t changed_ns(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::string read_part(int fd, std::int64_t offset, std::int64_t bytes, const S3Task& task) {
  std::string part(static_cast<std::size_t>(bytes), '\0');
  std::size_t got = 0;
  while (got < part.size()) {
    const ssize_t count = pread(fd, part.data() + got, part.size() - got,
                                static_cast<off_t>(static_cast<std::size_t>(offset) + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error("cannot read " + task.input.string(), errno);
    if (count == 0) throw Error(ErrorCode::conflict, task.input.string() + " has become shorter");
    got += static_cast<std::size_t>(count);
  }
  return part;
}

}  // namespace

S3Export::S3Export(S3ExportSettings settings, const ExportWorld& world, base::fs::path state_file)
    : settings_(std::move(settings)),
      world_(world),
      state_file_(std::move(state_file)),
      store_(world) {}

ExportOutcome S3Export::send(const ExportBatch& batch, const std::atomic<bool>& cancelled) {
  const StreamMessage& message = batch.messages.front();
  try {
    return run(read_s3_task(message.payload), message.sequence, cancelled);
  } catch (const Refused& error) {
    return {ExportOutcome::Kind::refused, 0, error.message(), 1};
  } catch (const Error& error) {
    const bool is_bad = error.code() == ErrorCode::invalid_argument;
    if (is_bad) return {ExportOutcome::Kind::refused, 0, error.message(), 1};
    return {ExportOutcome::Kind::retry, 0, error.message(), 0};
  }
}

ExportOutcome S3Export::run(const S3Task& task, std::int64_t sequence,
                            const std::atomic<bool>& cancelled) {
  begin(task, sequence, cancelled);
  base::UniqueFd file;
  try {
    file = world_.open_input(task.input);
  } catch (const Error& error) {
    throw Refused(error.code(), error.message());
  }
  try {
    const struct stat status = status_of(file.get(), task);
    const std::int64_t threshold = settings_.multipart_threshold.value_or(kDefaultThreshold);
    const std::int64_t changed = changed_ns(status);
    const bool is_other =
        upload_->file_bytes != status.st_size || upload_->file_changed_ns != changed;
    if (is_other && !upload_->id.empty()) abort_upload(cancelled);
    upload_->file_bytes = status.st_size;
    upload_->file_changed_ns = changed;
    if (status.st_size <= threshold) {
      put_whole(task, file.get(), cancelled);
    } else {
      put_parts(task, file.get(), cancelled);
    }
    const struct stat after = status_of(file.get(), task);
    if (after.st_size != status.st_size || changed_ns(after) != changed) {
      throw Error(ErrorCode::conflict, task.input.string() + " has changed while it was sent");
    }
  } catch (const Refused&) {
    if (!upload_->id.empty()) abort_upload(cancelled);
    forget();
    throw;
  }
  forget();
  return {.done = 1};
}

void S3Export::begin(const S3Task& task, std::int64_t sequence,
                     const std::atomic<bool>& cancelled) {
  if (!std::exchange(is_loaded_, true)) load();
  if (upload_ && upload_->sequence == sequence) return;
  if (upload_ && !upload_->id.empty()) abort_upload(cancelled);
  Upload fresh;
  fresh.sequence = sequence;
  fresh.bucket = task.bucket;
  fresh.key = resolve_key(task.key, clock_.now());
  upload_ = std::move(fresh);
  save();
}

void S3Export::put_whole(const S3Task& task, int file, const std::atomic<bool>& cancelled) {
  world_.await_budget(static_cast<std::uint64_t>(upload_->file_bytes), cancelled);
  ObjectClient::Request request;
  request.method = "PUT";
  for (const auto& [name, value] : task.metadata) request.headers.set("x-amz-meta-" + name, value);
  request.headers.set("Content-Type", "application/octet-stream");
  if (upload_->file_bytes > 0) {
    request.body_file = file_of(file);
    request.payload_sha256 = trust::sha256_hex_of_file(request.body_file);
  }
  static_cast<void>(call(std::move(request), cancelled));
}

void S3Export::put_parts(const S3Task& task, int file, const std::atomic<bool>& cancelled) {
  if (upload_->id.empty()) {
    const std::int64_t least = (upload_->file_bytes + kMostParts - 1) / kMostParts;
    upload_->part_bytes = std::max(world_.part_bytes, least);
    upload_->etags.clear();
    ObjectClient::Request request;
    request.method = "POST";
    request.query = "uploads=";
    for (const auto& [name, value] : task.metadata) {
      request.headers.set("x-amz-meta-" + name, value);
    }
    request.headers.set("Content-Type", "application/octet-stream");
    upload_->id = xml_element(call(std::move(request), cancelled).body, "UploadId");
    if (upload_->id.empty()) {
      throw Error(ErrorCode::unavailable, "the server began no multipart upload");
    }
    save();
  }
  for (;;) {
    const auto done = static_cast<std::int64_t>(upload_->etags.size());
    const std::int64_t offset = done * upload_->part_bytes;
    if (offset >= upload_->file_bytes) break;
    const std::int64_t bytes = std::min(upload_->part_bytes, upload_->file_bytes - offset);
    world_.await_budget(static_cast<std::uint64_t>(bytes), cancelled);
    ObjectClient::Request request;
    request.method = "PUT";
    request.query =
        "partNumber=" + std::to_string(done + 1) + "&uploadId=" + base::percent_encode(upload_->id);
    request.body = read_part(file, offset, bytes, task);
    const wire::IncomingResponse response = call(std::move(request), cancelled);
    const auto etag = response.headers.find("ETag");
    if (!etag) throw Error(ErrorCode::unavailable, "the server gave no ETag for a part");
    upload_->etags.emplace_back(*etag);
    save();
  }
  const struct stat after = status_of(file, task);
  if (after.st_size != upload_->file_bytes || changed_ns(after) != upload_->file_changed_ns) {
    throw Error(ErrorCode::conflict, task.input.string() + " has changed while it was sent");
  }
  complete(cancelled);
}

void S3Export::complete(const std::atomic<bool>& cancelled) {
  ObjectClient::Request request;
  request.method = "POST";
  request.query = "uploadId=" + base::percent_encode(upload_->id);
  request.headers.set("Content-Type", "application/xml");
  request.body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < upload_->etags.size(); ++i) {
    request.body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
                    upload_->etags[i] + "</ETag></Part>";
  }
  request.body += "</CompleteMultipartUpload>";
  const wire::IncomingResponse response = call(std::move(request), cancelled);
  const std::string code = xml_element(response.body, "Code");
  if (!code.empty()) {
    throw Error(ErrorCode::unavailable, "the upload could not be completed: " + code);
  }
}

// One that the server does not know any more is gone as well.
void S3Export::abort_upload(const std::atomic<bool>& cancelled) {
  ObjectClient::Request request;
  request.method = "DELETE";
  request.query = "uploadId=" + base::percent_encode(upload_->id);
  try {
    static_cast<void>(call(std::move(request), cancelled));
  } catch (const Error& error) {
    const bool is_over = error.code() == ErrorCode::not_found ||
                         error.code() == ErrorCode::permission_denied ||
                         error.code() == ErrorCode::conflict;
    if (!is_over) throw;
  }
  upload_->id.clear();
  upload_->etags.clear();
  save();
}

wire::IncomingResponse S3Export::call(ObjectClient::Request request,
                                      const std::atomic<bool>& cancelled) {
  request.bucket = upload_->bucket;
  request.key = upload_->key;
  const bool is_end = request.method == "DELETE";
  try {
    return store_.call(std::move(request), cancelled);
  } catch (const ObjectError& error) {
    if (error.s3_code() == "NoSuchUpload") {
      upload_->id.clear();
      upload_->etags.clear();
      save();
      throw Error(is_end ? ErrorCode::not_found : ErrorCode::unavailable, error.message());
    }
    if (error.code() == ErrorCode::unavailable) throw;
    throw Refused(error.code(), error.message());
  }
}

void S3Export::load() {
  if (state_file_.empty()) return;
  try {
    const auto text = base::read_file_if_exists(state_file_, kMostStateBytes);
    if (!text) return;
    const json::value value = base::parse_json(*text, "upload");
    const base::JsonReader reader(value, state_file_.string());
    Upload found;
    found.sequence = reader.integer("sequence");
    found.bucket = reader.string("bucket");
    found.key = reader.string("key");
    found.id = reader.string("uploadId");
    found.file_bytes = reader.integer("fileBytes");
    found.file_changed_ns = reader.integer("fileChangedNs");
    found.part_bytes = reader.integer("partBytes");
    found.etags = reader.strings("etags", kMostParts);
    const bool fits = found.part_bytes > 0 || found.id.empty();
    if (fits) upload_ = std::move(found);
  } catch (const Error&) {
    upload_.reset();  // it begins anew
  }
}

// A full disk costs the memory of what was sent, not the task.
void S3Export::save() const {
  if (state_file_.empty()) return;
  json::array etags(upload_->etags.begin(), upload_->etags.end());
  try {
    base::write_file_atomically(
        state_file_,
        base::to_text(json::object{{"sequence", upload_->sequence},
                                   {"bucket", upload_->bucket},
                                   {"key", upload_->key},
                                   {"uploadId", upload_->id},
                                   {"fileBytes", upload_->file_bytes},
                                   {"fileChangedNs", upload_->file_changed_ns},
                                   {"partBytes", upload_->part_bytes},
                                   {"etags", std::move(etags)}}),
        0600);
  } catch (const Error&) {
    return;
  }
}

void S3Export::forget() {
  upload_.reset();
  if (state_file_.empty()) return;
  std::error_code ignored;
  fs::remove(state_file_, ignored);
}

}  // namespace andon::edge
