// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "api/byte_range.hpp"
#include "api/s3_body.hpp"
#include "api/s3_error.hpp"
#include "api/s3_operations.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxCompleteBytes = 4U << 20U;
constexpr int kMaxPartNumber = 10'000;

S3Error no_such_upload() {
  return {404, "NoSuchUpload",
          "there is no such upload: it was completed or aborted, or never begun"};
}

// The id in the query, if it is an upload of this very bucket and key.
std::string require_upload(const S3Call& call) {
  require_bucket(call);
  const auto upload = call.objects.find_upload(call.query("uploadId"));
  if (!upload || upload->bucket != call.address.bucket || upload->key != call.address.key) {
    throw no_such_upload();
  }
  return upload->id;
}

std::optional<int> parse_part_number(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 ||
      number > kMaxPartNumber) {
    return std::nullopt;
  }
  return number;
}

int read_part_number(const S3Call& call) {
  const auto number = parse_part_number(call.query("partNumber"));
  if (!number) throw invalid_argument("partNumber must be a whole number from 1 to 10000");
  return *number;
}

std::vector<store::UploadedPart> read_completion(const S3Call& call) {
  const XmlElement root = read_xml(call, kMaxCompleteBytes);
  if (root.name != "CompleteMultipartUpload") {
    throw malformed_xml("expected CompleteMultipartUpload, not " + root.name);
  }
  std::vector<store::UploadedPart> parts;
  for (const XmlElement& child : root.children) {
    const auto number = parse_part_number(child.child_text("PartNumber").value_or(""));
    const auto etag = child.child_text("ETag");
    if (child.name != "Part" || !number || !etag) {
      throw malformed_xml("expected Part with PartNumber (1 to 10000) and ETag");
    }
    parts.push_back({.number = *number, .etag = unquoted_etag(*etag)});
  }
  if (parts.empty()) throw malformed_xml("an upload cannot be completed without parts");
  return parts;
}

// What ObjectStore checks too, told apart here by S3's codes.
void check_parts(const std::vector<store::UploadedPart>& wanted,
                 const std::vector<store::UploadedPart>& uploaded) {
  const auto is_out_of_order = [](const store::UploadedPart& left,
                                  const store::UploadedPart& right) {
    return left.number >= right.number;
  };
  if (std::ranges::adjacent_find(wanted, is_out_of_order) != wanted.end()) {
    throw S3Error(400, "InvalidPartOrder", "the parts must be listed in ascending order");
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::ranges::find(uploaded, wanted[i].number, &store::UploadedPart::number);
    if (found == uploaded.end() || found->etag != wanted[i].etag) {
      throw S3Error(
          400, "InvalidPart",
          "part " + std::to_string(wanted[i].number) + " was not uploaded with that ETag");
    }
    if (i + 1 < wanted.size() && found->size < store::kMinimumPartBytes) {
      throw S3Error(400, "EntityTooSmall",
                    "part " + std::to_string(wanted[i].number) +
                        " is smaller than 5 MiB, and it is not the last one");
    }
  }
}

template <typename Work>
auto with_upload(const Work& work) {
  try {
    return work();
  } catch (const base::Error& error) {
    // Completed or aborted by another request since it was looked up.
    if (error.code() == base::ErrorCode::not_found) throw no_such_upload();
    throw;
  }
}

ByteRange read_copy_range(const S3Call& call, std::uint64_t object_size) {
  const auto header = call.header("x-amz-copy-source-range");
  if (!header) return {0, object_size};
  const RangeAnswer answer = read_range(*header, object_size);
  if (answer.kind != RangeKind::part) {
    throw invalid_argument(
        "x-amz-copy-source-range must be bytes=<first>-<last> within the object");
  }
  return answer.range;
}

}  // namespace

HttpResponse create_multipart_upload(const S3Call& call) {
  require_bucket(call);
  const std::string id =
      call.objects.create_upload(call.address.bucket, call.address.key, read_put_options(call));
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.text("Bucket", call.address.bucket).text("Key", call.address.key).text("UploadId", id);
  HttpResponse response = xml_response(xml);
  for (const char* name : {"x-amz-checksum-algorithm", "x-amz-checksum-type"}) {
    if (const auto value = call.header(name)) response.headers.set(name, *value);
  }
  return response;
}

HttpResponse upload_part(const S3Call& call) {
  const int number = read_part_number(call);
  const std::string id = require_upload(call);
  S3Body body(call);
  const store::UploadedPart part = with_upload(
      [&] { return call.objects.put_part(id, number, body.source(), {.check = body.check()}); });
  HttpResponse response;
  response.headers.set("ETag", quoted_etag(part.etag));
  for (const auto& [name, value] : body.checksums()) response.headers.set(name, value);
  return response;
}

