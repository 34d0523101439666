// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/byte_range.hpp"
// CopyObject and UploadPartCopy: what they read, under which conditions, and which checksum is
// made.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "api/s3/access.hpp"
#include "api/s3/format/byte_range.hpp"
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/settings/tagging.hpp"
#include "api/s3/upload_checksum.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kPieceBytes = 64U << 10U;

store::OpenObject open_source(const S3Call& call, const CopySource& source) {
  const auto& [bucket, key] = source.object;
  authorize_object(call, source.version_id.empty() ? "s3:GetObject" : "s3:GetObjectVersion",
                   source.object, version_keys(source.version_id));
  if (!call.objects.has_bucket(bucket)) throw no_such_bucket(bucket);
  auto object = call.objects.open(bucket, key, source.version_id);
  if (object) return *std::move(object);
  if (!source.version_id.empty() && call.objects.find_version(bucket, key, source.version_id)) {
    throw S3Error(400, "InvalidRequest",
                  "the source of a copy may not be a delete marker: it has no content");
  }
  throw no_such_version(key, source.version_id);
}

void add_source_version(wire::HttpResponse& response, const store::OpenObject& source) {
  if (source.info.version_id.empty()) return;
  response.headers.set("x-amz-copy-source-version-id", source.info.version_id);
}

// The tags of the copy where they are not those of its source.
std::optional<TagSet> read_tagging_directive(const S3Call& call) {
  const std::string directive = call.header("x-amz-tagging-directive").value_or("COPY");
  const auto tagging = call.header("x-amz-tagging");
  if (base::equal_ignoring_case(directive, "REPLACE")) return read_tag_query(tagging.value_or(""));
  if (!base::equal_ignoring_case(directive, "COPY")) {
    throw invalid_argument("x-amz-tagging-directive must be COPY or REPLACE");
  }
  if (tagging) {
    throw S3Error(400, "InvalidRequest",
                  "x-amz-tagging counts only with x-amz-tagging-directive: REPLACE");
  }
  return std::nullopt;
}

