// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/s3/body.hpp"
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/upload_checksum.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxCompleteBytes = 4U << 20U;
constexpr int kMaxPartNumber = 10'000;
constexpr std::string_view kChecksumMember = "Checksum";

std::optional<int> parse_part_number(const std::string& text) {
  return base::parse_integer<int>(text, 1, kMaxPartNumber);
}

// With the checksums that the list brings among the headers.
store::UploadedPart read_part(const XmlElement& element) {
  refuse_other_members(element, {"PartNumber", "ETag", "ChecksumCRC32", "ChecksumCRC32C",
                                 "ChecksumCRC64NVME", "ChecksumSHA256"});
  const auto number = parse_part_number(element.child_text("PartNumber").value_or(""));
  const auto etag = element.child_text("ETag");
  if (!number || !etag) throw malformed_xml("expected Part with PartNumber (1 to 10000) and ETag");
  store::UploadedPart part{.number = *number, .etag = unquoted_etag(*etag)};
  for (const XmlElement& child : element.children) {
    if (!child.name.starts_with(kChecksumMember) || child.text.empty()) continue;
    const auto algorithm =
        parse_algorithm_name(std::string_view(child.name).substr(kChecksumMember.size()));
    part.headers[std::string(header_name(*algorithm))] = child.text;
  }
  return part;
}

std::vector<store::UploadedPart> read_completion(const S3Call& call) {
  // x-amz-checksum-... is about the object, not about this list.
  const XmlElement root = read_xml(call, kMaxCompleteBytes, {.ignore_checksum_headers = true});
  if (root.name != "CompleteMultipartUpload") {
    throw malformed_xml("expected CompleteMultipartUpload, not " + root.name);
  }
  refuse_other_members(root, {"Part"});
  std::vector<store::UploadedPart> parts;
  for (const XmlElement& child : root.children) parts.push_back(read_part(child));
  if (parts.empty()) throw malformed_xml("an upload cannot be completed without parts");
  return parts;
}

// What ObjectStore checks too, told apart here by S3's codes; and the checksums. Gives the parts as
// they were uploaded.
std::vector<store::UploadedPart> choose_parts(const std::vector<store::UploadedPart>& wanted,
                                              const std::vector<store::UploadedPart>& uploaded) {
  const auto is_out_of_order = [](const store::UploadedPart& left,
                                  const store::UploadedPart& right) {
    return left.number >= right.number;
  };
  if (std::ranges::adjacent_find(wanted, is_out_of_order) != wanted.end()) {
    throw S3Error(400, "InvalidPartOrder", "the parts must be listed in ascending order");
  }
  std::vector<store::UploadedPart> chosen;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::ranges::find(uploaded, wanted[i].number, &store::UploadedPart::number);
    if (found == uploaded.end() || found->etag != wanted[i].etag) {
      throw S3Error(
          400, "InvalidPart",
          "part " + std::to_string(wanted[i].number) + " was not uploaded with that ETag");
    }
    for (const auto& [name, value] : wanted[i].headers) {
      const auto kept = found->headers.find(name);
      if (kept == found->headers.end() || kept->second != value) {
        throw S3Error(400, "InvalidPart",
                      "part " + std::to_string(wanted[i].number) +
                          " was not uploaded with that checksum (" + name + ")");
      }
    }
    if (i + 1 < wanted.size() && found->size < store::kMinimumPartBytes) {
      throw S3Error(400, "EntityTooSmall",
                    "part " + std::to_string(wanted[i].number) +
                        " is smaller than 5 MiB, and it is not the last one");
    }
    chosen.push_back(*found);
  }
  return chosen;
}

// x-amz-mp-object-size
void check_size(const S3Call& call, const store::ObjectInfo& object) {
  const auto text = call.header("x-amz-mp-object-size");
  if (!text) return;
  const auto size = base::parse_uint64(*text);
  if (!size) throw invalid_argument("x-amz-mp-object-size must be a whole number from 0 on");
  if (*size != object.size) {
    throw S3Error(400, "InvalidRequest",
                  "the parts have " + std::to_string(object.size) + " bytes, not the " + *text +
                      " of x-amz-mp-object-size");
  }
}

}  // namespace