HttpResponse upload_part_copy(const S3Call& call) {
  const int number = read_part_number(call);
  const std::string id = require_upload(call);
  const S3Address source = read_copy_source(call.header("x-amz-copy-source").value_or(""));
  if (!call.objects.has_bucket(source.bucket)) throw no_such_bucket(source.bucket);
  const auto object = call.objects.open(source.bucket, source.key);
  if (!object) throw no_such_key(source.key);
  ByteRange range = read_copy_range(call, object->info.size);
  const store::ByteSource read = [&](char* buffer, std::size_t size) -> std::size_t {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, range.size));
    while (count > 0) {
      const ssize_t got =
          pread(object->file.get(), buffer, count, static_cast<off_t>(range.offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw base::system_error("cannot read object '" + source.key + "'", errno);
      range.offset += static_cast<std::uint64_t>(got);
      range.size -= static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
    return 0;
  };
  const store::UploadedPart part =
      with_upload([&] { return call.objects.put_part(id, number, read, {}); });
  XmlWriter xml("CopyPartResult");
  xml.text("LastModified", base::to_iso8601(part.last_modified));
  xml.text("ETag", quoted_etag(part.etag));
  return xml_response(xml);
}

HttpResponse complete_multipart_upload(const S3Call& call) {
  const std::string id = require_upload(call);
  const std::vector<store::UploadedPart> parts = read_completion(call);
  const store::ObjectInfo object = with_upload([&] {
    // A completed upload has no parts any more; completing it again is for the store to judge.
    const auto open = call.objects.list_uploads(call.address.bucket, call.address.key);
    if (std::ranges::find(open, id, &store::UploadInfo::id) != open.end()) {
      check_parts(parts, call.objects.list_parts(id));
    }
    return call.objects.complete_upload(id, parts);
  });
  XmlWriter xml("CompleteMultipartUploadResult");
  const std::string host = call.header("Host").value_or("");
  xml.text("Location", (call.request.is_tls ? "https://" : "http://") + host + call.request.path);
  xml.text("Bucket", object.bucket).text("Key", object.key).text("ETag", quoted_etag(object.etag));
  return xml_response(xml);
}

HttpResponse abort_multipart_upload(const S3Call& call) {
  const std::string id = require_upload(call);
  with_upload([&] {
    call.objects.abort_upload(id);
    return 0;
  });
  return {.status = 204};
}

HttpResponse list_parts(const S3Call& call) {
  const std::string id = require_upload(call);
  const auto parts = with_upload([&] { return call.objects.list_parts(id); });
  int after = 0;
  std::size_t limit = 1000;
  const std::string marker = call.query("part-number-marker");
  if (!marker.empty()) after = parse_part_number(marker).value_or(0);
  const std::string max_parts = call.query("max-parts");
  if (!max_parts.empty()) {
    limit = static_cast<std::size_t>(parse_part_number(max_parts).value_or(1000));
    limit = std::min<std::size_t>(limit, 1000);
  }
  XmlWriter xml("ListPartsResult");
  xml.text("Bucket", call.address.bucket).text("Key", call.address.key).text("UploadId", id);
  std::size_t written = 0;
  bool is_truncated = false;
  for (const store::UploadedPart& part : parts) {
    if (part.number <= after) continue;
    if (written == limit) {
      is_truncated = true;
      break;
    }
    xml.open("Part").number("PartNumber", static_cast<std::uint64_t>(part.number));
    xml.text("LastModified", base::to_iso8601(part.last_modified));
    xml.text("ETag", quoted_etag(part.etag)).number("Size", part.size).close();
    after = part.number;
    ++written;
  }
  if (is_truncated) xml.number("NextPartNumberMarker", static_cast<std::uint64_t>(after));
  xml.number("MaxParts", limit).boolean("IsTruncated", is_truncated);
  xml.text("StorageClass", "STANDARD");
  return xml_response(xml);
}

HttpResponse list_multipart_uploads(const S3Call& call) {
  require_bucket(call);
  XmlWriter xml("ListMultipartUploadsResult");
  xml.text("Bucket", call.address.bucket).text("Prefix", call.query("prefix"));
  xml.number("MaxUploads", 1000).boolean("IsTruncated", false);
  for (const store::UploadInfo& upload :
       call.objects.list_uploads(call.address.bucket, call.query("prefix"))) {
    xml.open("Upload").text("Key", upload.key).text("UploadId", upload.id);
    xml.text("Initiated", base::to_iso8601(upload.initiated));
    xml.text("StorageClass", "STANDARD").close();
  }
  return xml_response(xml);
}

}  // namespace andon::api