// Reads `range` of the object, which it takes off the front.
std::size_t read_piece(const store::OpenObject& object, ByteRange& range, char* buffer,
                       std::size_t size) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, range.size));
  while (count > 0) {
    const ssize_t got = pread(object.file.get(), buffer, count, static_cast<off_t>(range.offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw base::system_error("cannot read object '" + object.info.key + "'", errno);
    range.offset += static_cast<std::uint64_t>(got);
    range.size -= static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  return 0;
}

std::string checksum_of(const store::OpenObject& object, ChecksumAlgorithm algorithm) {
  Checksum checksum(algorithm);
  std::string piece(kPieceBytes, '\0');
  ByteRange range{0, object.info.size};
  while (const std::size_t count = read_piece(object, range, piece.data(), piece.size())) {
    checksum.update({piece.data(), count});
  }
  return checksum.finish();
}

enum class Metadata { copied, replaced };

Metadata read_directive(const S3Call& call) {
  const std::string directive = call.header("x-amz-metadata-directive").value_or("COPY");
  if (base::equal_ignoring_case(directive, "REPLACE")) return Metadata::replaced;
  if (!base::equal_ignoring_case(directive, "COPY")) {
    throw invalid_argument("x-amz-metadata-directive must be COPY or REPLACE");
  }
  for (const auto& [name, value] : call.headers.fields()) {
    if (!base::to_lower(name).starts_with("x-amz-meta-")) continue;
    throw S3Error(400, "InvalidRequest",
                  name + " counts only with x-amz-metadata-directive: REPLACE");
  }
  return Metadata::copied;
}

ByteRange read_source_range(const S3Call& call, std::uint64_t object_size) {
  const auto header = call.header("x-amz-copy-source-range");
  if (!header) return {0, object_size};
  const auto range = read_exact_range(*header, object_size);
  if (!range) {
    throw invalid_argument("x-amz-copy-source-range must be bytes=<first>-<last> within the " +
                           std::to_string(object_size) + " bytes of the object");
  }
  return *range;
}

}  // namespace

wire::HttpResponse copy_object(const S3Call& call) {
  require_bucket(call);
  const Metadata metadata = read_directive(call);
  std::optional<store::PutOptions> replaced;
  if (metadata == Metadata::replaced) replaced = read_put_options(call);
  const auto algorithm = read_algorithm(call);
  const auto tags = read_tagging_directive(call);
  const CopySource wanted = read_copy_source(call.header("x-amz-copy-source").value_or(""));
  const store::OpenObject source = open_source(call, wanted);
  if (tags) {
    authorize_tags(call, call.address);
  } else if (!source.info.tags.empty()) {
    authorize_object(
        call, wanted.version_id.empty() ? "s3:GetObjectTagging" : "s3:GetObjectVersionTagging",
        wanted.object);
    authorize_object(call, "s3:PutObjectTagging", call.address, tag_keys(source.info.tags));
  }
  if (!replaced && !algorithm && !tags && wanted.version_id.empty() &&
      source.info.bucket == call.address.bucket && source.info.key == call.address.key) {
    throw S3Error(400, "InvalidRequest",
                  "a copy of an object to itself must replace its metadata "
                  "(x-amz-metadata-directive: REPLACE)");
  }
  std::map<std::string, std::string> checksums;
  if (algorithm) {
    checksums[std::string(header_name(*algorithm))] = checksum_of(source, *algorithm);
  }
  store::CopyOptions options;
  options.from_version = wanted.version_id;
  options.change = [&](store::ObjectInfo& copy) {
    check_source_conditions(call.headers, copy);
    if (copy.sha256 != source.info.sha256) {
      throw S3Error(409, "OperationAborted", "the source was replaced meanwhile: try again");
    }
    // The content is the same, so its checksums are, too.
    if (!algorithm) checksums = checksums_in(copy.headers);
    if (replaced) {
      copy.content_type = replaced->content_type;
      copy.metadata = replaced->metadata;
      copy.headers = replaced->headers;
    }
    if (algorithm || replaced) set_checksums(copy.headers, checksums);
    if (tags) copy.tags = *tags;
  };
  options.check_replaced = [&](const auto& old) { check_write_conditions(call.headers, old); };
  const store::ObjectInfo object = call.objects.copy(
      source.info.bucket, source.info.key, call.address.bucket, call.address.key, options);
  XmlWriter xml("CopyObjectResult");
  xml.text("LastModified", base::to_iso8601(object.last_modified));
  xml.text("ETag", quoted_etag(object.etag));
  write_checksums(xml, object.headers);
  wire::HttpResponse response = xml_response(xml);
  add_source_version(response, source);
  add_version_id(response, object.version_id);
  return response;
}

wire::HttpResponse upload_part_copy(const S3Call& call) {
  const int number = read_part_number(call);
  const store::UploadInfo upload = require_upload(call);
  const store::OpenObject source =
      open_source(call, read_copy_source(call.header("x-amz-copy-source").value_or("")));
  check_source_conditions(call.headers, source.info);
  ByteRange range = read_source_range(call, source.info.size);
  store::PutOptions options;
  std::optional<Checksum> checksum;
  const auto algorithm = UploadChecksum::of(upload).algorithm;
  if (algorithm) checksum.emplace(*algorithm);
  options.check = [&](const store::ContentDigests&) {
    if (checksum) options.headers[std::string(header_name(*algorithm))] = checksum->finish();
  };
  const store::ByteSource read = [&](char* buffer, std::size_t size) {
    const std::size_t count = read_piece(source, range, buffer, size);
    if (checksum) checksum->update({buffer, count});
    return count;
  };
  const store::UploadedPart part =
      with_upload([&] { return call.objects.put_part(upload.id, number, read, options); });
  XmlWriter xml("CopyPartResult");
  xml.text("LastModified", base::to_iso8601(part.last_modified));
  xml.text("ETag", quoted_etag(part.etag));
  write_checksums(xml, part.headers);
  wire::HttpResponse response = xml_response(xml);
  add_source_version(response, source);
  return response;
}

}  // namespace andon::api