S3Error no_such_upload() {
  return {404, "NoSuchUpload",
          "there is no such upload: it was completed or aborted, or never begun"};
}

store::UploadInfo require_upload(const S3Call& call) {
  require_bucket(call);
  auto upload = call.objects.find_upload(call.query("uploadId"));
  if (!upload || upload->bucket != call.address.bucket || upload->key != call.address.key) {
    throw no_such_upload();
  }
  return *std::move(upload);
}

int read_part_number(const S3Call& call) {
  const auto number = parse_part_number(call.query("partNumber"));
  if (!number) throw invalid_argument("partNumber must be a whole number from 1 to 10000");
  return *number;
}

HttpResponse create_multipart_upload(const S3Call& call) {
  require_bucket(call);
  authorize_tags(call, call.address);
  store::PutOptions options = read_put_options(call);
  options.quota = quota_of(call);
  const UploadChecksum checksum = UploadChecksum::read(call);
  checksum.keep_in(options.headers);
  const std::string id = call.objects.create_upload(call.address.bucket, call.address.key, options);
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.text("Bucket", call.address.bucket).text("Key", call.address.key).text("UploadId", id);
  HttpResponse response = xml_response(xml);
  for (const char* name : {kChecksumAlgorithmHeader, kChecksumTypeHeader}) {
    if (const auto kept = options.headers.find(name); kept != options.headers.end()) {
      response.headers.set(name, kept->second);
    }
  }
  return response;
}

HttpResponse upload_part(const S3Call& call) {
  const int number = read_part_number(call);
  const store::UploadInfo upload = require_upload(call);
  S3Body body(call, {.algorithm = UploadChecksum::of(upload).algorithm});
  store::PutOptions options;
  options.quota = quota_of(call);
  options.check = [&](const store::ContentDigests& digests) {
    body.check()(digests);
    options.headers = {body.checksums().begin(), body.checksums().end()};
  };
  const store::UploadedPart part =
      with_upload([&] { return call.objects.put_part(upload.id, number, body.source(), options); });
  HttpResponse response;
  response.headers.set("ETag", quoted_etag(part.etag));
  for (const auto& [name, value] : part.headers) response.headers.set(name, value);
  return response;
}

HttpResponse complete_multipart_upload(const S3Call& call) {
  const store::UploadInfo upload = require_upload(call);
  const std::vector<store::UploadedPart> parts = read_completion(call);
  const store::ObjectInfo object = with_upload([&] {
    // A completed upload has no parts any more; completing it again is for the store to judge.
    std::optional<ObjectChecksum> checksum;
    if (!upload.is_completed) {
      checksum.emplace(call, upload, choose_parts(parts, call.objects.list_parts(upload.id)));
    }
    store::CompleteOptions options;
    options.on_content = [&](std::string_view content) {
      if (checksum) checksum->update(content);
    };
    options.check = [&](store::ObjectInfo& made) {
      check_size(call, made);
      if (checksum) checksum->put_into(made);
    };
    options.check_replaced = [&](const auto& old) { check_write_conditions(call.headers, old); };
    return call.objects.complete_upload(upload.id, parts, options);
  });
  XmlWriter xml("CompleteMultipartUploadResult");
  const std::string host = call.header("Host").value_or("");
  xml.text("Location", (call.request.is_tls ? "https://" : "http://") + host + call.request.path);
  xml.text("Bucket", object.bucket).text("Key", object.key).text("ETag", quoted_etag(object.etag));
  write_checksums(xml, object.headers);
  xml.text("ChecksumType", checksum_type_of(object.headers));
  HttpResponse response = xml_response(xml);
  add_version_id(response, object.version_id);
  return response;
}

HttpResponse abort_multipart_upload(const S3Call& call) {
  const store::UploadInfo upload = require_upload(call);
  if (const auto text = call.header("x-amz-if-match-initiated-time")) {
    const auto wanted = require_date("x-amz-if-match-initiated-time", *text);
    if (whole_seconds(wanted) != whole_seconds(upload.initiated)) {
      throw S3Error(412, "PreconditionFailed", "the upload was begun at another time");
    }
  }
  with_upload([&] {
    call.objects.abort_upload(upload.id);
    return 0;
  });
  return {.status = 204};
}

}  // namespace andon::api
